// A run of a brand: its functions bundled, its stack synthesised, and the template brought to life.
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Brand } from '../../lib/platform/brand.ts';
import { type Role, role } from '../../lib/platform/brand-words.ts';
import { keys } from '../../lib/platform/keys.ts';
import { loadBrand, parseBrandFile } from '../brands/load.ts';
import { buildFunctions, stageBrand } from '../build.ts';
import { type Stack, type StackOptions, startStack } from './run.ts';
import { undeclaredSecrets } from './secrets.ts';

export interface RunOptions
  extends Pick<StackOptions, 'port' | 'host' | 'data' | 'clockAt' | 'dynamodb' | 'log'> {
  /** A brand of infra/brands by name, or any brand as it is. @default demo */
  readonly brand?: string | Brand;
  /** A JSON file with a brand, in place of `brand`. */
  readonly brandFile?: string;
}

export interface Run extends Stack {
  readonly brand: Brand;
  /** API keys in clear, one for each role. */
  readonly keys: Readonly<Record<Role, string>>;
}

/**
 * Builds, synthesises and starts a brand. Several runs may live side by side: each has its own folder for what it
 * builds, its own ports, and (without `data`) nothing that outlives it.
 *
 * @throws if a function cannot be bundled, the brand is not valid, or the template asks for what the run cannot do
 */
export async function startRun(options: RunOptions = {}): Promise<Run> {
  const { brand: named = 'demo', brandFile } = options;
  const brand =
    brandFile === undefined
      ? typeof named === 'string'
        ? loadBrand(named)
        : named
      : parseBrandFile(brandFile);
  const folder = await mkdtemp(join(tmpdir(), `siyu-${brand.name}-`));
  const clean = () => rm(folder, { recursive: true, force: true });
  try {
    const assembly = join(folder, 'cdk.out');
    const code = await stageBrand(brand, await buildFunctions(), join(folder, 'functions'));
    const { template, stack } = await synthesise(brand, code, assembly);
    const started = await startStack({ ...options, secrets: brand, template, assembly, stack });
    const log = options.log ?? (() => {});
    for (const reference of undeclaredSecrets(started.plan.secrets, brand))
      log(
        'secrets',
        `local secret ${reference}: nothing in the brand refers to it, so no function could read it`,
        true,
      );
    return {
      ...started,
      brand,
      keys: await putKeys(started, brand),
      async stop() {
        await started.stop();
        await clean();
      },
    };
  } catch (error) {
    await clean();
    throw error;
  }
}

async function synthesise(
  brand: Brand,
  code: string,
  outdir: string,
): Promise<{ template: unknown; stack: string }> {
  // CDK would validate the template with an engine that takes seconds and 430 MB; tests and `cdk synth` do that.
  process.env.CDK_VALIDATION = 'false';
  const [{ siyuApp, stackName }, { BrandStack }] = await Promise.all([
    import('../synth.ts'),
    import('../brand-stack.ts'),
  ]);
  const app = siyuApp(outdir);
  // The bundles are run where they lie: nothing is copied, and a folder keeps its function's name.
  app.node.setContext('aws:cdk:disable-asset-staging', true);
  const stack = new BrandStack(app, stackName(brand), { brand, code });
  const { template }: { template: unknown } = app.synth().getStackArtifact(stack.artifactId);
  return { template, stack: stack.stackName };
}

/** Puts an API key of each role: the brand's local ones, or keys made for this run. The table holds their digests. */
async function putKeys(stack: Stack, brand: Brand): Promise<Record<Role, string>> {
  const keyOf = (name: Role) =>
    brand.local?.keys[name] ?? `siyu-${name}-${randomBytes(15).toString('base64url')}`;
  const made: Record<Role, string> = {
    operator: keyOf('operator'),
    analyst: keyOf('analyst'),
    admin: keyOf('admin'),
    privacy: keyOf('privacy'),
  };
  for (const name of role.options) {
    const digest = createHash('sha256').update(made[name]).digest('hex');
    await stack.table().put({ ...keys.apiKey(digest), role: name, name: `local ${name}` });
  }
  return made;
}
