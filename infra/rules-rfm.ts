// npm run rules -- rfm: recency, frequency and money of a brand's customers, with their scores.
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { exponentOf } from '../lib/events/currency.ts';
import { identifier, instant } from '../lib/events/event.ts';
import { instantOf } from '../lib/events/time.ts';
import { toIso } from '../lib/platform/clock.ts';
import { type Api, connection, openApi, UsageError } from './rules-ask.ts';

const accepted = z.looseObject({ result: z.string() });
const customer = z.object({
  profile: z.string(),
  identifiers: z.array(identifier),
  recency: z.int(),
  frequency: z.int(),
  monetary: z.int(),
  r: z.int(),
  f: z.int(),
  m: z.int(),
});
type Customer = z.infer<typeof customer>;
const answer = z.looseObject({
  asOf: instant,
  status: z.enum(['running', 'done', 'outdated']),
  progress: z.looseObject({ parts: z.int(), of: z.int(), customers: z.int() }),
  result: z
    .looseObject({
      monetary: z.int(),
      currency: z.string(),
      sizes: z.record(z.enum(['r', 'f', 'm']), z.array(z.int())),
      customers: z.array(customer),
      next: z.string().optional(),
    })
    .optional(),
});
type Result = NonNullable<z.infer<typeof answer>['result']>;

const options = {
  'as-of': { type: 'string' },
  ties: { type: 'string', default: 'apart' },
  csv: { type: 'boolean', default: false },
  ...connection.options,
} as const;

/** What is asked: the instant, ties, the form, and of whom. @throws UsageError */
export function readRfm(argv: readonly string[], env: Readonly<Record<string, string | undefined>>) {
  const { values } = connection.parse(() => parseArgs({ args: [...argv], options }));
  if (values.ties !== 'apart' && values.ties !== 'together')
    throw new UsageError('--ties is apart or together');
  const asOf = values['as-of'];
  return {
    asOf: asOf === undefined ? undefined : asOfInstant(asOf),
    ties: values.ties,
    csv: values.csv,
    target: connection.target(values, env),
  };
}

/** A day alone is its midnight in UTC, as published figures count it; a brand's own midnight has its offset. */
function asOfInstant(text: string): string {
  const at = instantOf(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);
  if (at === undefined)
    throw new UsageError(
      '--as-of is a day such as 2011-12-10 or an instant such as 2011-12-10T00:00:00+08:00',
    );
  return toIso(at);
}

/** Asks, waits, and prints. @returns the exit code */
export async function rfm(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const { asOf, ties, csv, target } = readRfm(argv, env);
  const api = openApi(target);
  const { result } = await api.ask('POST', '/rfm', accepted, asOf === undefined ? {} : { asOf });
  let shown = 0;
  for await (const page of pagesOf(result, ties, api)) {
    if (csv) process.stdout.write(csvOf(page, shown === 0));
    else if (shown === 0) process.stdout.write(summaryOf(page));
    shown += page.customers.length;
    if (!csv) break;
  }
  return 0;
}

/** Every page, once the survey is done. */
async function* pagesOf(path: string, ties: string, api: Api): AsyncGenerator<Result> {
  const query = (more: object) => `${path}?${new URLSearchParams({ ties, limit: '1000', ...more })}`;
  let found = await api.until(
    () => api.ask('GET', query({}), answer),
    ({ status }) => status !== 'running',
    ({ progress }) => `${progress.parts} of ${progress.of} parts, ${progress.customers} customers`,
  );
  for (;;) {
    if (!found.result) throw new Error('the survey is done and has no result');
    yield found.result;
    const { next } = found.result;
    if (next === undefined) return;
    found = await api.ask('GET', query({ cursor: next }), answer);
  }
}

const HEAD = 'customer,kind,profile,recency,frequency,monetary,r,f,m';

/** The customers of a page; `customer` is the strongest identifier as the key's role may see it, money is in major units. */
export function csvOf(
  { customers, currency }: Pick<Result, 'customers' | 'currency'>,
  head: boolean,
): string {
  const lines = customers.map((it) => {
    const [id] = it.identifiers;
    const money = moneyText(it.monetary, currency);
    return [id?.value ?? '', id?.kind ?? '', it.profile, it.recency, it.frequency, money, it.r, it.f, it.m]
      .map(cell)
      .join(',');
  });
  return [...(head ? [HEAD] : []), ...lines].map((line) => `${line}\n`).join('');
}

const cell = (value: Customer['recency'] | string): string =>
  /[",\r\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value);

/** Minor units as people write them: 431000 GBP is 4310.00. Exact: no division. */
function moneyText(minor: number, currency: string): string {
  const places = exponentOf(currency);
  if (places === 0) return String(minor);
  const digits = String(minor).padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

function summaryOf({ sizes, monetary, currency }: Result): string {
  const of = (list: readonly number[] = []) => list.map((it) => String(it).padStart(9)).join('');
  const all = (sizes.r ?? []).reduce((sum, it) => sum + it, 0);
  return [
    `${all} customers, ${moneyText(monetary, currency)} ${currency}`,
    `score    ${of([1, 2, 3, 4, 5])}`,
    `recency  ${of(sizes.r)}`,
    `frequency${of(sizes.f)}`,
    `monetary ${of(sizes.m)}`,
    '--csv prints every customer',
    '',
  ].join('\n');
}
