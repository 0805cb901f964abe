// Scope: the tags of a brand, who holds them, and why.
import { expect, test } from 'vitest';
import { aBrand, active, anOrder, aVisit, buyer, day, stage } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aCaller } from './a-caller.ts';

async function aShop() {
  const world = aWorld({
    brand: aBrand({ rules: [stage, { ...buyer, name: { zh: '买家', en: 'Buyer' } }] }),
  });
  for (let i = 0; i < 30; i++) {
    const ids = [`member_id:m${i}`, `phone:+86138001380${10 + i}`];
    await world.take(...Array.from({ length: i % 4 }, (_, n) => anOrder(n, `o-${i}-${n}`, 1, { ids })));
    await world.take(aVisit(10, { ids }));
  }
  return { world, ...(await aCaller(world)) };
}

test('all tags are listed with their names, versions and how many hold each value', async () => {
  const { ask } = await aShop();
  expect(await ask('/tags')).toEqual({
    tags: [
      { tag: 'buyer', name: { zh: '买家', en: 'Buyer' }, version: 1, profiles: 22 },
      { tag: 'stage', version: 1, profiles: 22, values: { fresh: 15, loyal: 7 } },
    ],
  });
});

test.each([1, 7, 200])('pages of %i members are all members, each once', async (limit) => {
  const { ask, world } = await aShop();
  const found: string[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const page: { profiles: { profile: string }[]; next?: string } = await ask(
      `/tags/buyer/profiles?limit=${limit}${cursor && `&cursor=${cursor}`}`,
    );
    expect(page.profiles.length).toBeLessThanOrEqual(limit);
    found.push(...page.profiles.map(({ profile }) => profile));
    if (found.length > 200) throw new Error('the pages do not end');
    cursor = page.next;
  }
  expect([...found].sort()).toEqual(world.members('buyer').sort());
});

test('members of one value, with since when, by which version, and identifiers as the role may see them', async () => {
  const { ask } = await aShop();
  const loyal = await ask('/tags/stage/profiles?value=loyal&limit=3', { as: 'admin' });
  expect(loyal.profiles).toHaveLength(3);
  for (const { value, since, version, identifiers } of loyal.profiles) {
    expect([value, since, version]).toEqual(['loyal', day(2), 1]);
    expect(identifiers[0].value).toMatch(/^m\d+$/);
    expect(identifiers[1].value).toMatch(/^\+8613\*{4}80\d\d$/);
  }
  expect((await ask('/tags/stage/profiles?value=nobody')).profiles).toEqual([]);
  const [first] = (await ask('/tags/stage/profiles?limit=1')).profiles;
  expect(first.identifiers[0].value).toMatch(/^m\*\*\*$/);
});

test('who lost a tag is not among its members, nor counted', async () => {
  const world = aWorld({ brand: aBrand({ rules: [active] }) });
  const { ask } = await aCaller(world);
  world.setClock(day(0));
  await world.take(aVisit(0));
  expect((await ask('/tags')).tags[0].profiles).toBe(1);
  world.setClock(day(8));
  await world.tick();
  expect((await ask('/tags')).tags[0].profiles).toBe(0);
  expect(await ask('/tags/active/profiles')).toEqual({ profiles: [] });
});

test('a tag without a rule and a cursor of another list are refused', async () => {
  const { askInVain } = await aShop();
  expect(await askInVain('/tags/vip/profiles')).toMatchObject({ status: 404, reason: 'not_found' });
  for (const place of [[99], ['2026-05-01T00:00:00.000Z', 'event'], [-1], [0, ''], {}]) {
    const cursor = Buffer.from(JSON.stringify(place)).toString('base64url');
    expect(await askInVain(`/tags/buyer/profiles?cursor=${cursor}`)).toMatchObject({ reason: 'bad_cursor' });
  }
});

test('a tag explains itself: its rule, the value of each part, the events behind it and when it ends', async () => {
  const world = aWorld();
  world.setClock(day(4));
  await world.take(
    aVisit(0, { id: 'long-ago' }),
    aVisit(1, { id: 'first' }),
    aVisit(2, { id: 'second' }),
    anOrder(2, 'o1', 5_000, { id: 'bought' }),
  );
  world.setClock('2026-05-07T16:00:00.000Z'); // the first of May is out of the window now
  const { ask } = await aCaller(world);
  const why = await ask('/profiles/member_id/m1/tags/active/explain');
  expect(why).toEqual({
    tag: 'active',
    version: 1,
    rule: active.when,
    value: true,
    leaves: [
      {
        text: 'events("page_viewed").within("7d").any()',
        feature: 'page_viewed',
        window: { from: '2026-05-01T16:00:00.000Z', to: '2026-05-08T16:00:00.000Z' },
        value: true,
      },
    ],
    at: '2026-05-07T16:00:00.000Z',
    since: day(0),
    nextChangeAt: '2026-05-09T16:00:00.000Z',
    events: ['first', 'second'].map((id, i) => ({
      id: id.padEnd(16, '_'),
      type: 'page_viewed',
      occurredAt: day(i + 1),
      source: { channel: 'generic', account: 'shop' },
      properties: {},
    })),
  });
  const stageOf = await ask('/profiles/member_id/m1/tags/stage/explain');
  expect(stageOf).toMatchObject({ value: 'fresh', matched: 'fresh', since: day(2) });
  expect(stageOf).not.toHaveProperty('nextChangeAt');
});

test('a tag that is not held explains itself too', async () => {
  const world = aWorld();
  await world.take(aVisit(0));
  const { ask } = await aCaller(world);
  const why = await ask('/profiles/member_id/m1/tags/buyer/explain');
  expect(why).toMatchObject({ value: false, since: null, events: [], leaves: [{ value: false }] });
});

test('rules that came into force a moment ago are answered with, before anybody wrote anything', async () => {
  const world = aWorld();
  await world.take(aVisit(0), anOrder(1, 'o1', 1));
  await world.putRule({ tag: 'visitor', when: 'events("page_viewed").any()' });
  world.setClock(new Date(world.clock() + 10_000).toISOString());
  const { ask } = await aCaller(world);
  const before = world.told();
  const { tags } = await ask('/profiles/member_id/m1');
  expect(tags.visitor).toEqual({ value: true, since: day(0), version: 1 });
  expect(world.told()).toBe(before);
});
