import fc from 'fast-check';
import { beforeAll, expect, test, vi } from 'vitest';
import { daysFrom } from '../../lib/attribution/day.ts';
import { report } from '../../lib/attribution/report.ts';
import { shareConversion } from '../../lib/attribution/share.ts';
import { conversionStore } from '../../lib/attribution/store.ts';
import type { Touch } from '../../lib/attribution/touch.ts';
import type { Event } from '../../lib/events/event.ts';
import { attributionSettings } from '../../lib/platform/brand.ts';
import { modelName, touchRole } from '../../lib/platform/brand-words.ts';
import { DAY, toIso } from '../../lib/platform/clock.ts';
import { anEventOf } from './oracle/an-event.ts';
import { compositeWeightsOf } from './oracle/composite.ts';
import { family } from './oracle/family.ts';
import { NOW } from './oracle/histories.ts';
import { splitExactly } from './oracle/money.ts';
import { expectedWorld } from './oracle/oracle.ts';
import { isDeep, replayOf, seeds } from './runs.ts';
import { played } from './story.ts';
import { mustBeTrue } from './verdict.ts';
import { sharedOf } from './wiring.ts';
import { disorderly } from './world/mailbox.ts';
import { type Dice, dice } from './world/random.ts';

// Law 7: credit adds up. In every model the credits of a conversion sum to 1,000,000 ppm, its money to the order's
// minor units, and what reports add up is what was paid and refunded.

const FILE = 'credit';
const ZONE = 'Asia/Shanghai';
const MOST = 10 ** 12;
const models = modelName.options;

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
});

const share = fc.double({ min: 0, max: 1, noNaN: true });
const settings = fc
  .record({
    halfLifeDays: fc.double({ min: 0.25, max: 90, noNaN: true }),
    u: fc.record({ first: share, middle: share, last: share }),
    w: fc.record({ first: share, opportunity: share, last: share, rest: share }),
    composite: fc.record({
      opening: fc.record({ weight: share, perDay: fc.double({ min: 0, max: 2, noNaN: true }) }),
      closing: fc.record({ weight: share, halfLifeDays: fc.double({ min: 0.25, max: 90, noNaN: true }) }),
      floor: fc.constantFrom(0, 0, 0.1, 1),
      seasons: fc.constantFrom([], [{ from: '2026-01-01', to: '2027-01-01', scene: 'promotion' }]),
    }),
  })
  .map((it) => attributionSettings.parse(it));
const touches = fc
  .array(
    fc.record({
      ago: fc.integer({ min: 0, max: 365 * DAY }),
      direct: fc.boolean(),
      marked: fc.boolean(),
      role: fc.constantFrom(...touchRole.options),
      type: fc.constantFrom('page_viewed', 'coupon_issued', 'content_shared'),
    }),
    {
      maxLength: 60,
      size: 'max',
    },
  )
  .map((all) =>
    all
      .sort((a, b) => b.ago - a.ago)
      .map(
        ({ ago, direct, marked, role, type }, i): Touch => ({
          eventId: String(i).padStart(16, '0'),
          type,
          at: toIso(NOW - ago),
          channel: direct ? 'direct' : `channel ${i % 7}`,
          role,
          opportunity: marked,
        }),
      ),
  );
const tier = fc.constantFrom('vip' as const, 'silent' as const, 'other' as const);
/** Small and large values alike, up to 10^12 minor units. */
const value = fc.oneof(
  fc.integer({ min: 1, max: 100 }),
  fc
    .double({ min: 0, max: 12, noNaN: true })
    .map((power) => Math.min(MOST, Math.max(1, Math.round(10 ** power)))),
);

test('of thousands of random paths every credit adds up in every model, and is the exact share of its weight', () => {
  let paths = 0;
  fc.assert(
    fc.property(touches, value, share, settings, tier, (path, paid, part, terms, customer) => {
      paths++;
      const refunded = Math.floor(paid * part);
      const order = { at: toIso(NOW), day: toIso(NOW).slice(0, 10), value: paid, refunded };
      const told = customer === 'other' ? order : { ...order, tier: customer };
      const credits = shareConversion(told, { touches: path }, terms);
      expect(Object.keys(credits).sort()).toEqual([...models].sort());
      for (const model of models) {
        const sum = (of: 'ppm' | 'gross' | 'refunded') =>
          (credits[model] ?? []).reduce((all, credit) => all + BigInt(credit[of]), 0n);
        expect([sum('ppm'), sum('gross'), sum('refunded')]).toEqual([
          1_000_000n,
          BigInt(paid),
          BigInt(refunded),
        ]);
      }
      if (path.length === 0) return;
      const equal = path.map(() => 1);
      expect(credits.linear?.map(({ gross }) => gross)).toEqual(splitExactly(paid, equal));
      const newest = Date.parse(path.at(-1)?.at ?? '');
      const decayed = path.map(({ at }) => 2 ** (-(newest - Date.parse(at)) / (terms.halfLifeDays * DAY)));
      const weights = compositeWeightsOf(
        path.map((it) => ({ ...it, at: Date.parse(it.at) })),
        { at: NOW, day: order.day, customer },
        terms.composite,
      );
      if (Math.min(...weights) > 2 ** -40)
        expect(credits.composite?.map(({ gross }) => gross)).toEqual(splitExactly(paid, weights));
      // A weight below 2^-100 of the newest is nothing to any value of money; the oracle keeps it.
      if (Math.min(...decayed) > 2 ** -40)
        expect(credits.time_decay?.map(({ gross }) => gross)).toEqual(splitExactly(paid, decayed));
    }),
    {
      numRuns: isDeep() ? 30_000 : 3_000,
      ...(process.env.LAWS_SEED && { seed: Number(process.env.LAWS_SEED) }),
    },
  );
  expect(paths).toBeGreaterThanOrEqual(3_000);
});

/** Visits, orders of any value and refunds of some of it, of a few people. */
function shopping(thrown: Dice): Event[] {
  const at = () => toIso(NOW - thrown.below(40 * DAY));
  const who = () => [`member_id:${thrown.below(3)}`];
  const visits = Array.from({ length: thrown.below(8) }, () =>
    anEventOf(who(), at(), {
      type: 'page_viewed',
      properties: { url: 'https://shop.example/' },
      context: { campaign: { channel: `channel ${thrown.below(4)}`, name: `campaign ${thrown.below(2)}` } },
    }),
  );
  const orders = Array.from({ length: 1 + thrown.below(5) }, (_, i) => ({
    id: `o${i}`,
    who: who(),
    paid: 1 + thrown.below(10 ** (1 + thrown.below(12))),
  }));
  return [
    ...visits,
    ...orders.map(({ id, who, paid }) =>
      anEventOf(who, at(), {
        type: 'order_paid',
        properties: { order_id: id, paid_amount: paid, currency: 'CNY' },
      }),
    ),
    ...orders.flatMap(({ id, who, paid }) =>
      Array.from({ length: thrown.below(3) }, (_, i) =>
        anEventOf(who, at(), {
          type: 'order_refunded',
          properties: {
            refund_id: `${id}-${i}`,
            order_id: id,
            refund_amount: 1 + thrown.below(paid),
            currency: 'CNY',
          },
        }),
      ),
    ),
  ];
}

test('what the days’ lists add up to is what was paid and refunded, in every model, by channel and by campaign', {
  timeout: 600_000,
}, async () => {
  const shared = sharedOf(ZONE);
  let conversions = 0;
  for (const seed of seeds(90_000, 150)) {
    const events = shopping(dice(seed));
    const thrown = dice(seed + 1);
    const shuffled = events.slice();
    const send = events.map(() => [thrown.take(shuffled)]);
    const world = await played([{ send }], shared, { seed, disorder: disorderly });
    const of = { how: `seed ${seed}`, replay: replayOf(FILE, seed) };
    await mustBeTrue(world, events, shared, of);

    const expected = expectedWorld(events, shared.brand, family, NOW).profiles.flatMap(
      (it) => it.conversions,
    );
    const [from, to] = [toIso(NOW - 41 * DAY).slice(0, 10), toIso(NOW + DAY).slice(0, 10)];
    const store = conversionStore(world.table, () => NOW);
    const listed = (await Promise.all(daysFrom(from, to).map((day) => store.listDay(day)))).flat();
    expect(listed.length, of.replay).toBe(expected.length);
    conversions += listed.length;
    for (const model of models)
      for (const by of ['channel', 'campaign', 'content', 'staff', 'scene', 'day'] as const) {
        const { totals, rows } = report({ models: [model], from, to, by, currency: 'CNY' }, listed);
        const paid = expected.reduce((sum, it) => sum + it.value, 0);
        const refunded = expected.reduce((sum, it) => sum + it.refunded, 0);
        expect(totals, of.replay).toEqual({
          conversions: expected.length,
          ppm: expected.length * 1_000_000,
          gross: paid,
          refunded,
          net: paid - refunded,
        });
        for (const of of ['ppm', 'gross', 'refunded', 'net'] as const)
          expect(rows.reduce((sum, row) => sum + row[of], 0)).toBe(totals[of]);
      }
  }
  if (process.env.LAWS_SEED === undefined) expect(conversions).toBeGreaterThan(300);
});
