// The embedded Secrets Manager: the template's secrets, generated or as the brand gives them for the local run.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Brand } from '../../lib/platform/brand.ts';
import { secretName } from '../../lib/platform/brand-file.ts';
import { bodyOf, type Listening, listen } from './listen.ts';
import type { SecretPlan } from './plan.ts';

/** A brand's name and, under `local`, its secrets in clear. */
export type LocalSecrets = Pick<Brand, 'name' | 'local'>;

const request = z.looseObject({ SecretId: z.string() });

/**
 * The text of every secret of the plan, by name: as the brand gives it, as the template says it, or generated. One
 * that nobody has filled has none, and cannot be read.
 */
export function secretTexts(plans: readonly SecretPlan[], brand?: LocalSecrets): Map<string, string> {
  const local = new Map(
    Object.entries(brand?.local?.secrets ?? {}).map(([reference, value]) => [
      brand ? secretName(brand, reference) : reference,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
  return new Map(
    plans.flatMap((plan) => {
      const text =
        local.get(plan.name) ?? plan.text ?? (plan.generate && generated(plan.name, plan.generate));
      return text === undefined ? [] : [[plan.name, text]];
    }),
  );
}

/** The local secrets that no resource of the template declares: the functions could not read them on AWS either. */
export const undeclaredSecrets = (plans: readonly SecretPlan[], brand: LocalSecrets): string[] =>
  Object.keys(brand.local?.secrets ?? {}).filter(
    (reference) => !plans.some(({ name }) => name === secretName(brand, reference)),
  );

/** Serves GetSecretValue by name or ARN. A secret that is not there is ResourceNotFoundException, as on AWS. */
export function serveSecrets(
  plans: () => readonly SecretPlan[],
  texts: () => ReadonlyMap<string, string>,
): Promise<Listening> {
  return listen(async (incoming, outgoing) => {
    const answer = (status: number, body: unknown) =>
      outgoing.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    if (incoming.headers['x-amz-target'] !== 'secretsmanager.GetSecretValue')
      return answer(400, {
        __type: 'InvalidRequestException',
        message: 'the local run knows GetSecretValue only',
      });
    const asked = request.safeParse(JSON.parse(String((await bodyOf(incoming)) ?? '') || '{}'));
    const id = asked.data?.SecretId;
    const plan = plans().find(({ name, arn }) => id === name || id === arn);
    const text = plan && texts().get(plan.name);
    if (!plan || text === undefined)
      return answer(400, {
        __type: 'ResourceNotFoundException',
        message: `Secrets Manager can't find the specified secret: ${id}`,
      });
    return answer(200, {
      ARN: plan.arn,
      Name: plan.name,
      SecretString: text,
      VersionId: createHash('sha256').update(text).digest('hex').slice(0, 32),
      VersionStages: ['AWSCURRENT'],
    });
  });
}

const PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

/**
 * What Secrets Manager would generate, drawn from the secret's name in place of chance: the same run finds the same
 * digests in a table that it kept, and no key has to be kept beside it. Good for a laptop, worth nothing as a secret.
 */
function generated(name: string, generate: NonNullable<SecretPlan['generate']>): string {
  const alphabet = [
    ...(generate.ExcludeLowercase ? '' : 'abcdefghijklmnopqrstuvwxyz'),
    ...(generate.ExcludeUppercase ? '' : 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'),
    ...(generate.ExcludeNumbers ? '' : '0123456789'),
    ...(generate.ExcludePunctuation ? '' : PUNCTUATION),
    ...(generate.IncludeSpace ? ' ' : ''),
  ].filter((letter) => !generate.ExcludeCharacters.includes(letter));
  const letters = Array.from({ length: generate.PasswordLength }, (_, i) => {
    const drawn = createHash('sha256').update(`${name}\n${i}`).digest().readUInt32BE();
    return alphabet[drawn % alphabet.length];
  }).join('');
  if (generate.GenerateStringKey === undefined) return letters;
  const around = z.record(z.string(), z.unknown()).parse(JSON.parse(generate.SecretStringTemplate ?? '{}'));
  return JSON.stringify({ ...around, [generate.GenerateStringKey]: letters });
}
