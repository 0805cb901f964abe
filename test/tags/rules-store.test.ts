import { expect, test } from 'vitest';
import { protector } from '../../lib/identity/protect.ts';
import { type Brand, brand as brandShape } from '../../lib/platform/brand.ts';
import type { Rule } from '../../lib/platform/brand-words.ts';
import { ConflictError, RejectedError } from '../../lib/platform/errors.ts';
import type { HttpRequest } from '../../lib/platform/http.ts';
import { keys } from '../../lib/platform/keys.ts';
import type { Table } from '../../lib/platform/table.ts';
import { profileStore } from '../../lib/profile/store.ts';
import { apiKeyItem, authorize } from '../../lib/query/auth.ts';
import { mergeFileRules, nothingKept } from '../../lib/tags/file-rules.ts';
import { putRule } from '../../lib/tags/publish.ts';
import { askRecompute } from '../../lib/tags/recompute-ask.ts';
import { compileRules } from '../../lib/tags/rulebook.ts';
import { rulesApi } from '../../lib/tags/rules-api.ts';
import { ruleStore } from '../../lib/tags/rules-store.ts';
import { memoryTable } from '../platform/memory.ts';

const aBrand = (rules: readonly Rule[]): Brand =>
  brandShape.parse({
    name: 'demo',
    title: { zh: '演示', en: 'Demo' },
    timezone: 'Asia/Shanghai',
    locale: 'zh-CN',
    currency: 'CNY',
    channels: {},
    rules,
  });
const buyer: Rule = { tag: 'buyer', when: 'events("order_paid").any()' };
const tier: Rule = { tag: 'tier', values: { gold: 'rfm().m >= 4', silver: 'hasTag("buyer")' } };
const named = (rules: readonly { tag: string; version: number }[]) =>
  rules.map(({ tag, version }) => `${tag}@${version}`);

function world(rules: readonly Rule[] = [buyer, tier], table: Table = memoryTable()) {
  const brand = aBrand(rules);
  const sent: string[] = [];
  const recompute = { send: async (bodies: readonly string[]) => void sent.push(...bodies) };
  const now = () => Date.parse('2026-05-01T08:00:00.000Z');
  const reads = { profiles: profileStore(table), protector: async () => protector('a secret for tests') };
  return { brand, table, sent, rules: ruleStore(table, brand), recompute, now, authorize, ...reads };
}
/** What a minute of the schedule does about rules. */
const adoptRules = ({ rules, brand, recompute }: ReturnType<typeof world>) =>
  rules.adopt((inForce) => askRecompute(compileRules(inForce, brand).digest, recompute));
const li = { name: 'Li', record: async () => {} };
const said = (reply: { status: number; body?: string }) => ({
  status: reply.status,
  ...JSON.parse(reply.body ?? '{}'),
});

test('before the first put the rules of the brand file are in force at version 1, and nothing is written', async () => {
  const { rules, table } = world();
  const current = await rules.current();
  expect([current.version, named(current.rules)]).toEqual([0, ['buyer@1', 'tier@1']]);
  expect(await table.get(keys.rules())).toBeUndefined();
});

test('a put rule is the next version, the old one stays in history, and the order of values is kept', async () => {
  const { rules } = world();
  await rules.put(
    { tag: 'tier', values: { silver: 'rfm().m >= 3', gold: 'rfm().m >= 4' } },
    '2026-05-01T00:00:00.000Z',
    'Li',
  );
  const current = await rules.current();
  expect([current.version, named(current.rules)]).toEqual([1, ['buyer@1', 'tier@2']]);
  const found = await rules.get('tier');
  expect(Object.keys(found?.rule.values ?? {})).toEqual(['silver', 'gold']);
  expect(found?.versions.map((it) => [it.rule.version, it.by])).toEqual([
    [2, 'Li'],
    [1, undefined],
  ]);
});

test('putting what is in force changes nothing', async () => {
  const { rules } = world();
  await rules.put(buyer, '2026-05-01T00:00:00.000Z', 'Li');
  expect(named((await rules.current()).rules)).toEqual(['buyer@1', 'tier@1']);
});

test('a rule that breaks another is refused, and nothing is written', async () => {
  const { rules, table } = world();
  const circle = { tag: 'buyer', when: 'hasTag("tier")' };
  await expect(rules.put(circle, '2026-05-01T00:00:00.000Z', 'Li')).rejects.toThrow('in a circle');
  expect(await table.get(keys.rules())).toBeUndefined();
});

test('two who put at the same time both succeed, one after the other', async () => {
  const { rules } = world();
  const at = '2026-05-01T00:00:00.000Z';
  await Promise.all(['a', 'b', 'c', 'd'].map((tag) => rules.put({ tag, when: 'true' }, at, tag)));
  await Promise.all([1, 2, 3].map((n) => rules.put({ tag: 'a', when: `${n} > 0` }, at, `${n}`)));
  const { version, rules: inForce } = await rules.current();
  expect([version, named(inForce).sort()]).toEqual([7, ['a@4', 'b@1', 'buyer@1', 'c@1', 'd@1', 'tier@1']]);
  expect((await rules.get('a'))?.versions.map((it) => it.rule.version)).toEqual([4, 3, 2, 1]);
});

test('a crash between the row and its history loses no version', async () => {
  const table = memoryTable();
  const at = '2026-05-01T00:00:00.000Z';
  const crashing: Table = {
    ...table,
    put: async (item, guard) => {
      if (item.pk === keys.rule('buyer', 2).pk && item.sk === keys.rule('buyer', 2).sk)
        throw new Error('crash');
      await table.put(item, guard);
    },
  };
  await expect(world(undefined, crashing).rules.put({ ...buyer, when: 'true' }, at, 'Li')).rejects.toThrow(
    'crash',
  );
  const { rules } = world(undefined, table);
  await rules.put({ ...buyer, when: 'false' }, at, 'Wang');
  expect((await rules.get('buyer'))?.versions.map((it) => [it.rule.version, it.rule.when, it.by])).toEqual([
    [3, 'false', 'Wang'],
    [2, 'true', 'Li'],
    [1, buyer.when, undefined],
  ]);
});

test('who never gets through gives up with a conflict', async () => {
  const table = memoryTable();
  const contested: Table = {
    ...table,
    put: (item, guard) => (guard ? Promise.reject(new ConflictError('lost')) : table.put(item)),
  };
  await expect(world(undefined, contested).rules.put({ ...buyer, when: 'true' }, '', '')).rejects.toThrow(
    ConflictError,
  );
});

test('what changed in the file is a new version, what was put stands until the file says otherwise', async () => {
  const table = memoryTable();
  const at = '2026-05-01T00:00:00.000Z';
  await world([buyer, tier], table).rules.put({ ...buyer, when: 'true' }, at, 'Li');
  await world([buyer, tier], table).rules.put({ tag: 'own', when: 'true' }, at, 'Li');

  const tierChanged = { ...tier, values: { gold: 'rfm().m >= 5' } };
  expect(named((await world([buyer, tierChanged], table).rules.current()).rules)).toEqual([
    'buyer@2',
    'tier@2',
    'own@1',
  ]);
  const buyerChanged = { ...buyer, when: 'events("order_paid").count() > 0' };
  const merged = await world([buyerChanged, tier], table).rules.current();
  expect(named(merged.rules)).toEqual(['buyer@3', 'tier@1', 'own@1']);
  expect(merged.rules[0]?.when).toBe(buyerChanged.when);
});

test('a rule that was taken out of the file and comes back goes on counting its versions', () => {
  const first = mergeFileRules(nothingKept, [buyer, tier]);
  const without = mergeFileRules({ ...first, version: 1 }, [tier]);
  expect([named(without.rules.map((it) => it.rule)), without.retired]).toEqual([['tier@1'], { buyer: 1 }]);
  const again = mergeFileRules({ ...without, version: 2 }, [tier, buyer]);
  expect([named(again.rules.map((it) => it.rule)), again.retired]).toEqual([['tier@1', 'buyer@2'], {}]);
});

test('a deployment is adopted once: announced first, its versions fixed, the old ones in history', async () => {
  const table = memoryTable();
  const before = world([buyer, tier], table);
  expect(await adoptRules(before)).toBe(true);
  expect(await adoptRules(before)).toBe(false);

  const after = world([{ ...buyer, when: 'true' }, tier], table);
  await expect(after.rules.adopt(() => Promise.reject(new Error('crash')))).rejects.toThrow('crash');
  expect(await adoptRules(after)).toBe(true);
  const { digest } = compileRules((await after.rules.current()).rules, after.brand);
  expect(after.sent.map((body) => JSON.parse(body))).toEqual(
    [0, 1, 2, 3].map((segment) => ({ book: digest, segment, of: 4 })),
  );
  const third = world([{ ...buyer, when: 'false' }, tier], table);
  await adoptRules(third);
  expect((await third.rules.get('buyer'))?.versions.map((it) => [it.rule.version, it.rule.when])).toEqual([
    [3, 'false'],
    [2, 'true'],
    [1, buyer.when],
  ]);
});

test('what else rules answer by is adopted as a rule is: where the file has other cuts everybody is told anew, once', async () => {
  const table = memoryTable();
  await adoptRules(world([buyer], table));
  const { brand, recompute, sent } = world([buyer], table);
  const other = { ...brand, rfm: { ...brand.rfm, windowDays: 90 } };
  const after = ruleStore(table, other);
  const adopt = () => after.adopt((inForce) => askRecompute(compileRules(inForce, other).digest, recompute));
  await expect(after.adopt(() => Promise.reject(new Error('crash')))).rejects.toThrow('crash');
  await after.put(tier, '2026-05-01T08:00:00.000Z', 'Li');
  expect([await adopt(), await adopt()]).toEqual([true, false]);
  expect(sent).toHaveLength(4);
  expect(named((await after.current()).rules)).toEqual(['buyer@1', 'tier@1']);
});

test('a rule can be put as JSON, as a JSON text and as bare text, and everybody is evaluated anew', async () => {
  const deps = world();
  for (const body of [
    '{"when":"true","name":{"zh":"买家","en":"Buyer"}}',
    '"1 > 0"',
    'true',
    ' events("order_paid")\n  .count() > 1 ',
  ])
    expect(said(await putRule('buyer', body, li, deps)).status).toBe(200);
  const found = await deps.rules.get('buyer');
  expect(found?.versions.map((it) => it.rule.when)).toEqual([
    'events("order_paid")\n  .count() > 1',
    'true',
    '1 > 0',
    'true',
    buyer.when,
  ]);
  const { digest } = compileRules((await deps.rules.current()).rules, deps.brand);
  expect(deps.sent.slice(-4).map((body) => JSON.parse(body))).toEqual(
    [0, 1, 2, 3].map((segment) => ({ book: digest, segment, of: 4, backfill: expect.any(String) })),
  );
});

test('a wrong rule is answered with where it is wrong, and nobody is evaluated', async () => {
  const deps = world();
  expect(said(await putRule('buyer', 'events("order_paid").cnt() > 1', li, deps))).toEqual({
    status: 422,
    error: {
      reason: 'bad_rule',
      message: "found no matching overload for 'Events.cnt()'",
      type: 'type',
      line: 1,
      column: 1,
      caret: 'events("order_paid").cnt() > 1\n^',
    },
  });
  expect(said(await putRule('buyer', '{"when":"true","values":{"a":"true"}}', li, deps)).error.type).toBe(
    'shape',
  );
  expect(said(await putRule('Not A Tag', 'true', li, deps)).error.message).toContain('snake_case');
  expect(said(await putRule('buyer', '{"values":{"gold":"true"}}', li, deps)).status).toBe(200);
  expect(
    said(await putRule('x', 'tagValue("tier") == "gold" && hasTag("y")', li, deps)).error.caret,
  ).toContain('hasTag("y")\n');
  expect(deps.sent).toHaveLength(4);
});

test('reading takes any key, changing takes an admin', async () => {
  const deps = world();
  await deps.table.put(apiKeyItem('operator-key', { role: 'operator', name: 'Wang' }));
  await deps.table.put(apiKeyItem('admin-key', { role: 'admin', name: 'Li' }));
  const ask = (method: string, key: string, tag?: string, body = ''): HttpRequest => ({
    method,
    path: tag === undefined ? '/rules' : `/rules/${tag}`,
    params: tag === undefined ? {} : { tag },
    query: {},
    rawQuery: '',
    headers: { authorization: `Bearer ${key}` },
    body: Buffer.from(body),
  });
  expect(said(await rulesApi(ask('GET', 'operator-key'), deps)).rules).toHaveLength(2);
  await expect(rulesApi(ask('PUT', 'operator-key', 'buyer', 'true'), deps)).rejects.toMatchObject({
    status: 403,
  });
  await expect(rulesApi(ask('GET', 'nobody'), deps)).rejects.toMatchObject({ status: 401 });
  await expect(rulesApi(ask('GET', 'admin-key', 'nope'), deps)).rejects.toThrow(RejectedError);
  expect(said(await rulesApi(ask('PUT', 'admin-key', 'buyer', 'true'), deps))).toEqual({
    status: 200,
    rule: { tag: 'buyer', when: 'true', version: 2 },
    backfill: expect.stringMatching(/^\/backfill\/[\w-]{16}$/),
  });
  expect(said(await rulesApi(ask('GET', 'operator-key', 'buyer'), deps)).versions).toEqual([
    { version: 2, tag: 'buyer', when: 'true', at: '2026-05-01T08:00:00.000Z', by: 'Li' },
    { version: 1, tag: 'buyer', when: buyer.when },
  ]);
});
