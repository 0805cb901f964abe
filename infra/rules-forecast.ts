// npm run rules -- forecast: what a draft would change, asked of a running brand.
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { shownForecast } from '../lib/tags/forecast-shown.ts';
import { type Api, connection, openApi, UsageError } from './rules-ask.ts';

const accepted = z.looseObject({ result: z.string() });
const answer = z.looseObject({
  tag: z.string(),
  status: z.enum(['running', 'done', 'outdated']),
  progress: z.looseObject({ parts: z.int(), of: z.int() }),
  forecast: shownForecast.optional(),
});
export type Forecast = z.infer<typeof shownForecast>;

const options = {
  rule: { type: 'string' },
  file: { type: 'string' },
  days: { type: 'string', default: '30' },
  json: { type: 'boolean', default: false },
  ...connection.options,
} as const;

/** Asks, waits, and prints. @returns the exit code */
export async function forecast(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const { values, positionals } = connection.parse(() =>
    parseArgs({ args: [...argv], options, allowPositionals: true }),
  );
  const [tag, ...more] = positionals;
  if (tag === undefined || more.length > 0) throw new UsageError('one TAG, please');
  const api = openApi(connection.target(values, env));
  const found = await forecastOf(tag, await draftOf(values), values.days, api);
  process.stdout.write(values.json ? `${JSON.stringify(found, undefined, 2)}\n` : textOf(tag, found));
  return 0;
}

/** What a draft would change, once everybody was looked at. @throws UsageError if the rules in force changed meanwhile */
export async function forecastOf(tag: string, draft: unknown, days: string, api: Api): Promise<Forecast> {
  const path = `/rules/${encodeURIComponent(tag)}/forecast?${new URLSearchParams({ days })}`;
  const { result } = await api.ask('POST', path, accepted, draft);
  const found = await api.until(
    () => api.ask('GET', result, answer),
    ({ status }) => status !== 'running',
    ({ progress }) => `${tag}: ${progress.parts} of ${progress.of} parts`,
  );
  if (!found.forecast) throw new UsageError('the rules in force changed meanwhile: ask again');
  return found.forecast;
}

/** The draft: an expression, or a file with an expression or with the rule as JSON. */
async function draftOf({
  rule,
  file,
}: {
  rule?: string | undefined;
  file?: string | undefined;
}): Promise<unknown> {
  if ((rule === undefined) === (file === undefined))
    throw new UsageError('give the draft by --rule or by --file');
  if (file === undefined) return rule;
  const text = await readFile(file, 'utf8').catch(() => {
    throw new UsageError(`${file} cannot be read`);
  });
  try {
    const said: unknown = JSON.parse(text);
    return typeof said === 'object' && said !== null && !Array.isArray(said) ? said : text.trim();
  } catch {
    return text.trim(); // an expression as it is
  }
}

function textOf(tag: string, it: Forecast): string {
  const row = (name: string, ...counts: readonly (number | string)[]) =>
    `  ${name.padEnd(28)}${counts.map((count) => String(count).padStart(10)).join('')}`;
  const lines = [
    `${tag}: ${it.profiles} profiles`,
    row('hold it by the rules in force', it.before.members),
    row('by the draft', it.after.members),
    row('enter, leave, other value', it.enter, it.leave, it.change),
    ...Object.entries(it.after.values ?? {}).map(([value, count]) => row(`by the draft: ${value}`, count)),
    '',
    row('day', 'members', 'entered', 'left'),
    ...it.days.map(({ day, members, entered, left }) => row(day, members, entered, left)),
    '',
    row('other tag', 'members', 'both'),
    ...it.overlap.map(({ tag, members, both }) => row(tag, members, both)),
    ...(it.others.length === 0 ? [] : ['', row('reads this tag', 'enter', 'leave')]),
    ...it.others.map(({ tag, enter, leave }) => row(tag, enter, leave)),
    '',
    `${it.cost.journals} journals, ${it.cost.events} events, ${it.cost.readUnits} read units`,
  ];
  return `${lines.join('\n')}\n`;
}
