// npm run audit -- verify: whether a brand's audit log is as it was written, by its API or from its table.
import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { auditStore } from '../lib/audit/store.ts';
import { identityKey } from '../lib/identity/key.ts';
import { secretName } from '../lib/platform/brand-file.ts';
import { DAY, systemClock, toIso } from '../lib/platform/clock.ts';
import { openTable } from '../lib/platform/dynamo.ts';
import { openSecrets } from '../lib/platform/secrets.ts';
import { IDENTITY } from './brands/secret-names.ts';
import { AwayError, connection, openApi, UsageError } from './rules-ask.ts';

const HELP = `npm run audit -- verify [options]

  --from DAY, --to DAY   days in UTC, both in                          [a week ago, today]
  --anchor HASH          an anchor that you kept: it has to be there still

  --url URL              the brand's API; at most 31 days at once      [http://127.0.0.1:4510]
  --key KEY              a key of role privacy, or SIYU_API_KEY        [on this machine: the demo brand's]
or
  --table TABLE --brand NAME   the table itself, with your AWS credentials; as many days as you like

Ends with 0 if the log is whole; with 1 and the names of the entries that are not; with 75 if the brand is away.
`;

const EXIT = { whole: 0, broken: 1, away: 75 } as const;

/** What the run on this machine gives its demo brand; it opens nothing else. */
const DEVELOPMENT_KEY = 'development-demo-privacy';

const verified = z.looseObject({
  whole: z.boolean(),
  entries: z.int(),
  anchors: z.int(),
  lastAnchor: z.string().optional(),
  found: z.array(z.object({ entry: z.string(), wrong: z.string() })),
});
type Verified = z.infer<typeof verified>;

const day = z.iso.date({ error: 'a day looks like 2026-11-11' });

const options = {
  from: { type: 'string' },
  to: { type: 'string' },
  anchor: { type: 'string' },
  table: { type: 'string' },
  brand: { type: 'string' },
  ...connection.options,
} as const;

type Env = Readonly<Record<string, string | undefined>>;

/** Verifies what the command line names. @throws UsageError @throws AwayError */
export async function verify(argv: readonly string[], env: Env): Promise<Verified> {
  const { values } = connection.parse(() => parseArgs({ args: [...argv], options }));
  const today = toIso(systemClock()).slice(0, 10);
  const to = connection.parse(() => day.parse(values.to ?? today));
  const weekBefore = toIso(Date.parse(to) - 7 * DAY).slice(0, 10);
  const from = connection.parse(() => day.parse(values.from ?? weekBefore));
  if (values.table !== undefined) {
    if (values.brand === undefined) throw new UsageError('--brand is missing: its key seals the anchors');
    const secret = secretName({ name: values.brand }, IDENTITY);
    const protector = await identityKey(openSecrets(systemClock), secret);
    const store = auditStore({ table: openTable(values.table), now: systemClock, protector });
    return store.verify(from, to, values.anchor);
  }
  const key = values.key ?? env.SIYU_API_KEY ?? DEVELOPMENT_KEY;
  const query = new URLSearchParams({ from, to, ...(values.anchor && { anchor: values.anchor }) });
  return openApi(connection.target({ url: values.url, key }, env)).ask(
    'GET',
    `/audit/verify?${query}`,
    verified,
  );
}

/** @returns the exit code */
export async function main(argv: readonly string[], env: Env): Promise<number> {
  const [verb, ...rest] = argv;
  try {
    if (verb !== 'verify' || rest.includes('--help')) throw new UsageError(HELP);
    const { whole, entries, anchors, lastAnchor, found } = await verify(rest, env);
    for (const { entry, wrong } of found) process.stdout.write(`${entry} ${wrong}\n`);
    process.stdout.write(
      `${whole ? 'whole' : `${found.length} found`}: ${entries} entries, ${anchors} anchors, the last ${lastAnchor ?? 'none'}\n`,
    );
    return whole ? EXIT.whole : EXIT.broken;
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof AwayError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error instanceof AwayError ? EXIT.away : EXIT.broken;
  }
}

/** Who runs a command, as the log names them. */
export const whoRuns = (): string => `${userInfo().username} at a command line`;

if (import.meta.main) process.exitCode = await main(process.argv.slice(2), process.env);
