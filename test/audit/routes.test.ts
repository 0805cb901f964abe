// Scope: what is read stands in the log before it is answered, and the log can be asked.
import { beforeAll, describe, expect, test } from 'vitest';
import { subjectOf } from '../../lib/audit/append.ts';
import { AUDIT } from '../../lib/platform/keys.ts';
import { anOrder, aVisit } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aCaller } from '../query/a-caller.ts';

const PROFILE = '/profiles/member_id/m1';

async function aShop() {
  const world = aWorld();
  for (const i of [1, 2, 3]) {
    const ids = [`member_id:m${i}`, `phone:+8613800138${i}00`];
    await world.take(aVisit(0, { ids }), anOrder(1, `o${i}`, 100, { ids }));
  }
  return { world, ...(await aCaller(world)) };
}

describe('every read of somebody', () => {
  let shop: Awaited<ReturnType<typeof aShop>>;
  beforeAll(async () => {
    shop = await aShop();
  });

  test.each([
    [PROFILE, 1],
    [`${PROFILE}/events`, 1],
    [`${PROFILE}/tags/buyer/explain`, 1],
    ['/tags/buyer/profiles', 3],
    ['/tags', 0],
    ['/channels', 0],
    ['/healthz', 0],
  ])('%s is logged with %i profiles', async (path, profiles) => {
    const before = (await shop.ask('/audit', { as: 'privacy' })).entries.length;
    await shop.ask(path, { as: path === '/healthz' ? null : 'operator', reason: 'ticket 7' });
    const entries = (await shop.ask('/audit', { as: 'privacy' })).entries.slice(before);
    expect(entries).toHaveLength(profiles > 0 ? 1 : 0);
    if (profiles === 0) return;
    expect(entries[0]).toMatchObject({ what: 'read', who: 'operator', role: 'operator', reason: 'ticket 7' });
    expect(entries[0].on).toMatch(/^GET \/(profiles\/\{kind\}|tags\/\{tag\})/);
    expect(new Set(entries[0].subjects).size).toBe(profiles);
  });

  test('is in no entry by value: no name, no phone, no id of the profile', async () => {
    const { id } = await shop.ask(PROFILE, { as: 'privacy' });
    const log = JSON.stringify(shop.world.rows.rows().filter(({ pk }) => pk.startsWith(AUDIT)));
    for (const value of [id, '"m1"', 'member_id', '138001381']) expect(log).not.toContain(value);
    expect(log).toContain(subjectOf(id, shop.world.protector));
  });

  test('that nobody was found by is none', async () => {
    const before = (await shop.ask('/audit', { as: 'privacy' })).entries.length;
    await shop.askInVain('/profiles/member_id/nobody');
    expect((await shop.ask('/audit', { as: 'privacy' })).entries).toHaveLength(before);
  });

  test('is not answered when the log cannot be written', async () => {
    const table = {
      ...shop.world.rows,
      put: async () => Promise.reject(new Error('throttled')),
    };
    const { send } = await aCaller(shop.world, { table });
    const reply = await send(PROFILE, { as: 'admin' });
    expect(reply.status).toBe(500);
    expect(JSON.stringify(reply.body)).not.toContain('m1');
    expect((await send('/tags', { as: 'admin' })).status).toBe(200);
  });
});

describe('the log', () => {
  test('is asked by who, what, whom and day, in pages, by privacy alone', async () => {
    const { ask, askInVain } = await aShop();
    const { id } = await ask(PROFILE, { as: 'admin' });
    for (const i of [2, 3, 2]) await ask(`/profiles/member_id/m${i}`);
    const entries = async (query: string) => (await ask(`/audit${query}`, { as: 'privacy' })).entries;
    expect(await entries('')).toHaveLength(4);
    expect(await entries('?who=operator')).toHaveLength(3);
    expect(await entries(`?profile=${id}`)).toHaveLength(1);
    expect(await entries('?what=export_asked')).toEqual([]);
    expect(await entries('?from=2026-01-01&to=2026-01-02')).toEqual([]);
    const pages: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined && pages.length < 9; ) {
      const page: { entries: { lane: number; n: number }[]; next?: string } = await ask(
        `/audit?limit=1${cursor && `&cursor=${cursor}`}`,
        { as: 'privacy' },
      );
      pages.push(...page.entries.map(({ lane, n }) => `${lane}#${n}`));
      cursor = page.next;
    }
    expect(new Set(pages).size).toBe(4);
    for (const as of ['analyst', 'operator', 'admin'] as const)
      for (const path of ['/audit', '/audit/verify'])
        expect(await askInVain(path, { as })).toMatchObject({ status: 403 });
    expect(await askInVain('/audit?from=2026-02-01&to=2026-01-01', { as: 'privacy' })).toMatchObject({
      reason: 'bad_range',
    });
  });

  test('says that it is whole, and names what is not', async () => {
    const { ask, world } = await aShop();
    for (const i of [1, 1, 1]) await ask(`/profiles/member_id/m${i}`);
    expect(await ask('/audit/verify', { as: 'privacy' })).toMatchObject({
      whole: true,
      entries: 3,
      found: [],
    });
    const [first] = world.rows.rows().filter(({ pk }) => pk.startsWith(AUDIT));
    await world.rows.put({ ...first!, e: String(first?.e).replace('operator', 'somebody') });
    const { whole, found } = await ask('/audit/verify', { as: 'privacy' });
    expect(whole).toBe(false);
    expect(found).toEqual([{ entry: expect.stringMatching(/^2026-\d\d-\d\d\/\d:1$/), wrong: 'changed' }]);
  });
});
