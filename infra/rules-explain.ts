// npm run rules -- explain: why somebody has a tag, now or at a past instant.
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { connection, openApi, UsageError } from './rules-ask.ts';

const options = {
  at: { type: 'string' },
  scope: { type: 'string' },
  json: { type: 'boolean', default: false },
  ...connection.options,
} as const;

const answer = z.looseObject({
  tag: z.string(),
  version: z.int(),
  rule: z.string(),
  value: z.union([z.boolean(), z.string()]),
  leaves: z.array(z.looseObject({ text: z.string(), value: z.json() })),
  at: z.string(),
  since: z.string().nullable(),
  nextChangeAt: z.string().optional(),
  changedAt: z.string().optional(),
  note: z.string().optional(),
  events: z.array(z.looseObject({ type: z.string(), occurredAt: z.string() })),
});
type Explained = z.infer<typeof answer>;

/** Asks and prints. @returns the exit code */
export async function explain(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const { values, positionals } = connection.parse(() =>
    parseArgs({ args: [...argv], options, allowPositionals: true }),
  );
  const [kind, value, tag, ...more] = positionals;
  if (kind === undefined || value === undefined || tag === undefined || more.length > 0)
    throw new UsageError('give KIND, VALUE and TAG: member_id m1 active');
  const api = openApi(connection.target(values, env));
  const { at, scope } = values;
  const query = new URLSearchParams({
    ...(at !== undefined && { at }),
    ...(scope !== undefined && { scope }),
  }).toString();
  const place = [kind, value, 'tags', tag, 'explain'].map(encodeURIComponent).join('/');
  const found = await api.ask('GET', `/profiles/${place}${query && `?${query}`}`, answer);
  process.stdout.write(values.json ? `${JSON.stringify(found, undefined, 2)}\n` : textOf(found));
  return 0;
}

function textOf(it: Explained): string {
  const held = it.value === false ? 'not held' : it.value === true ? 'held' : `held as ${it.value}`;
  const since = it.since === null ? '' : ` since ${it.since}`;
  const lines = [
    `${it.tag}: ${held}${since}, at ${it.at}, by version ${it.version}`,
    ...it.rule.split('\n').map((line) => `  ${line}`),
    '',
    ...it.leaves.map((leaf) => `  ${leaf.text} = ${JSON.stringify(leaf.value)}`),
    '',
    ...it.events.map((event) => `  ${event.occurredAt} ${event.type}`),
    ...(it.nextChangeAt === undefined ? [] : [`changes at ${it.nextChangeAt} if nothing happens`]),
    ...(it.changedAt === undefined ? [] : [`and by this rule did change at ${it.changedAt}`]),
    ...(it.note === undefined ? [] : [it.note]),
  ];
  return `${lines.join('\n')}\n`;
}
