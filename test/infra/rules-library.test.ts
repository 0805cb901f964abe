// Scope: the two commands that ask no brand: the library, and importing from other systems.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { main } from '../../infra/rules-cli.ts';
import { readLibrary } from '../../lib/tags/library.ts';

let folder: string;
const out: string[] = [];
const err: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'siyu-library-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => {
  out.length = 0;
  err.length = 0;
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => err.push(String(text)) > 0);
});
afterEach(() => vi.restoreAllMocks());

const run = (...argv: string[]) => main(argv, {});

async function fileOf(name: string, content: unknown): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

const cohort = (...values: object[]) => ({
  name: 'VIP: Big Spenders!',
  filters: { properties: { type: 'AND', values } },
});
const isSet = { type: 'person', key: 'plan', operator: 'is_set' };

test('library lists a trade, a tag to a line', async () => {
  expect(await run('library', '--trade', 'finance')).toBe(0);
  expect(out).toHaveLength(readLibrary().finance.length);
  expect(out.join('')).toMatch(/^finance\/policy_ends +保单将到期 · Policy ends soon: /);
});

test('library --show prints the body of a PUT, and what to know of it beside', async () => {
  expect(await run('library', '--show', 'retail/gold_slips')).toBe(0);
  const [tag] = readLibrary().retail.filter((it) => it.tag === 'gold_slips');
  expect(JSON.parse(out.join(''))).toEqual({ name: tag?.name, when: tag?.when });
  expect(err.join('')).toContain('reads the tag retail_tier: put that first');
  expect(await run('library', '--show', 'nearly_private')).toBe(0);
  expect(err.join('')).toContain('600000000 is 6,000,000.00 in minor units');
  expect(err.join('')).toContain('reads the trait assets');
});

test('import prints the rule as the body of a PUT, with a tag from its name', async () => {
  const file = await fileOf('cohort.json', cohort(isSet));
  expect(await run('import', file, '--from', 'posthog')).toBe(0);
  expect(JSON.parse(out.join(''))).toEqual({
    name: { zh: 'VIP: Big Spenders!', en: 'VIP: Big Spenders!' },
    when: 'hasTrait("plan")',
  });
  expect(err.join('')).toBe('PUT /rules/vip_big_spenders\n');
  expect(await run('import', file, '--from', 'posthog', '--tag', 'vip')).toBe(0);
  expect(err.join('')).toContain('PUT /rules/vip\n');
});

test('import tells the notes, and takes a currency', async () => {
  const paid = {
    ...{ type: 'behavioral', value: 'performed_event', key: 'Order Completed', event_type: 'events' },
    ...{ time_value: 7, time_interval: 'day' },
    event_filters: [{ type: 'event', key: 'total', operator: 'gte', value: 10 }],
  };
  const file = await fileOf('paid.json', cohort(paid));
  expect(await run('import', file, '--from', 'posthog', '--currency', 'JPY')).toBe(0);
  expect(JSON.parse(out.join('')).when).toContain('double(e.total_amount) >= 10)');
  expect(err.join('')).toContain("days are those of the brand's time zone");
  expect(await run('import', file, '--from', 'posthog')).toBe(1);
  expect(err.join('')).toContain('say the currency');
});

test.each([
  [['library', '--trade', 'toys'], '--trade is one of ecommerce, beauty'],
  [['library', '--show', 'toys'], 'the library has no tag toys'],
  [['library', '--page', 'fr'], '--page is zh or en'],
  [['import', '--from', 'posthog'], 'one FILE'],
  [['import', 'nowhere.json', '--from', 'posthog'], 'nowhere.json cannot be read'],
  [['import', 'x', '--from', 'mixpanel'], '--from is one of posthog, dittofeed, sensors'],
  [['import', 'x', '--from', 'posthog', '--currency', 'yuan'], 'three letters'],
])('%j is refused in words', async (argv, words) => {
  expect(await run(...argv)).toBe(1);
  expect(err.join('')).toContain(words);
});

test.each([
  ['{', 'JSON'],
  [cohort({ ...isSet, type: 'cohort' }), 'filters.properties.values[0]: it reads another cohort'],
  [cohort({ ...isSet, operator: 'regex', value: '(?=x)' }), 'no part of the language'],
  [{ ...cohort(isSet), name: '大客户' }, 'say one by --tag'],
  [{ ...cohort(isSet), name: 'x'.repeat(50) }, ''],
])('a file that is no rule for us is refused in words: %j', async (content, words) => {
  const file = await fileOf('bad.json', content);
  expect(await run('import', file, '--from', 'posthog')).toBe(words === '' ? 0 : 1);
  expect(err.join('')).toContain(words);
});
