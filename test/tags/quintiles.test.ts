// Scope: cuts of RFM by the population's quintiles, taken by the clock, read by rules, exact from one edition to the next.
import { describe, expect, test } from 'vitest';
import { rfmSettings } from '../../lib/platform/brand.ts';
import { DAY, SECOND, toIso } from '../../lib/platform/clock.ts';
import { viewOf } from '../../lib/profile/person.ts';
import { emptyCells, foldEvent } from '../../lib/tags/cells.ts';
import { nextChange } from '../../lib/tags/changes.ts';
import { evaluateTags } from '../../lib/tags/evaluate.ts';
import { evidence, explainTag } from '../../lib/tags/explain.ts';
import { cutsOf, isDue, type QuintileEdition } from '../../lib/tags/quintiles.ts';
import { quintileStore } from '../../lib/tags/quintiles-store.ts';
import { histogramOf, mergeHistograms } from '../../lib/tags/rfm-quintiles.ts';
import { compileRules } from '../../lib/tags/rulebook.ts';
import { aBrand, anOrder, aVisit, day, dice, START } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aSurveyor } from './a-survey.ts';
import { onRecompute } from './on-parts.ts';

const rfm = rfmSettings.parse({});

/** The score of each value, by ranking everybody: place by place, and of equal ones the lowest. */
function naiveScores(values: readonly number[], best: 'highest' | 'lowest'): Map<number, number> {
  const ranked = [...values].sort((a, b) => (best === 'highest' ? a - b : b - a));
  const n = ranked.length;
  const scores = new Map<number, number>();
  for (const [place, value] of ranked.entries()) {
    // By rank: the smallest fifth whose end, (n − 1)·k/5 counted from the worst, is not passed; the only one is in the middle.
    let score = 5;
    for (let k = 4; k >= 1; k--) if (best === 'highest' && 5 * place <= (n - 1) * k) score = k;
    if (best === 'lowest') {
      score = 1;
      for (let k = 1; k <= 4; k++) if (5 * (n - 1 - place) <= (n - 1) * k) score = Math.max(score, 6 - k);
    }
    if (n === 1) score = 3;
    scores.set(value, Math.min(score, scores.get(value) ?? 5));
  }
  return scores;
}

describe('cuts', () => {
  test('give every value of a population the score that ranking everybody gives it', () => {
    const roll = dice(9);
    for (let i = 0; i < 300; i++) {
      const n = 1 + roll(30);
      const some = () => Array.from({ length: n }, () => roll(1 + roll(40)));
      const [ages, numbers, money] = [some(), some(), some()];
      const { r, f, m } = cutsOf({
        recency: histogramOf(ages),
        frequency: mergeHistograms(histogramOf(numbers.slice(0, 3)), histogramOf(numbers.slice(3))),
        monetary: histogramOf(money),
      });
      const reach = (cuts: readonly (number | null)[], value: number) =>
        1 + cuts.filter((cut) => cut !== null && value >= cut).length;
      for (const value of numbers) expect(reach(f, value)).toBe(naiveScores(numbers, 'highest').get(value));
      for (const value of money) expect(reach(m, value)).toBe(naiveScores(money, 'highest').get(value));
      for (const age of ages) {
        const within = r.findIndex((days) => days !== null && age < days);
        expect(within < 0 ? 1 : 5 - within).toBe(naiveScores(ages, 'lowest').get(age));
      }
    }
  });

  test('of nobody are none', () => {
    const none = [null, null, null, null];
    const empty = histogramOf([]);
    expect(cutsOf({ recency: empty, frequency: empty, monetary: empty })).toEqual({
      r: none,
      f: none,
      m: none,
    });
  });
});

const edition: QuintileEdition = {
  version: 3,
  asOf: '2026-04-30T15:59:59.999Z',
  customers: 200,
  survey: 's',
  of: { event: 'order_paid', value: 'paid_amount', windowDays: 365 },
  r: [5, 12, null, 40],
  f: [2, 2, 4, null],
  m: [1_000, 5_000, 5_000, 9_000],
};
const bookOf = (when: string, quintiles?: QuintileEdition, settings = rfm) =>
  compileRules([{ tag: 'it', when, version: 1 }], { timezone: 'Asia/Shanghai', rfm: settings, quintiles });

describe('a rule', () => {
  const orders = [anOrder(0, 'a', 3_000), anOrder(3, 'b', 2_500)].map(
    ({ id, type, occurredAt, properties }) => ({
      ...{ id, type, at: Date.parse(occurredAt), properties, channel: 'shop' },
    }),
  );
  const holds = (when: string, days: number, quintiles?: QuintileEdition) => {
    const book = bookOf(when, quintiles);
    const cells = emptyCells();
    for (const order of orders) foldEvent(book, cells, order);
    const view = { cells, traits: {} };
    return { book, view, held: evaluateTags(book, view, START + days * DAY).has('it') };
  };

  test('reads the scores by the cuts that it is given, and the brand’s own beside them', () => {
    expect(holds('rfm("quintiles").f == 3 && rfm("quintiles").m == 4 && rfm().m == 1', 3, edition).held).toBe(
      true,
    );
    const score = (days: number) =>
      [1, 2, 3, 4, 5].filter((it) => holds(`rfm("quintiles").r == ${it}`, days, edition).held);
    expect([3, 7, 8, 14, 15, 42, 43, 367, 368].map(score)).toEqual(
      [[5], [5], [4], [4], [2], [2], [1], [1], []], // the third cut is of nobody
    );
  });

  test('finds nothing before the first cuts, nor where the brand measures something else now', () => {
    for (const when of ['rfm("quintiles").m >= 1', '!(rfm("quintiles").m >= 1)'])
      expect(holds(when, 3).held).toBe(false);
    const other = { ...edition, of: { ...edition.of, windowDays: 30 } };
    expect(holds('rfm("quintiles").m >= 1', 3, other).held).toBe(false);
  });

  test('changes next at the midnight that asking day by day finds', () => {
    for (const score of [1, 2, 4, 5]) {
      const when = `rfm("quintiles").r == ${score}`;
      for (let from = 3; from < 60; from += 3) {
        const { book, view, held } = holds(when, from, edition);
        const midnights = Array.from({ length: 400 }, (_, i) =>
          book.calendar.startOfDay(book.calendar.brandDay(START) + from + 1 + i),
        );
        const expected = midnights.find((at) => evaluateTags(book, view, at).has('it') !== held);
        expect(nextChange(book, view, START + from * DAY, { limit: 1_000 })?.at).toBe(expected);
      }
    }
  });

  test('tells the cuts’ version, their day, and how many were ranked; without the events shown it does not hold', () => {
    const { book, view } = holds('rfm("quintiles").m >= 4', 3, edition);
    const { leaves } = explainTag(book, 'it', view, START + 3 * DAY);
    expect(leaves[0]).toMatchObject({
      text: 'rfm("quintiles").m',
      value: 4,
      cuts: { version: 3, asOf: edition.asOf, customers: 200, of: edition.m },
    });
    expect(evidence(book, 'it', orders, START + 3 * DAY)).toEqual(orders.map(({ id }) => id));
  });

  test('is another rulebook with other cuts, and the same with the same cuts of another day', () => {
    const digest = (it?: QuintileEdition, when = 'rfm("quintiles").m > 1') => bookOf(when, it).digest;
    expect(digest({ ...edition, version: 4, asOf: day(0), customers: 7 })).toBe(digest(edition));
    expect(digest({ ...edition, m: [1, 2, 3, 4] })).not.toBe(digest(edition));
    expect(digest()).not.toBe(digest(edition));
    expect(digest(edition, 'rfm().m > 1')).toBe(digest(undefined, 'rfm().m > 1'));
  });

  test.each([
    ['rfm("thirds").r == 1', 'rfm("quintiles")'],
    ['rfm("quintiles") == 1', 'no such overload'],
    ['rfm(trait("x")).r == 1', 'rfm'],
  ])('%s is refused', (when, why) => {
    expect(() => bookOf(when)).toThrow(why);
  });
});

test('cuts are due before the first, of something else, and when another day, week or month has begun', () => {
  const { calendar } = bookOf('true');
  const due = (at: string, renew: 'day' | 'week' | 'month') =>
    isDue(edition, { ...rfm, renew }, Date.parse(at), calendar);
  expect(isDue({ ...edition, of: { ...edition.of, value: 'x' } }, rfm, START, calendar)).toBe(true);
  expect(isDue(undefined, rfm, START, calendar)).toBe(true);
  expect(due('2026-05-31T15:59:59.999Z', 'month')).toBe(false);
  expect(due('2026-05-31T16:00:00Z', 'month')).toBe(true);
  expect(due('2026-05-03T15:59:59.999Z', 'week')).toBe(false);
  expect(due('2026-05-03T16:00:00Z', 'week')).toBe(true);
  expect(due('2026-05-01T15:59:59.999Z', 'day')).toBe(false);
  expect(due('2026-05-01T16:00:00Z', 'day')).toBe(true);
});

const rule = {
  tag: 'best',
  values: Object.fromEntries([5, 4, 3, 2, 1].map((it) => [`m${it}`, `rfm("quintiles").m == ${it}`])),
};

/** A shop of 24 customers with one to three orders each, and a till that is nobody. */
async function aShop() {
  const world = aWorld({
    brand: aBrand({ rules: [rule, { tag: 'late', when: 'rfm("quintiles").r <= 2' }] }),
  });
  world.setClock(day(20));
  const roll = dice(5);
  const money = new Map<string, number>();
  for (let i = 0; i < 24; i++) {
    const ids = [`member_id:${100 + i}`];
    for (let n = 0; n <= roll(3); n++) {
      const amount = 100 * (1 + roll(6));
      money.set(`${ids}`, (money.get(`${ids}`) ?? 0) + amount);
      await world.take(anOrder(roll(15), `${i}-${n}`, amount, { ids }));
    }
  }
  await world.take(
    aVisit(1, { ids: ['member_id:looker'] }),
    anOrder(2, 'till', 90_000, { ids: ['anonymous_id:till'] }),
  );
  let done = 0;
  const work = async (times = 1) => {
    for (; done < world.recompute.bodies.length; done++)
      for (let i = 0; i < times; i++) {
        world.setClock(toIso(world.clock() + 5 * SECOND)); // as the queue delivers
        const body = world.recompute.bodies[done] ?? '';
        expect(await onRecompute([{ id: 'm', body }], world.worker)).toEqual([]);
      }
  };
  const tagged = async () =>
    new Map(
      await Promise.all([...money.keys()].map(async (id) => [id, (await world.tags(id)).best] as const)),
    );
  return { world, money, work, tagged, store: quintileStore(world.rows) };
}

test('the clock has the population counted once, puts the cuts in force, and everybody is evaluated by them', async () => {
  const { world, money, work, tagged, store } = await aShop();
  expect([...new Set((await tagged()).values())]).toEqual([undefined]);
  await world.tick();
  await work();
  await world.tick();
  world.setClock(day(20.01));
  const first = await store.current();
  expect(first).toMatchObject({ version: 1, customers: 24, asOf: '2026-05-20T15:59:59.999Z' });
  const scores = naiveScores([...money.values()], 'highest');
  const expected = new Map([...money].map(([id, sum]) => [id, `m${scores.get(sum)}`]));
  expect(await tagged()).toEqual(expected);
  await work();
  expect(await tagged()).toEqual(expected);
  expect(new Set(expected.values()).size).toBe(5);
  const { book } = await world.worker.rules();
  for (const id of money.keys()) expect((await world.cluster(id)).book).toBe(book.digest);

  // Nothing more until the month is over; a tick a day later asks nobody.
  const asked = world.recompute.bodies.length;
  world.setClock(day(21));
  await world.tick();
  expect(world.recompute.bodies).toHaveLength(asked);
});

test('the next month there is another edition; messages that come twice change nothing', async () => {
  const { world, money, work, tagged, store } = await aShop();
  await world.tick();
  await work(2);
  const before = await tagged();
  const [rich = ''] = money.keys();
  await world.take(anOrder(19, 'large', 100_000, { ids: [rich] }));
  world.setClock(day(31));
  await world.tick();
  await work(2);
  world.setClock(day(31.01));
  const second = await store.current();
  expect(second).toMatchObject({ version: 2, customers: 24, asOf: '2026-05-31T15:59:59.999Z' });
  const values = new Map([...money].map(([id, sum]) => [id, sum + (id === rich ? 100_000 : 0)]));
  const scores = naiveScores([...values.values()], 'highest');
  expect(await tagged()).toEqual(new Map([...values].map(([id, sum]) => [id, `m${scores.get(sum)}`])));
  expect(await tagged()).not.toEqual(before);
  const { person } = await world.profile(rich);
  const { book } = await world.worker.rules();
  expect(explainTag(book, 'best', viewOf(person), world.clock()).leaves[0]?.cuts).toMatchObject({
    version: 2,
  });
});

test('a brand whose rules do not read quintiles has nobody counted, and reads no row more', async () => {
  const world = aWorld({ brand: aBrand({ rules: [{ tag: 'it', when: 'rfm().m == 5' }] }) });
  await world.take(anOrder(0, 'a', 100));
  await world.tick();
  expect(world.recompute.bodies.filter((it) => it.includes('survey'))).toEqual([]);
  const keysRead: string[] = [];
  const reads = aWorld({
    brand: aBrand({ rules: [{ tag: 'it', when: 'rfm().m == 5' }] }),
    through: (rows) => ({
      ...rows,
      get: (key) => {
        keysRead.push(key.pk);
        return rows.get(key);
      },
    }),
  });
  await reads.worker.rules();
  expect(keysRead).toEqual(['S#rules']);
});

test('an admin may have the cuts taken at any time; a forecast by them is what publishing gives', async () => {
  const world = aWorld({ brand: aBrand({ rules: [] }) });
  world.setClock(day(20));
  const roll = dice(8);
  const sums = new Map<string, number>();
  for (let i = 0; i < 60; i++) {
    const amount = 100 + roll(90);
    sums.set(`member_id:${i}`, amount);
    await world.take(anOrder(roll(15), `o${i}`, amount, { ids: [`member_id:${i}`] }));
  }
  const surveyor = await aSurveyor(world);
  expect((await surveyor.send('POST', '/rfm/quintiles', '', 'operator')).status).toBe(403);
  expect((await surveyor.send('GET', '/rfm/quintiles', '', 'operator')).said).toEqual({ quintiles: null });
  const { status, said } = await surveyor.send('POST', '/rfm/quintiles', '', 'admin');
  expect([status, said.asOf]).toEqual([202, day(20)]);
  await surveyor.work();
  const { quintiles } = (await surveyor.send('GET', '/rfm/quintiles', '', 'operator')).said;
  expect(quintiles).toMatchObject({ version: 1, asOf: day(20), customers: 60 });

  const when = 'rfm("quintiles").m == 5';
  const { forecast } = await surveyor.forecast('rich', when);
  await world.putRule({ tag: 'rich', when });
  world.setClock(toIso(Date.parse(day(20)) + 5 * SECOND));
  const scores = naiveScores([...sums.values()], 'highest');
  const rich = [...sums].filter(([, sum]) => scores.get(sum) === 5).map(([id]) => id);
  const held = await Promise.all(
    [...sums.keys()].map(async (id) => ((await world.tags(id)).rich ? [id] : [])),
  );
  expect(held.flat()).toEqual(rich);
  expect(forecast.after).toMatchObject({ members: rich.length });
});
