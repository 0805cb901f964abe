// npm run rules -- check, diff, publish, rollback: rules from a file into force, seen before and watched after.
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { Rule } from '../lib/platform/brand-words.ts';
import { backfillAnswer } from '../lib/tags/backfill-told.ts';
import { type Finding, finding, ruleCost } from '../lib/tags/check.ts';
import { type Api, connection, openApi, UsageError } from './rules-ask.ts';
import { readRules } from './rules-file.ts';
import { type Forecast, forecastOf } from './rules-forecast.ts';

type Env = Readonly<Record<string, string | undefined>>;

const options = {
  yes: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  days: { type: 'string', default: '1' },
  ...connection.options,
} as const;

const checked = z.object({ findings: z.array(finding), cost: ruleCost.optional() });
type Checked = z.infer<typeof checked>;
const ruleInForce = z.looseObject({
  tag: z.string(),
  version: z.int(),
  name: z.looseObject({}).optional(),
  when: z.string().optional(),
  values: z.record(z.string(), z.string()).optional(),
});
type RuleInForce = z.infer<typeof ruleInForce>;
const inForce = z.object({ rules: z.array(ruleInForce) });
const put = z.object({ rule: ruleInForce, backfill: z.string() });

function asked(argv: readonly string[], env: Env, words: readonly string[]) {
  const { values, positionals } = connection.parse(() =>
    parseArgs({ args: [...argv], options, allowPositionals: true }),
  );
  if (positionals.length !== words.length) throw new UsageError(`give ${words.join(' and ')}`);
  return { values, positionals, api: openApi(connection.target(values, env)) };
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** @returns the exit code; 1 if a rule of the file is wrong */
export async function check(argv: readonly string[], env: Env): Promise<number> {
  const { values, positionals, api } = asked(argv, env, ['a FILE']);
  const rules = await readRules(positionals[0] ?? '');
  const found = await checkAll(rules, api);
  if (values.json) print(JSON.stringify(Object.fromEntries(found), undefined, 2));
  else for (const [tag, it] of found) print(checkText(tag, it));
  return isWrong(found) ? 1 : 0;
}

/** Each rule beside those in force; a rule that reads another of the file wants that one to be put before. */
async function checkAll(rules: readonly Rule[], api: Api): Promise<Map<string, Checked>> {
  const found = new Map<string, Checked>();
  for (const { tag, ...draft } of rules)
    found.set(tag, await api.ask('POST', `/rules/${encodeURIComponent(tag)}/check`, checked, draft));
  return found;
}

const isWrong = (found: ReadonlyMap<string, Checked>): boolean =>
  [...found.values()].some(({ findings }) => findings.some(({ severity }) => severity === 'error'));

function checkText(tag: string, { findings, cost }: Checked): string {
  const said = cost
    ? `reads ${cost.leaves}, counts ${cost.features}, ${cost.newFeatures} of them new, ${cost.days} days a profile`
    : 'does not compile';
  return [`${tag}: ${said}`, ...findings.map(findingText)].join('\n');
}

function findingText({ severity, type, message, value, caret }: Finding): string {
  const place = value === undefined ? '' : ` (${value})`;
  const shown = caret === undefined ? [] : caret.split('\n').map((line) => `    ${line}`);
  return [`  ${severity}, ${type}${place}: ${message}`, ...shown].join('\n');
}

/** What a file says otherwise, and whom that would move. */
export async function diff(argv: readonly string[], env: Env): Promise<number> {
  const { values, positionals, api } = asked(argv, env, ['a FILE']);
  const changes = await changesIn(positionals[0] ?? '', api);
  const told: { tag: string; forecast: Forecast }[] = [];
  for (const change of changes) {
    const { tag, ...draft } = change.to;
    const forecast = await forecastOf(tag, draft, values.days, api);
    told.push({ tag, forecast });
    if (!values.json) print(changeText(change, forecast));
  }
  if (values.json) print(JSON.stringify(told, undefined, 2));
  else if (changes.length === 0) print('nothing: all of it is in force');
  return 0;
}

interface Change {
  readonly from: RuleInForce | undefined;
  readonly to: Rule;
}

async function changesIn(file: string, api: Api): Promise<Change[]> {
  const rules = await readRules(file);
  const present = await api.ask('GET', '/rules', inForce);
  return rules
    .map((to) => ({ from: present.rules.find((it) => it.tag === to.tag), to }))
    .filter(({ from, to }) => !from || linesOf(from).join('\n') !== linesOf(to).join('\n'));
}

type Saying = Pick<Rule, 'when' | 'values'> & { readonly name?: unknown };

const linesOf = ({ name, when, values }: Saying): string[] => [
  ...(name === undefined ? [] : [`name: ${JSON.stringify(name)}`]),
  ...(when === undefined ? [] : [`when: ${when}`]),
  ...Object.entries(values ?? {}).map(([value, expression]) => `${value}: ${expression}`),
];

function changeText({ from, to }: Change, it: Forecast): string {
  const before = from ? linesOf(from) : [];
  const after = linesOf(to);
  return [
    from ? `${to.tag}, in force as version ${from.version}` : `${to.tag}, new`,
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
    `  ${it.before.members} hold it, ${it.after.members} would: ${it.enter} enter, ${it.leave} leave, ${it.change} have another value`,
    ...it.others.map((other) => `  ${other.tag}, which reads it: ${other.enter} enter, ${other.leave} leave`),
    `  ${it.cost.journals} journals, ${it.cost.readUnits} read units`,
  ].join('\n');
}

/** Checks, forecasts, asks, puts, and watches. @returns the exit code; 1 if a rule is wrong or nobody said yes */
export async function publish(argv: readonly string[], env: Env): Promise<number> {
  const { values, positionals, api } = asked(argv, env, ['a FILE']);
  const changes = await changesIn(positionals[0] ?? '', api);
  if (changes.length === 0) print('nothing to publish: all of it is in force');
  for (const change of changes) {
    const { tag, ...draft } = change.to;
    const found = await checkAll([change.to], api); // beside those that were put a moment ago
    for (const [name, it] of found) print(checkText(name, it));
    if (isWrong(found)) return 1;
    print(changeText(change, await forecastOf(tag, draft, values.days, api)));
    if (!values.yes && !(await isWanted(tag))) return 1;
    await putAndWatch('PUT', `/rules/${encodeURIComponent(tag)}`, draft, api);
  }
  return 0;
}

async function isWanted(tag: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError('nobody is here to say yes: --yes says it');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const said = await terminal.question(`publish ${tag}? [y/N] `).finally(() => terminal.close());
  return /^y(es)?$/i.test(said.trim());
}

/** Puts what a version said in force again. */
export async function rollback(argv: readonly string[], env: Env): Promise<number> {
  const { positionals, api } = asked(argv, env, ['a TAG', 'a VERSION']);
  const [tag = '', version] = positionals;
  const path = `/rules/${encodeURIComponent(tag)}/rollback`;
  await putAndWatch('POST', path, { version: Number(version) }, api);
  return 0;
}

async function putAndWatch(method: 'PUT' | 'POST', path: string, body: unknown, api: Api): Promise<void> {
  const { rule, backfill } = await api.ask(method, path, put, body);
  print(`${rule.tag} is in force as version ${rule.version}`);
  const { profiles } = await api.until(
    () => api.ask('GET', backfill, backfillAnswer),
    ({ status }) => status === 'done',
    ({ parts, profiles: it }) =>
      `${bar(parts.done, parts.of)}${it ? ` ${it.looked} profiles, ${it.changed} changed` : ''}`,
  );
  if (profiles) print(`${profiles.looked} profiles were looked at, ${profiles.changed} changed`);
}

/** A part counts whole once it is done. */
export const bar = (done: number, of: number): string =>
  `[${'█'.repeat(Math.round((20 * done) / of)).padEnd(20, '·')}] ${done}/${of}`;
