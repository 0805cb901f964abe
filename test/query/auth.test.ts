// Scope: whose key opens what.
import { expect, test } from 'vitest';
import { whoMay } from '../../lib/privacy/roles.ts';
import { apiKeyItem, authorize, keyDigest } from '../../lib/query/auth.ts';
import { memoryTable } from '../platform/memory.ts';
import { aVisit } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aCaller, allRoutes } from './a-caller.ts';

const KEY = 'a-key-that-nobody-guesses';

async function aTable(more: object = {}) {
  const table = memoryTable();
  await table.put({ ...apiKeyItem(KEY, { role: 'operator', name: 'shop-dashboard' }), ...more });
  return table;
}

test('a key opens, however the header is written, and says whose it is', async () => {
  const table = await aTable();
  for (const authorization of [`Bearer ${KEY}`, `bearer ${KEY}`, `BEARER  ${KEY}`])
    expect(await authorize({ authorization }, table)).toEqual({
      ...{ role: 'operator', name: 'shop-dashboard' },
      key: keyDigest(KEY).slice(0, 12),
    });
});

test.each([
  ['no header', {}],
  ['an empty one', { authorization: '' }],
  ['the key alone', { authorization: KEY }],
  ['Basic', { authorization: `Basic ${Buffer.from(`${KEY}:`).toString('base64')}` }],
  ['another key', { authorization: `Bearer ${KEY}x` }],
  ['its digest', { authorization: `Bearer ${keyDigest(KEY)}` }],
  ['two keys', { authorization: `Bearer ${KEY} ${KEY}` }],
])('%s opens nothing', async (_what, headers) => {
  await expect(authorize(headers, await aTable())).rejects.toMatchObject({
    status: 401,
    reason: 'unauthorized',
  });
});

test('a revoked key opens nothing any more', async () => {
  const headers = { authorization: `Bearer ${KEY}` };
  await expect(authorize(headers, await aTable({ revoked: true }))).rejects.toMatchObject({ status: 401 });
  await expect(authorize(headers, await aTable({ revoked: false }))).resolves.toBeTruthy();
});

test('a key of a role that nobody knows opens nothing', async () => {
  await expect(
    authorize({ authorization: `Bearer ${KEY}` }, await aTable({ role: 'owner' })),
  ).rejects.toMatchObject({ status: 401 });
});

test('who may see no single person is refused where nobody says otherwise', async () => {
  const table = await aTable({ role: 'analyst' });
  const headers = { authorization: `Bearer ${KEY}` };
  await expect(authorize(headers, table)).rejects.toMatchObject({ status: 403 });
  expect(await authorize(headers, table, whoMay('groups'))).toMatchObject({ role: 'analyst' });
});

test('a reason comes by header or query, in percent-encoding or as it is; the header counts', async () => {
  const table = await aTable();
  const authorization = `Bearer ${KEY}`;
  const why = async (header?: string, query?: string) =>
    (
      await authorize(
        { authorization, ...(header !== undefined && { 'x-reason': header }) },
        table,
        undefined,
        query,
      )
    ).reason;
  expect(await why()).toBeUndefined();
  expect(await why('ticket 4711')).toBe('ticket 4711');
  expect(await why(undefined, 'ticket 4712')).toBe('ticket 4712');
  expect(await why('ticket 1', 'ticket 2')).toBe('ticket 1');
  expect(await why(encodeURIComponent('客户投诉 12'))).toBe('客户投诉 12');
  expect(await why('100% sure')).toBe('100% sure');
});

test.each([
  '',
  '   ',
  'hm',
  'x'.repeat(201),
  'asked by lin@example.com',
  'caller +86 138 0013 8000',
  '13800138000',
])('%j is no reason', async (reason) => {
  const asking = authorize({ authorization: `Bearer ${KEY}`, 'x-reason': reason }, await aTable());
  await expect(asking).rejects.toMatchObject({ status: 400, reason: 'bad_reason' });
});

test('what takes an admin is refused to others by the name of the role, and never by the key', async () => {
  const refused = authorize({ authorization: `Bearer ${KEY}` }, await aTable(), ['admin', 'privacy']);
  await expect(refused).rejects.toMatchObject({
    status: 403,
    message: 'this takes a key of role admin or privacy; yours is operator',
  });
});

test('the key itself stands nowhere in the table', async () => {
  expect((await aTable()).snapshot()).not.toContain(KEY);
});

test('without a key every route is closed but health and the description', async () => {
  const world = aWorld();
  await world.take(aVisit(0));
  const { send } = await aCaller(world);
  const params = { kind: 'member_id', value: 'm1', tag: 'buyer', id: 'a.b' };
  const open: string[] = [];
  for (const { method, path, body } of allRoutes) {
    const target = path.replace(/\{(\w+)\}/g, (_, name: keyof typeof params) => params[name]);
    const { status } = await send(target, { as: null, method, ...(body && { body: {} }) });
    if (status !== 401) open.push(`${path} ${status}`);
  }
  expect(open).toEqual(['/healthz 200', '/openapi.json 200']);
});

test('health says which brand answers, whatever is added to the address', async () => {
  const { ask } = await aCaller(aWorld());
  expect(await ask('/healthz?from=balancer', { as: null })).toEqual({ status: 'ok', brand: 'demo' });
});
