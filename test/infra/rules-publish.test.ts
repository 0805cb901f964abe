// Scope: rules from a file into force by the command line, against the functions themselves over HTTP.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { main } from '../../infra/rules-cli.ts';
import { rulesIn } from '../../infra/rules-file.ts';
import { bar } from '../../infra/rules-publish.ts';
import { toIso } from '../../lib/platform/clock.ts';
import { aBrand, active, anOrder, aVisit, buyer, day } from '../profile/a-profile.ts';
import { aWorld, type World } from '../profile/a-world.ts';
import { aCaller, keyOf } from '../query/a-caller.ts';
import { aSurveyor } from '../tags/a-survey.ts';

let server: Server;
let url: string;
let world: World;
const out: string[] = [];
const err: string[] = [];
const folder = await mkdtemp(join(tmpdir(), 'siyu-publish-'));

beforeEach(async () => {
  world = aWorld({ brand: aBrand({ rules: [buyer, active], privacy: { k: 1 } }) });
  world.setClock(day(10));
  for (let i = 0; i < 12; i++) {
    const ids = [`member_id:m${i}`];
    await world.take(aVisit(i % 6, { ids }), ...(i % 2 === 0 ? [anOrder(3, `o${i}`, 100, { ids })] : []));
  }
  const { send, work } = await aSurveyor(world);
  const caller = await aCaller(world);
  server = createServer(async (request, reply) => {
    const { method = '', url: path = '' } = request;
    let body = '';
    for await (const chunk of request) body += chunk;
    const isProfile = path.startsWith('/profiles');
    const asked = isProfile ? await caller.send(path, { as: 'admin' }) : undefined;
    const { status, said } = asked ? { ...asked, said: asked.body } : await send(method, path, body, 'admin');
    world.setClock(toIso(world.clock() + 10_000));
    await work();
    reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(said));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  url = `http://127.0.0.1:${address.port}`;
  out.length = 0;
  err.length = 0;
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => err.push(String(text)) > 0);
});
afterEach(() => {
  vi.restoreAllMocks();
  server.close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (...argv: string[]) => main([...argv, '--url', url, '--key', keyOf('admin')], {});

async function aFile(text: string, name = 'rules.yaml'): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

const twoRules = `
- tag: active
  when: events("page_viewed").within("20d").any()
- tag: regular
  name: { zh: 常客, en: Regular }
  when: hasTag("buyer") && hasTag("active")
`;

test('check tells what each rule of a file takes, and ends with 1 where one is wrong', async () => {
  expect(await run('check', await aFile(twoRules))).toBe(0);
  expect(out.join('')).toMatch(/active: reads 1, .*\nregular: reads 2, /);
  out.length = 0;
  expect(
    await run('check', await aFile('{"tag":"x","when":"events(\\"a\\").count() > \\"b\\""}', 'x.json')),
  ).toBe(1);
  expect(out.join('')).toMatch(/x: does not compile\n {2}error, type: .*\n {4}events.*\n {4}\^/);
});

test('diff tells what a file says otherwise and whom that moves, and changes nothing', async () => {
  const before = world.told();
  expect(await run('diff', await aFile(twoRules))).toBe(0);
  const said = out.join('');
  expect(said).toContain(
    '- when: events("page_viewed").within("7d").any()\n+ when: events("page_viewed").within("20d")',
  );
  expect(said).toMatch(/regular, new\n\+ name: .*\n\+ when: /);
  expect(said).toMatch(/\d+ hold it, 12 would/);
  expect(world.told()).toBe(before);
  out.length = 0;
  expect(await run('diff', await aFile(JSON.stringify([buyer]), 'same.json'))).toBe(0);
  expect(out.join('')).toContain('nothing');
});

test('publish puts what was forecast in force, and ends when everybody is brought to it', async () => {
  expect(await run('publish', await aFile(twoRules), '--yes')).toBe(0);
  expect(out.join('')).toContain('active is in force as version 2');
  expect(out.join('')).toContain('12 profiles were looked at');
  expect(world.members('active')).toHaveLength(12);
  expect(world.members('regular')).toHaveLength(6);
  out.length = 0;
  expect(await run('publish', await aFile(twoRules), '--yes')).toBe(0);
  expect(out.join('')).toContain('nothing to publish');
  expect(await run('rollback', 'active', '1')).toBe(0);
  expect(out.join('')).toContain('active is in force as version 3');
  expect(world.members('active').length).toBeLessThan(12);
});

test('publish puts nothing that is wrong, and nothing that nobody wants', async () => {
  const wrong = await aFile('tag: mine\nwhen: trait("x") == "13800138000"\n', 'wrong.yaml');
  expect(await run('publish', wrong, '--yes')).toBe(1);
  expect(out.join('')).toContain('error, personal');
  expect(await run('publish', await aFile(twoRules))).toBe(1);
  expect(err.join('')).toContain('--yes');
  expect((await world.worker.store.current()).rules.map(({ version }) => version)).toEqual([1, 1]);
});

test('explain says why, now and at a past instant', async () => {
  expect(await run('explain', 'member_id', 'm0', 'buyer')).toBe(0);
  expect(out.join('')).toMatch(/buyer: held since 2026-05-04.*by version 1\n {2}events/);
  out.length = 0;
  expect(await run('explain', 'member_id', 'm0', 'buyer', '--at', day(1))).toBe(0);
  expect(out.join('')).toMatch(/buyer: not held, at 2026-05-02/);
  expect(out.join('')).toMatch(/did change at 2026-05-04/);
  expect(await run('explain', 'member_id', 'm0')).toBe(1);
});

test.each([
  ['', 'holds no rules'],
  ['[]', 'holds no rules'],
  ['- tag: a\n  when: "true"\n- tag: a\n  when: "false"', 'two rules for one tag'],
  ['- tag: A B\n  when: "true"', 'rule 1: tag: snake_case'],
  ['{', 'no YAML and no JSON'],
])('a file that says %j is refused in words', (text, words) => {
  expect(() => rulesIn(text, 'rules.yaml')).toThrow(words);
});

test('a file may hold one rule, a list, or a list by the name of rules', () => {
  const one = 'tag: a\nwhen: "true"\n';
  const rule = { tag: 'a', when: 'true' };
  expect([
    rulesIn(one, 'f'),
    rulesIn(JSON.stringify([rule]), 'f'),
    rulesIn(JSON.stringify({ rules: [rule] }), 'f'),
  ]).toEqual([[rule], [rule], [rule]]);
});

test('the bar is full when all is done', () => {
  expect([bar(0, 4), bar(2, 4), bar(4, 4)]).toEqual([
    `[${'·'.repeat(20)}] 0/4`,
    `[${'█'.repeat(10)}${'·'.repeat(10)}] 2/4`,
    `[${'█'.repeat(20)}] 4/4`,
  ]);
});
