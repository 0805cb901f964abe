// Other settings: told beside the old ones, switched at once, whatever crashes or comes late.
import fc from 'fast-check';
import { beforeAll, expect, test, vi } from 'vitest';
import { onSettingsTick, type PartMessage } from '../../lib/attribution/change.ts';
import { onConversions } from '../../lib/attribution/consume.ts';
import { edition, generationNumber, isToldFrom } from '../../lib/attribution/edition.ts';
import {
  adopted,
  finished,
  type Generations,
  generationOf,
  PARTS,
} from '../../lib/attribution/generations.ts';
import { type ReportQuery, reportOf } from '../../lib/attribution/report.ts';
import type { Brand } from '../../lib/platform/brand.ts';
import { memoryQueue } from '../platform/memory.ts';
import { aBrand, anOrder, aVisit, day, START, settings } from './a-history.ts';
import { aWorld } from './a-world.ts';

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
});

const before = aBrand();
const after = aBrand({ attribution: settings({ lookbackDays: 3, halfLifeDays: 2 }) });
const query: ReportQuery = {
  models: ['linear', 'composite'],
  from: '2026-11-01',
  to: '2026-11-30',
  by: 'channel',
  currency: 'CNY',
};

/** A brand with its queue: messages come until none is left; those that fail come again. */
function aShop() {
  const world = aWorld(before);
  const queue = memoryQueue();
  let taken = 0;
  const depsOf = (brand: Brand) => ({
    ...world.deps,
    brand,
    change: {
      generations: world.deps.store.generations,
      scan: world.table.scan,
      conversions: queue,
      now: () => START,
      clusterOf: (profile: string) => profile,
    },
  });
  const people = ['p1', 'p2', 'p3'];
  for (const [i, profile] of people.entries())
    world.append(
      profile,
      aVisit(day(1), 'far'),
      aVisit(day(9), 'near'),
      aVisit(day(9.5), 'last'),
      anOrder(day(10), `o${i}`, 1_001),
    );
  const all = (profile: string) => ({ profile, conversions: 'all' as const });
  const shop = {
    world,
    queue,
    depsOf,
    people,
    ask: (profile: string) => queue.send([JSON.stringify(all(profile))]),
    /** Takes the next message; false if there is none. */
    async step(brand: Brand): Promise<boolean> {
      const body = queue.bodies[taken];
      if (body === undefined) return false;
      taken++;
      const failed = await onConversions([{ id: 'm', body }], depsOf(brand)).catch(() => ['m']);
      if (failed.length > 0) await queue.send([body]);
      return true;
    },
    async work(brand: Brand, each: () => Promise<void> = async () => {}): Promise<void> {
      for (let turns = 0; await shop.step(brand); turns++) {
        await each();
        if (turns > 2_000) throw new Error('the messages do not end');
      }
    },
    async report() {
      const { rows, totals, settings: told } = await reportOf(query, world.deps.store);
      return { told, totals, rows: rows.map(({ name, models }) => [name, models]) };
    },
    channels: async () => (await shop.report()).rows.map(([name]) => name),
  };
  return shop;
}

async function aShopOf(brand: Brand) {
  const shop = aShop();
  for (const profile of shop.people) await shop.ask(profile);
  await shop.work(brand);
  return shop;
}

/** What a brand says that never had other settings. */
const saidBy = async (brand: Brand) => {
  const { rows, totals } = await (await aShopOf(brand)).report();
  return { rows, totals };
};

test('reports are of one of both at every moment, and of the new from one moment on', async () => {
  const [old, new_] = [await saidBy(before), await saidBy(after)];
  expect(old).not.toEqual(new_);
  const shop = await aShopOf(before);
  await shop.ask('p1');
  const seen: string[] = [];
  await shop.work(after, async () => {
    const { rows, totals, told } = await shop.report();
    const isOld = told?.current === generationOf(before.attribution).id;
    expect({ rows, totals }).toEqual(isOld ? old : new_);
    if (isOld) expect(told?.next).toBe(generationOf(after.attribution).id);
    seen.push(isOld ? 'old' : 'new');
  });
  expect(seen.join(' ')).toMatch(/^(old )+new( new)*$/);
  expect(await shop.channels()).not.toContain('far');
});

test('the clock takes other settings over where no message comes', async () => {
  const new_ = await saidBy(after);
  const shop = await aShopOf(before);
  const tick = (brand: Brand) => onSettingsTick(shop.depsOf(brand));
  const old = generationOf(before.attribution).id;
  expect(await tick(before)).toEqual({ current: old });
  expect(shop.queue.bodies).toHaveLength(shop.people.length);
  expect(await tick(after)).toEqual({ current: old, next: generationOf(after.attribution).id });
  await tick(after); // and again: nothing is sent twice
  expect(shop.queue.bodies).toHaveLength(shop.people.length + PARTS);
  await shop.work(after);
  const { rows, totals } = await shop.report();
  expect({ rows, totals }).toEqual(new_);
  expect(await tick(after)).toEqual({ current: generationOf(after.attribution).id });
});

test('an order that comes while everybody is told is in the reports at once, by the settings that hold', async () => {
  const shop = await aShopOf(before);
  await shop.ask('p1');
  await shop.step(after); // taken over; nobody else is told yet
  shop.world.append('p4', aVisit(day(2), 'far'), aVisit(day(9), 'near'), anOrder(day(10), 'o4', 500));
  await onConversions(
    [{ id: 'm', body: JSON.stringify({ profile: 'p4', conversions: 'all' }) }],
    shop.depsOf(after),
  );
  const during = await shop.report();
  expect(during.told).toMatchObject({ current: generationOf(before.attribution).id });
  expect(during.totals).toMatchObject({ conversions: 4, gross: 3_503 });
  expect(during.rows.find(([name]) => name === 'far')?.[1]).toMatchObject({
    linear: { gross: 334 * 3 + 250 },
  });
  await shop.work(after);
  expect((await shop.report()).totals).toEqual(during.totals);
  expect(await shop.channels()).not.toContain('far');
});

test('a crash at any moment is made good, and the end is the same', async () => {
  const expected = await saidBy(after);
  for (let at = 0; at < 160; at++) {
    const shop = await aShopOf(before);
    await shop.ask('p2');
    let calls = 0;
    shop.world.crash(() => calls++ === at);
    await shop.work(after);
    shop.world.crash();
    const { rows, totals, told } = await shop.report();
    expect({ rows, totals }, `crash at ${at}`).toEqual(expected);
    expect(told).toEqual({ current: generationOf(after.attribution).id });
  }
});

test('who still writes by the settings before, in whatever order, leaves nothing behind', async () => {
  const expected = await saidBy(after);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 12 }), { minLength: 40, maxLength: 200 }), async (waits) => {
      const shop = aShop();
      let i = 0;
      shop.world.dawdle(() => waits[i++ % waits.length] ?? 0);
      const late = shop.people.map((profile) => {
        const body = JSON.stringify({ profile, conversions: 'all' });
        return onConversions([{ id: profile, body }], shop.depsOf(before));
      });
      await shop.ask('p1');
      await shop.work(after);
      for (const [n, failed] of (await Promise.all(late)).entries())
        if (failed.length > 0) await shop.ask(shop.people[n] ?? '');
      shop.world.dawdle();
      await shop.work(after);
      // A worker of before that begins last may bring its settings back: the next of now takes over again.
      await shop.ask('p1');
      await shop.work(after);
      const { rows, totals } = await shop.report();
      expect({ rows, totals }).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});

/** Lets everything be told by other settings the first time that somebody asks for something. */
const overtaken = (shop: ReturnType<typeof aShop>) => {
  let isFirst = true;
  return async () => {
    if (!isFirst) return;
    isFirst = false;
    await shop.ask('p1');
    await shop.work(after);
  };
};

test('who tells somebody for the first time while everything changes tells it again', async () => {
  const shop = await aShopOf(before);
  shop.world.append('p4', aVisit(day(2), 'far'), aVisit(day(9), 'near'), anOrder(day(10), 'o4', 500));
  const meanwhile = overtaken(shop);
  const deps = shop.depsOf(before);
  const history: typeof deps.history = async (...asked) => {
    const known = await deps.history(...asked);
    await meanwhile();
    return known;
  };
  const body = JSON.stringify({ profile: 'p4', conversions: 'all' });
  expect(await onConversions([{ id: 'm', body }], { ...deps, history })).toEqual([]);
  const { rows, totals, told } = await shop.report();
  expect(told).toEqual({ current: generationOf(after.attribution).id });
  expect(totals.conversions).toBe(4);
  expect(rows.map(([name]) => name).sort()).toEqual(['(unattributed)', 'last', 'near']);
});

test('a report that settings change under is of the new ones from its beginning', async () => {
  const shop = await aShopOf(before);
  const meanwhile = overtaken(shop);
  const { store } = shop.world.deps;
  let reads = 0;
  const listDay: typeof store.listDay = async (...asked) => {
    if (reads++ === 12) await meanwhile();
    return store.listDay(...asked);
  };
  const { totals, settings: told, rows } = await reportOf(query, { ...store, listDay });
  expect(told).toEqual({ current: generationOf(after.attribution).id });
  expect({ rows: rows.map(({ name, models }) => [name, models]), totals }).toEqual(await saidBy(after));
});

test('a third change in the middle of a second takes its place; going back goes back', async () => {
  const shop = await aShopOf(before);
  await shop.ask('p1');
  await shop.step(after);
  const third = aBrand({ attribution: settings({ lookbackDays: 5 }) });
  await shop.ask('p1');
  await shop.work(third);
  expect((await shop.report()).told).toEqual({ current: generationOf(third.attribution).id });
  await shop.ask('p1');
  await shop.work(before);
  const { rows, totals } = await shop.report();
  expect({ rows, totals }).toEqual(await saidBy(before));
});

test('the same settings are one generation, however they are written', () => {
  const { lookbackDays, ...rest } = settings();
  expect(generationOf({ ...rest, lookbackDays }).id).toBe(generationOf(settings()).id);
  expect(generationOf(settings({ lookbackDays: 29 })).id).not.toBe(generationOf(settings()).id);
});

test('parts are counted once each, twice over, and what is of another change is nothing', () => {
  const [one, two] = [generationOf(settings()), generationOf(settings({ lookbackDays: 1 }))];
  let state: Generations = adopted({ seq: 1, current: one }, two)!;
  expect(state.seq).toBe(2);
  expect(adopted(state, two)).toBeUndefined();
  const part = (pass: number, segment: number, id = two.id): PartMessage => ({ id, pass, segment });
  expect(finished(state, part(1, 0, 'other'))).toBe(state);
  for (const pass of [1, 2])
    for (let segment = 0; segment < PARTS; segment++) {
      expect(state.current.id).toBe(one.id);
      state = finished(finished(state, part(pass, segment)), part(pass, segment));
    }
  expect(state).toEqual({ seq: 2, current: two });
});

test('an edition tells change, version and reach apart', () => {
  const editions = [
    edition(7, START, 1),
    edition(7, undefined, 1),
    edition(9_000_000, START, 1),
    edition(1, START, 2),
  ];
  expect(editions).toEqual([...editions].sort((a, b) => a - b));
  expect(editions.map(generationNumber)).toEqual([1, 1, 1, 2]);
  expect([isToldFrom(edition(7, START, 3), 7), isToldFrom(edition(7, START, 3), 8)]).toEqual([true, false]);
  expect(Number.isSafeInteger(edition(9_999_999, undefined, 9_006))).toBe(true);
});
