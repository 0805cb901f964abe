// Scope: what a draft would change, before it is published: exactly what publishing then does.
import { describe, expect, test, vi } from 'vitest';
import { DAY, dayName, toIso } from '../../lib/platform/clock.ts';
import type { Table } from '../../lib/platform/table.ts';
import { askRecompute } from '../../lib/tags/recompute-ask.ts';
import { aBrand, active, anOrder, aVisit, buyer, day, dice, START, stage } from '../profile/a-profile.ts';
import { aWorld, type World } from '../profile/a-world.ts';
import { aSurveyor } from './a-survey.ts';
import { onRecompute } from './on-parts.ts';

const fan = { tag: 'fan', when: 'hasTag("active") && events("page_viewed").count() >= 3' };
const PEOPLE = 60;

/** People with visits and orders on some of twenty days; few have so many events that segments are sealed. */
async function aCrowd(k = 1, through?: (rows: Table) => Table) {
  const world = aWorld({
    brand: aBrand({ rules: [buyer, active, stage, fan], privacy: { k } }),
    ...(through && { through }),
  });
  world.setClock(day(20));
  const roll = dice(7);
  for (let i = 0; i < PEOPLE; i++) {
    const ids = [`member_id:m${i}`, `phone:+86138001380${10 + i}`];
    const events = Array.from({ length: i % 20 === 0 ? 60 : roll(6) }, (_, n) =>
      roll(3) === 0
        ? anOrder(roll(200) / 10, `o${i}-${n}`, 100 * roll(9), { ids })
        : aVisit(roll(200) / 10, { ids }),
    );
    await world.takeEach(...events);
  }
  await world.tick();
  return { world, ...(await aSurveyor(world)) };
}

/** Publishes as `PUT` does, and brings everybody to the new rules. */
async function publish(world: World, rule: Parameters<World['putRule']>[0]) {
  await world.putRule(rule);
  await askRecompute('book', world.recompute);
  world.setClock(toIso(world.clock() + 10_000));
  await world.recomputeAll();
}

const members = (world: World, ...tags: string[]) =>
  Object.fromEntries(tags.map((tag) => [tag, new Set(world.members(tag))]));
const without = (a: Set<string> | undefined, b: Set<string> | undefined) =>
  [...(a ?? [])].filter((it) => !b?.has(it));

const drafts: [string, string, object][] = [
  ['a window that is longer', 'active', { when: 'events("page_viewed").within("12d").any()' }],
  ['another condition altogether', 'active', { when: 'events("order_paid").sum("paid_amount") >= 500' }],
  ['a tag that is new', 'loyal', { when: 'hasTag("buyer") && events("page_viewed").days() >= 2' }],
  ['a rule that nobody fulfils', 'buyer', { when: 'events("checked_in").any()' }],
  ['nothing', 'active', { when: active.when }],
];

describe('publishing gives exactly the forecast', () => {
  test.each(drafts)('of %s', async (_what, tag, draft) => {
    const { world, forecast } = await aCrowd();
    const before = members(world, tag, 'fan', 'buyer');
    const { forecast: said, status } = await forecast(tag, draft);
    await publish(world, { tag, ...draft });
    const after = members(world, tag, 'fan', 'buyer');

    const shown = (count: number) => (count < 1 ? '<1' : count);
    expect(status).toBe('done');
    expect(said.before.members).toBe(shown(before[tag]?.size ?? 0));
    expect(said.after.members).toBe(shown(after[tag]?.size ?? 0));
    expect(said.enter).toBe(shown(without(after[tag], before[tag]).length));
    expect(said.leave).toBe(shown(without(before[tag], after[tag]).length));
    const fans = said.others.find((it: { tag: string }) => it.tag === 'fan');
    expect(fans?.enter ?? '<1').toBe(shown(without(after.fan, before.fan).length));
    expect(fans?.leave ?? '<1').toBe(shown(without(before.fan, after.fan).length));
    const overlap = Object.fromEntries(
      said.overlap.map((it: { tag: string; both: number }) => [it.tag, it.both]),
    );
    if (tag !== 'buyer' && (after[tag]?.size ?? 0) > 0)
      expect(overlap.buyer).toBe(shown([...(after.buyer ?? [])].filter((it) => after[tag]?.has(it)).length));
    for (const { profile, change } of said.sample)
      expect(
        change === 'enter' ? without(after[tag], before[tag]) : without(before[tag], after[tag]),
      ).toContain(profile);
  });

  test('of a tag with values, by value', async () => {
    const { world, forecast } = await aCrowd();
    const draft = {
      values: { loyal: 'events("order_paid").count() >= 2', fresh: 'events("order_paid").any()' },
    };
    const before = new Map(world.rowsOf('T#stage#').map(({ sk, value }) => [sk, value]));
    const { forecast: said } = await forecast('stage', draft);
    await publish(world, { tag: 'stage', ...draft });
    const after = world.rowsOf('T#stage#').map(({ sk, value }) => ({ sk, value }));
    expect(said.after.values).toEqual({
      fresh: after.filter(({ value }) => value === 'fresh').length,
      loyal: after.filter(({ value }) => value === 'loyal').length,
    });
    expect(said.change).toBe(
      after.filter(({ sk, value }) => before.has(sk) && before.get(sk) !== value).length,
    );
    expect(said.change).toBeGreaterThan(0);
  });
});

test('each day counts who would have held the tag as the day ended', async () => {
  const { world, forecast } = await aCrowd();
  const draft = 'events("page_viewed").within("3d").any()';
  const { forecast: said } = await forecast('active', draft, 6);
  await publish(world, { tag: 'active', when: draft });
  const today = Math.floor((START + 20 * DAY + 8 * 3_600_000) / DAY);
  const heldOn = async (daysAgo: number) => {
    const end = Date.parse(`${dayName(today - daysAgo)}T15:59:59.999Z`); // the end of the day in Shanghai
    const held = new Set<string>();
    for (let i = 0; i < PEOPLE; i++) {
      const cluster = await world.cluster(`member_id:m${i}`).catch(() => undefined);
      const visits = cluster
        ? (await world.profiles.events(cluster)).filter((it) => it.type === 'page_viewed')
        : [];
      const days = visits.map((it) => Date.parse(it.occurredAt)).filter((at) => at <= end);
      const midnight = end + 1 - 3 * DAY;
      if (cluster && days.some((at) => at >= midnight)) held.add(cluster.id);
    }
    return held;
  };
  const ends = await Promise.all([6, 5, 4, 3, 2, 1, 0].map(heldOn));
  const shown = (count: number) => count || '<1';
  expect(said.days).toEqual(
    ends.slice(1).map((held, i) => ({
      day: dayName(today - 5 + i),
      members: shown(held.size),
      entered: shown(without(held, ends[i]).length),
      left: shown(without(ends[i], held).length),
    })),
  );
});

test('a forecast changes no profile, no rule and no membership', async () => {
  const { world, forecast } = await aCrowd();
  const before = world.told();
  const digest = await world.digest();
  await forecast('active', 'events("page_viewed").within("12d").any()');
  expect(world.told()).toBe(before);
  expect(await world.digest()).toBe(digest);
});

test('one part or seven, delivered once or again: the same answer', async () => {
  const { world, post, work, ask, again } = await aCrowd();
  const { result, id } = await post('/rules/active/forecast', 'events("page_viewed").within("12d").any()');
  await work(2);
  const { forecast } = await ask(result);
  for (const of of [1, 7]) {
    const { forecast: other } = await ask(`/rules/active/forecast/${await again(id, of)}`);
    expect({ ...other, cost: undefined }).toEqual({ ...forecast, cost: undefined });
  }
  expect(forecast.profiles).toBe(world.rowsOf('P#').filter(({ sk }) => sk === '@').length);
});

/** Pages of few rows, as if each were large. */
const smallPages =
  (size: () => number) =>
  (rows: Table): Table => ({
    ...rows,
    async scan(part, of, after) {
      const { items } = await rows.scan(part, of, after);
      const page = items.slice(0, size());
      const last = page.at(-1);
      return { items: page, ...(last && page.length < items.length && { next: `${last.pk}\n${last.sk}` }) };
    },
  });

test('a part that was cut in other places when it came again is not counted twice', async () => {
  let size = 5;
  const { post, work, ask, again } = await aCrowd(
    1,
    smallPages(() => size),
  );
  const { result, id } = await post('/rules/active/forecast', 'events("page_viewed").within("12d").any()');
  await work();
  const { forecast } = await ask(result);
  size = 3;
  const twice = await again(id, 1);
  size = 4;
  await again(id, 1);
  const { forecast: other } = await ask(`/rules/active/forecast/${twice}`);
  expect({ ...other, cost: undefined }).toEqual({ ...forecast, cost: undefined });
});

test('until every part was looked at it says how far it is, and nothing else', async () => {
  const { world, post, ask } = await aCrowd();
  const { result } = await post('/rules/active/forecast', 'true');
  expect(await ask(result)).toMatchObject({ status: 'running', progress: { parts: 0, of: 4 } });
  const [first = ''] = world.recompute.bodies.slice(-4);
  await onRecompute([{ id: 'm', body: first }], world.worker);
  const half = await ask(result);
  expect(half).toMatchObject({ status: 'running', progress: { parts: 1, of: 4 } });
  expect(half.forecast).toBeUndefined();
});

test('when the rules change meanwhile the forecast is outdated, and says so', async () => {
  const { world, post, work, ask } = await aCrowd();
  const { result } = await post('/rules/active/forecast', 'true');
  await world.putRule({ tag: 'buyer', when: 'false' });
  world.setClock(toIso(world.clock() + 10_000));
  await work();
  const { status, forecast } = await ask(result);
  expect([status, forecast]).toEqual(['outdated', undefined]);
});

test('groups below k are not counted out, and nobody of them is named', async () => {
  const { forecast } = await aCrowd(10);
  const { forecast: said } = await forecast('active', 'events("order_paid").count() >= 10');
  expect([said.after.members, said.enter]).toEqual(['<10', '<10']);
  expect(said.before.members).toBeGreaterThanOrEqual(10);
  expect(said.sample.filter((it: { change: string }) => it.change === 'enter')).toEqual([]);
  const counts = JSON.stringify({ ...said, sample: [], cost: {} }).match(/(?<=:)\d+/g) ?? [];
  expect(counts.map(Number).filter((count) => count < 10)).toEqual([]);
});

test('a sample is at most ten, and masked even for those who may read', async () => {
  const { post, work, ask } = await aCrowd();
  const { result } = await post('/rules/all/forecast', 'true');
  await work();
  const { forecast } = await ask(result, { as: 'privacy' });
  expect(forecast.sample).toHaveLength(10);
  for (const { identifiers } of forecast.sample)
    for (const { value } of identifiers) expect(value).toContain('***');
});

test('it says what it cost: journals, events, and read units', async () => {
  const { forecast } = await aCrowd();
  const { cost } = (await forecast('active', 'true')).forecast;
  expect(cost.journals).toBeGreaterThan(0);
  expect(cost.events).toBeGreaterThan(180);
  expect(cost.readUnits).toBeGreaterThan(4);
});

test('a draft that is wrong is refused where it is wrong, and nothing is asked for', async () => {
  const { world, post } = await aCrowd();
  const sent = [...world.recompute.bodies];
  expect(await post('/rules/active/forecast', 'events("a").count() > "b"')).toMatchObject({
    status: 422,
    error: { type: 'type', line: 1 },
  });
  expect(await post('/rules/active/forecast', 'hasTag("fan")')).toMatchObject({
    status: 422,
    error: { type: 'cycle' },
  });
  expect(await post('/rules/active/forecast?days=31', 'true')).toMatchObject({
    status: 400,
    error: { message: 'days: give a whole number of brand-days from 1 to 30' },
  });
  expect(world.recompute.bodies).toEqual(sent);
});

test('a forecast of another tag, and one of yesterday, are not found', async () => {
  const { world, post, work, askInVain } = await aCrowd();
  const { id, result } = await post('/rules/active/forecast', 'true');
  expect(await askInVain(`/rules/buyer/forecast/${id}`)).toMatchObject({ status: 404 });
  world.setClock(toIso(world.clock() + DAY + 1_000));
  expect(await askInVain(result)).toMatchObject({ status: 404, reason: 'not_found' });
  vi.spyOn(console, 'error').mockImplementation(() => {});
  await work(); // messages that come a day late are not worked on, and do not come back
});
