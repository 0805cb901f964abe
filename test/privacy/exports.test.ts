// Scope: a bulk export takes two people, and says so in the log.
import { expect, test } from 'vitest';
import { DAY, toIso } from '../../lib/platform/clock.ts';
import { approve, type BulkExport, mayRead } from '../../lib/privacy/export.ts';
import { apiKeyItem } from '../../lib/query/auth.ts';
import { anOrder } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aCaller } from '../query/a-caller.ts';

const PEOPLE = 30;

async function aShop() {
  const world = aWorld();
  for (let i = 0; i < PEOPLE; i++)
    await world.take(
      anOrder(1, `o${i}`, 100, { ids: [`member_id:member-${i}`, `phone:+86138001380${10 + i}`] }),
    );
  const caller = await aCaller(world);
  const post = (path: string, as: 'operator' | 'admin' | 'privacy', body: unknown = {}) =>
    caller.send(path, { as, method: 'POST', body, reason: null });
  const asked = async (as: 'admin' | 'privacy' = 'admin') =>
    (await post('/exports', as, { tag: 'buyer', reason: 'audit 2026-11' })).body.id as string;
  const page = (id: string, as: 'admin' | 'privacy', query = '') =>
    caller.send(`/exports/${id}/profiles${query}`, { as, reason: null });
  return { world, ...caller, post, asked, page };
}

const linesOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

test('an export is asked for by one, approved by another, read in pages by the first: everybody once, masked', async () => {
  const { asked, post, page, ask } = await aShop();
  const id = await asked();
  expect((await page(id, 'admin')).body.error.reason).toBe('not_approved');
  expect(await post(`/exports/${id}/approve`, 'privacy')).toMatchObject({
    status: 200,
    body: { askedBy: 'admin', approvedBy: 'privacy', reason: 'audit 2026-11' },
  });
  const found: { id: string; identifiers: { value: string }[]; tags: object }[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined && found.length < 99; ) {
    const reply = await page(id, 'admin', `?limit=7${cursor && `&cursor=${cursor}`}`);
    expect(reply.headers['content-type']).toContain('application/x-ndjson');
    found.push(...linesOf(reply.body));
    const next = reply.headers['x-next-cursor'];
    cursor = next === undefined ? undefined : String(next);
  }
  expect(new Set(found.map((it) => it.id)).size).toBe(PEOPLE);
  expect(found.every(({ tags }) => 'buyer' in tags)).toBe(true);
  for (const { value } of found.flatMap(({ identifiers }) => identifiers)) expect(value).toContain('***');
  const { entries } = await ask('/audit', { as: 'privacy' });
  const whats: string[] = entries.map(({ what }: { what: string }) => what);
  expect(new Set(whats)).toEqual(new Set(['export_asked', 'export_approved', 'export_read']));
  const seen = entries.flatMap(({ subjects = [] }: { subjects?: string[] }) => subjects);
  expect(new Set(seen).size).toBe(PEOPLE);
});

test('asked for by privacy it holds identifiers in clear, for the reason that was approved', async () => {
  const { asked, post, page } = await aShop();
  const id = await asked('privacy');
  await post(`/exports/${id}/approve`, 'admin');
  const values = linesOf((await page(id, 'privacy', '?limit=1')).body)[0].identifiers.map(
    ({ value }: { value: string }) => value,
  );
  expect(values[0]).toMatch(/^member-\d+$/);
  expect(values[1]).toMatch(/^\+86138001380\d\d$/);
});

test('nobody approves their own: not by the same key, nor by another of the same name', async () => {
  const { asked, post, page, world, send } = await aShop();
  const id = await asked();
  expect(await post(`/exports/${id}/approve`, 'admin')).toMatchObject({ status: 403 });
  const second = 'another-key-of-the-same-person';
  await world.rows.put(apiKeyItem(second, { role: 'privacy', name: ' ADMIN ' }));
  const again = await send(`/exports/${id}/approve`, {
    as: null,
    method: 'POST',
    headers: { Authorization: `Bearer ${second}` },
  });
  expect(again).toMatchObject({ status: 403, body: { error: { reason: 'own_export' } } });
  expect((await page(id, 'admin')).status).toBe(409);
});

test('who approved does not read it, operators and analysts do neither, and without a reason nobody asks', async () => {
  const { asked, post, page, askInVain } = await aShop();
  const id = await asked();
  expect((await post('/exports', 'operator', { tag: 'buyer', reason: 'audit' })).status).toBe(403);
  expect((await post(`/exports/${id}/approve`, 'operator')).status).toBe(403);
  await post(`/exports/${id}/approve`, 'privacy');
  expect((await page(id, 'privacy')).body.error.reason).toBe('not_yours');
  expect((await post('/exports', 'admin', { tag: 'buyer' })).body).toMatchObject({
    error: { reason: 'no_reason' },
  });
  expect((await post('/exports', 'admin', { tag: 'nope', reason: 'audit' })).status).toBe(404);
  expect(await askInVain('/exports/AAAA', { as: 'admin' })).toMatchObject({ status: 404 });
});

const base: BulkExport = {
  ...{ id: 'e', tag: 'buyer', reason: 'audit' },
  asked: { name: 'Li', key: 'k1', at: '2026-11-11T00:00:00.000Z' },
};
const at = Date.parse(base.asked.at);

test('it waits a day for its approval and is read for a day', () => {
  const wang = { name: 'Wang', key: 'k2' };
  expect(() => approve(base, wang, at + DAY)).toThrow('more than a day');
  const approved = approve(base, wang, at + DAY - 1);
  expect(approved.approved).toEqual({ ...wang, at: toIso(at + DAY - 1) });
  expect(approve(approved, { name: 'Zhao', key: 'k3' }, at + DAY)).toBe(approved);
  const li = { name: 'Li', key: 'k1' };
  expect(() => mayRead(approved, li, at + 2 * DAY - 2)).not.toThrow();
  expect(() => mayRead(approved, li, at + 2 * DAY - 1)).toThrow('more than a day');
  expect(() => mayRead(approved, { name: 'Li', key: 'k9' }, at + DAY)).toThrow('only the key');
});

test('a reason that was typed into an export is held to the same as any other', async () => {
  const { post } = await aShop();
  const reply = await post('/exports', 'admin', { tag: 'buyer', reason: 'for lin@example.com' });
  expect(reply).toMatchObject({ status: 400, body: { error: { reason: 'bad_reason' } } });
});
