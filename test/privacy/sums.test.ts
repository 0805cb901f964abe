// Scope: no sum of people that is stored counts whoever was erased: ended, told anew, or as if they had never come.
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { learnable } from '../../lib/attribution/population.ts';
import { HOUR, MINUTE } from '../../lib/platform/clock.ts';
import { decompress } from '../../lib/platform/compressed.ts';
import { SETTLING_MS } from '../../lib/privacy/request.ts';
import { dice } from '../profile/a-profile.ts';
import { aCountedShop, type CountedShop, NOON } from './a-counted-shop.ts';

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
});

const DRAFT = 'events("page_viewed").any() && events("order_paid").count() >= 1';
const LEARNED = ['markov', 'shapley', 'shapley_ordered', 'shapley_rate', 'learned', 'holdouts'] as const;
const parameters = (model: string) => (model === 'markov' ? { fewest: 0 } : {});

/** Asks for every kind of survey. @returns where the answers will be */
const surveyAll = async (shop: CountedShop) => [
  await shop.survey('/rules/buyer/forecast', { when: DRAFT }),
  await shop.survey('/tags/buyer/effect'),
  await shop.survey('/effect'),
  await shop.survey('/rfm', '', 'operator'),
];

const learn = async (shop: CountedShop, model: string): Promise<string> =>
  (await shop.model('POST', `/models/${model}`, parameters(model))).result;

const learnAll = async (shop: CountedShop, of: readonly string[] = LEARNED) => {
  for (const model of of) await learn(shop, model);
};

/** What surveys said, without what names them and what they cost. */
const answersOf = async (shop: CountedShop, places: readonly string[]) =>
  Promise.all(
    places.map(async (place) => {
      const { id: _, at: __, asOf: ___, forecast, ...said } = await shop.answer(place);
      return { ...said, ...(forecast && { forecast: { ...forecast, cost: undefined } }) };
    }),
  );

/** Keys of rows that hold what was counted: not those that say what was asked, that it is over, or where a back-fill goes on. */
const countedRows = ({ world }: CountedShop, of = '') =>
  world
    .rowsOf('N#')
    .filter(({ pk, sk }) => /^N#(survey|model)#/.test(pk) && pk.includes(of) && sk !== '@')
    .filter(({ b }) => !(b instanceof Uint8Array) || !isEmpty(decompress(b)))
    .map(({ pk, sk }) => [pk, sk]);
const isEmpty = (said: unknown) => z.object({ found: z.null() }).safeParse(said).success;

const TICK = 10 * MINUTE;
/** Ten past four by the shop's clock, on the next day. */
const NIGHT = new Date(Date.parse(NOON) + 16 * HOUR + TICK).toISOString();

describe.each([1, 2, 3, 4, 5, 6])('a shop of seed %i', (seed) => {
  /** All that the shop is asked for before, while and after somebody is erased, or at the same times without. */
  async function aLife(isErased: boolean) {
    const roll = dice(seed * 77);
    const shop = await aCountedShop({ seed, ...(!isErased && { without: ['m0'] }) });
    // Before: all of it is done.
    const backfill = await shop.put('late', 'events("order_paid").within("30d").any()');
    await shop.work();
    const before = await surveyAll(shop);
    await shop.survey('/rfm/quintiles');
    await learnAll(shop);
    await shop.work();
    for (const place of before) await shop.answer(place);
    await shop.groups();
    await shop.weeks();
    // While: some of it is done before, some after.
    shop.later(MINUTE);
    const during = await surveyAll(shop);
    const isCutAgain = roll(2) === 1;
    if (isCutAgain) await shop.survey('/rfm/quintiles');
    await learnAll(shop, ['markov', 'learned']);
    await shop.work(roll(26));
    if (isErased) await shop.erase('m0');
    await shop.work(roll(10));
    if (isErased) await shop.settle();
    else shop.later(SETTLING_MS + MINUTE);
    shop.later(TICK);
    await shop.tick();
    const soon = { counted: countedRows(shop), weeks: await shop.weeks() };
    await shop.work();
    shop.later(SETTLING_MS + 2 * MINUTE);
    await shop.tick();
    // The next night, and the hour after.
    shop.at(NIGHT);
    await shop.world.tick();
    await shop.tick();
    await shop.work();
    shop.later(HOUR);
    const { open } = await shop.tick();
    const after = await surveyAll(shop);
    await shop.work();
    return { shop, before, during, backfill, soon, open, after: await answersOf(shop, after) };
  }

  test('holds in the end what it would hold if they had never come', async () => {
    const [erased, never] = [await aLife(true), await aLife(false)];
    expect(erased.open).toBe(0);
    expect(erased.soon.counted).toEqual([]);
    for (const place of [...erased.before, ...erased.during])
      expect(await erased.shop.inVain(place)).toEqual({ status: 410, reason: 'ended' });
    expect((await erased.shop.answer(erased.backfill)).profiles).toBeUndefined();
    expect((await never.shop.answer(never.backfill)).profiles).toBeDefined();

    expect(await erased.shop.holding()).toEqual(await never.shop.holding());
    expect(erased.after).toEqual(never.after);
    expect(await erased.shop.weeks()).toEqual(await never.shop.weeks());

    const { world, deps } = erased.shop;
    expect(world.rowsOf('S#quintiles')).toHaveLength(2);
    for (const model of learnable.options) {
      const [newest, ...former] = await deps.population.versions(model, 100);
      expect([model, newest?.result ?? newest?.refused]).not.toEqual([model, undefined]);
      for (const it of former)
        expect([it.result, it.refused, typeof it.ended]).toEqual([undefined, undefined, 'string']);
    }
    expect(world.rowsOf('N#sums').filter(({ sk }) => sk.startsWith('erasure'))).toEqual([]);
  });
});

/** A shop after somebody was erased, before anybody told sums anew. */
async function anErasure(
  parts: Partial<Parameters<typeof aCountedShop>[0]>,
  before: (shop: CountedShop) => Promise<unknown>,
) {
  const shop = await aCountedShop({ seed: 1, ...parts });
  await shop.work();
  await before(shop);
  await shop.erase('m0');
  await shop.settle();
  return shop;
}

/** Ticks of the night and of the hour after, with all that they ask for. */
async function overnight(shop: CountedShop) {
  await shop.tick();
  shop.at(NIGHT);
  await shop.tick();
  await shop.work();
  shop.later(HOUR);
  return shop.tick();
}

test.each(['survey', 'model'] as const)(
  'who works on a %s while it is ended leaves nothing behind',
  async (kind) => {
    let hold: Promise<void> | undefined;
    let held = 0;
    const shop = await aCountedShop({
      seed: 1,
      through: (rows) => ({
        ...rows,
        async put(item, guard) {
          if (hold && item.pk.startsWith(`N#${kind}#`) && item.sk !== '@') held++;
          if (held > 0) await hold;
          await rows.put(item, guard);
        },
      }),
    });
    await shop.work();
    const place = await (kind === 'survey' ? shop.survey('/effect') : learn(shop, 'markov'));
    await shop.erase('m0');
    await shop.settle();
    let release = () => {};
    hold = new Promise((resolve) => {
      release = resolve;
    });
    const atWork = shop.work(); // who reads after the erasure, and is slow to write
    await vi.waitFor(() => expect(held).toBe(1));
    await shop.tick();
    const id = place.split('/').at(-1);
    expect(countedRows(shop, id)).toEqual([]);
    release();
    await atWork;
    expect(countedRows(shop, id)).not.toEqual([]);
    await shop.tick();
    expect(countedRows(shop, id)).toEqual([]);
    if (kind === 'survey') expect(await shop.inVain(place)).toEqual({ status: 410, reason: 'ended' });
    else expect((await shop.model('GET', place)).status).toBe('ended');
  },
);

test('what a count under way was to come to is asked for anew at once, in the name of whoever had asked', async () => {
  const shop = await aCountedShop({ seed: 1 });
  await shop.work();
  await learn(shop, 'markov');
  await shop.work(2);
  await shop.erase('m0');
  await shop.settle();
  await shop.tick();
  await shop.work();
  const [again, asked] = await shop.deps.population.versions('markov', 9);
  expect(again).toMatchObject({ by: 'tester', span: asked?.span, parameters: asked?.parameters });
  expect([again?.result?.sample.people, asked?.result, typeof asked?.ended]).toEqual([
    8,
    undefined,
    'string',
  ]);
});

test('a version that was counted before says so, with what it was learned of, and is learned again by night', async () => {
  const shop = await anErasure({}, async (it) => {
    await learnAll(it, ['markov', 'shapley']);
    await it.work();
  });
  const [old] = await shop.deps.population.versions('markov', 1);
  await overnight(shop);
  const path = `/models/markov/${old?.id}`;
  const { status, version } = await shop.model('GET', path);
  expect(status).toBe('ended');
  expect(version).toMatchObject({
    goal: old?.goal,
    span: old?.span,
    parameters: old?.parameters,
    ended: /again/,
  });
  expect(version.result).toBeUndefined();
  const [newest] = await shop.deps.population.versions('markov', 1);
  expect(newest).toMatchObject({ by: 'erasure', span: old?.span, parameters: old?.parameters });
  expect(newest?.result?.sample.people).toBe((old?.result?.sample.people ?? 0) - 1);
});

const newest = ({ world }: CountedShop) => world.rowsOf('S#model#').filter(({ sk }) => sk === '@');

test('a model that cannot be learned without them holds no more', async () => {
  const shop = await anErasure({}, async (it) => {
    await learn(it, 'markov');
    await it.work();
    const [{ result } = {}] = await it.deps.population.versions('markov', 1);
    await it.model('POST', '/models/markov', { fewest: Number(result?.facts.observationsPerState) });
    await it.work();
  });
  expect(newest(shop)).toHaveLength(1);
  expect((await overnight(shop)).open).toBe(0);
  const [again] = await shop.deps.population.versions('markov', 1);
  expect(again).toMatchObject({ by: 'erasure', refused: expect.any(String) });
  expect(newest(shop)).toEqual([]);
});

test('and neither does one of a goal that the brand has no more', async () => {
  const shop = await anErasure({}, async (it) => {
    await learn(it, 'shapley');
    await it.work();
  });
  shop.deps.brand.conversions.splice(0);
  expect((await overnight(shop)).open).toBe(0);
  expect(newest(shop)).toEqual([]);
});

test('a model that is being learned is not asked for again: what the night had begun holds', async () => {
  const shop = await anErasure({}, async (it) => {
    await learn(it, 'markov');
    await it.work();
  });
  await shop.tick();
  shop.at(NIGHT);
  const begun = await learn(shop, 'markov');
  await overnight(shop);
  const [newest, former] = await shop.deps.population.versions('markov', 9);
  expect(begun).toBe(`/models/markov/${newest?.id}`);
  expect([newest?.by, former?.by]).toEqual(['tester', 'tester']);
});

test('what was asked for by night and was lost is asked for again', async () => {
  const shop = await anErasure({}, async (it) => {
    await it.survey('/rfm/quintiles');
    await learnAll(it, ['markov']);
    await it.work();
  });
  await shop.tick();
  shop.at(NIGHT);
  await shop.tick();
  for (const { result, ended } of await shop.deps.population.versions('markov', 9))
    expect([result, typeof ended]).toEqual([undefined, 'string']);
  shop.lose();
  shop.later(HOUR);
  expect((await shop.tick()).open).toBe(1);
  shop.later(6 * HOUR);
  await shop.tick();
  await shop.work();
  expect((await shop.tick()).open, 'somebody may still write who had begun before').toBe(1);
  shop.later(HOUR);
  expect((await shop.tick()).open).toBe(0);
  expect((await shop.holding()).cuts).toMatchObject({ customers: expect.any(Number) });
});

test('a week that was told is not told until as many are gone as may be told of, and then anew', async () => {
  const shop = await aCountedShop({ seed: 1, people: 40, k: 2 });
  const before = await shop.weeks();
  await shop.erase('m0');
  await shop.settle();
  expect(await shop.weeks()).toEqual(before);
  await shop.tick();
  const [one, ...others] = Object.keys(before).filter((monday) => shop.weeksOf('m0').has(monday));
  expect(one).toBeDefined();
  const between = await shop.weeks();
  for (const monday of [one ?? '', ...others]) expect([monday, between[monday]]).toEqual([monday, null]);
  const kept = Object.keys(before).filter((monday) => !shop.weeksOf('m0').has(monday));
  for (const monday of kept) expect(between[monday]).toEqual(before[monday]);

  const second = shop.members.find((it) => it !== 'm0' && shop.weeksOf(it).has(one ?? '')) ?? '';
  await shop.erase(second);
  await shop.settle();
  shop.later(HOUR);
  await shop.tick();
  const without = await aCountedShop({ seed: 1, people: 40, k: 2, without: ['m0', second] });
  expect((await shop.weeks())[one ?? '']).toEqual((await without.weeks())[one ?? '']);
});

test('where many are erased, what is counted has an hour to come to its end', async () => {
  const shop = await anErasure({}, async () => {});
  await shop.tick();
  await shop.erase('m1');
  const place = await shop.survey('/effect');
  await shop.settle();
  await shop.tick();
  await shop.work();
  expect((await shop.answer(place)).status).toBe('done');
  shop.later(HOUR);
  await shop.tick();
  expect(await shop.inVain(place)).toEqual({ status: 410, reason: 'ended' });
});

test('sizes of tags as they were told that day are gone when the day is over', async () => {
  const shop = await anErasure({}, (it) => it.groups());
  const told = () => shop.world.rowsOf('N#told#tags').length;
  await shop.tick();
  expect(told()).toBe(1);
  await overnight(shop);
  expect(told()).toBe(0);
});

test('and not before, for whoever asks on that day is told the same', async () => {
  const shop = await aCountedShop({ seed: 1 });
  await shop.work();
  shop.at(new Date(Date.parse(NOON) + 13 * HOUR).toISOString()); // one in the night
  await shop.groups();
  await shop.erase('m0');
  await shop.settle();
  expect((await overnight(shop)).open).toBe(1);
  expect(shop.world.rowsOf('N#told#tags')).toHaveLength(1);
  shop.later(24 * HOUR);
  await shop.tick();
  shop.later(HOUR);
  expect((await shop.tick()).open).toBe(0);
  expect(shop.world.rowsOf('N#told#tags')).toHaveLength(0);
});

test('where nobody was erased a tick writes nothing', async () => {
  const shop = await aCountedShop({ seed: 2 });
  await surveyAll(shop);
  await shop.work();
  const before = shop.world.rows.snapshot();
  expect(await shop.tick()).toEqual({ open: 0 });
  expect(shop.world.rows.snapshot() === before).toBe(true);
});

test('whatever fails on the way, the next tick comes to the same', async () => {
  const shop = await anErasure({}, async (it) => {
    await surveyAll(it);
    await it.survey('/rfm/quintiles');
    await learnAll(it, ['markov', 'holdouts']);
    await it.work(9);
    await it.weeks();
  });
  const whole = shop.world.rows.copy();
  const writes = await shop.tickOn(whole);
  expect(writes).toBeGreaterThan(20);
  for (let failing = 0; failing < writes; failing++) {
    const rows = shop.world.rows.copy();
    await expect(shop.tickOn(rows, failing)).rejects.toThrow('a crash');
    await shop.tickOn(rows);
    expect([failing, rows.snapshot() === whole.snapshot()]).toEqual([failing, true]);
  }
});
