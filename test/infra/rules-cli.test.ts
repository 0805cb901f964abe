// Scope: the command line against the functions themselves, over HTTP.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { main } from '../../infra/rules-cli.ts';
import { csvOf, readRfm } from '../../infra/rules-rfm.ts';
import type { Role } from '../../lib/platform/brand-words.ts';
import { aBrand, active, anOrder, aVisit, buyer, day } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { keyOf } from '../query/a-caller.ts';
import { aSurveyor } from '../tags/a-survey.ts';

let server: Server;
let url: string;
let folder: string;
let fails = false;
const out: string[] = [];
const err: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'siyu-rules-'));
  const world = aWorld({ brand: aBrand({ rules: [buyer, active], privacy: { k: 2 } }) });
  world.setClock(day(10));
  for (let i = 0; i < 12; i++) {
    const ids = [`customer_id:c${10 + i}`];
    await world.take(aVisit(i % 3, { ids }), anOrder(i / 2, `o${i}`, 1_005 * (i + 1), { ids }));
  }
  const { send, work } = await aSurveyor(world);
  server = createServer(async (request, reply) => {
    const { method = '', url: path = '', headers } = request;
    let body = '';
    for await (const chunk of request) body += chunk;
    if (fails) return reply.writeHead(503).end();
    const role = (['operator', 'admin'] as const).find((it) => headers.authorization?.endsWith(keyOf(it)));
    const as: Role = role ?? 'privacy';
    const { status, said } = await send(method, path, body, as);
    await work();
    reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(said));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  url = `http://127.0.0.1:${address.port}`;
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  fails = false;
  out.length = 0;
  err.length = 0;
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => err.push(String(text)) > 0);
});
afterEach(() => vi.restoreAllMocks());

const run = (...argv: string[]) => main([...argv, '--url', url, '--key', keyOf('admin')], {});

test('rfm prints every customer with money to the cent and its scores', async () => {
  expect(await run('rfm', '--as-of', day(10), '--csv')).toBe(0);
  const rows = parse(out.join(''), { columns: true });
  expect(rows).toHaveLength(12);
  expect(rows[0]).toMatchObject({
    ...{ customer: 'c10', kind: 'customer_id', recency: '10', frequency: '1', monetary: '10.05' },
    ...{ r: '1', f: '1', m: '1' },
  });
  expect(rows[11]).toMatchObject({ customer: 'c21', recency: '4', monetary: '120.60', r: '5', m: '5' });
});

test('without --csv it prints how many have each score, also with ties together', async () => {
  expect(await run('rfm', '--as-of', day(10))).toBe(0);
  expect(out.join('')).toContain('12 customers, 783.90 CNY');
  expect(await run('rfm', '--ties', 'together')).toBe(0);
  expect(out.join('')).toMatch(/frequency\s+12\s+0\s+0\s+0\s+0/);
});

test('a day alone is its midnight in UTC; an instant is itself', () => {
  const read = (asOf: string) => readRfm(['--as-of', asOf, '--key', 'k'], {}).asOf;
  expect(read('2011-12-10')).toBe('2011-12-10T00:00:00.000Z');
  expect(read('2011-12-10T00:00:00+08:00')).toBe('2011-12-09T16:00:00.000Z');
  expect(() => read('tomorrow')).toThrow('--as-of is a day');
});

test('cells that hold commas, quotes or lines are quoted; a currency without cents has none', () => {
  const customers = [
    {
      profile: 'p',
      identifiers: [{ kind: 'member_id', scope: 's', value: 'a,"b"\n' }],
      ...{ recency: 1, frequency: 2, monetary: 7, r: 1, f: 2, m: 3 },
    },
  ];
  expect(csvOf({ customers, currency: 'JPY' }, false)).toBe('"a,""b""\n",member_id,p,1,2,7,1,2,3\n');
  expect(csvOf({ customers, currency: 'CNY' }, true)).toMatch(/^customer,.*\n.*,0\.07,1,2,3\n$/s);
});

test('forecast prints who would come and go, of an expression or of a file', async () => {
  expect(await run('forecast', 'active', '--rule', 'events("page_viewed").within("9d").any()')).toBe(0);
  expect(out.join('')).toMatch(/enter, leave, other value\s+4\s+<2\s+<2/);
  const file = join(folder, 'rule.json');
  await writeFile(file, JSON.stringify({ values: { often: 'false', once: 'events("order_paid").any()' } }));
  out.length = 0;
  expect(await run('forecast', 'visits', '--file', file, '--days', '3', '--json')).toBe(0);
  expect(JSON.parse(out.join(''))).toMatchObject({ after: { members: 12, values: { once: 12 } } });
  expect(JSON.parse(out.join('')).days).toHaveLength(3);
});

test.each([
  [['forecast', 'active', '--rule', 'events("a").count() > "b"'], 'no such overload'],
  [['forecast', 'active'], 'give the draft'],
  [['forecast', '--rule', 'true'], 'one TAG'],
  [['forecast', 'active', '--rule', 'true', '--days', '99'], '1 to 30'],
  [['rfm', '--ties', 'some'], 'apart or together'],
  [['rfm', '--nothing'], 'nothing'],
  [['rmf'], 'no command rmf'],
])('%j is refused in words', async (argv, words) => {
  expect(await run(...argv)).toBe(1);
  expect(err.join('')).toContain(words);
});

test('a brand that is away, and a key that is missing, end otherwise', async () => {
  fails = true;
  expect(await run('rfm')).toBe(75);
  expect(await main(['rfm', '--url', 'http://127.0.0.1:1'], {})).toBe(75);
  expect(await main(['rfm', '--url', 'https://brand.example'], {})).toBe(1);
  expect(err.join('')).toContain('SIYU_API_KEY');
});
