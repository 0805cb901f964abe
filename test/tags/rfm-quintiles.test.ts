// Scope: recency, frequency and money of a population, and its scores by quintiles.
import { createReadStream, existsSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byTime } from '../../lib/events/event.ts';
import { DAY } from '../../lib/platform/clock.ts';
import {
  fifthOf,
  histogramOf,
  mergeHistograms,
  type RfmCustomer,
  rfmQuintiles,
  rfmValues,
  scoreSizes,
  scoresTogether,
} from '../../lib/tags/rfm-quintiles.ts';
import { aBrand, anOrder, aRefund, aVisit, START, shuffled } from '../profile/a-profile.ts';

const asOf = START + 30 * DAY;
const values = (...events: Parameters<typeof rfmValues>[0]) => rfmValues(events, asOf, aBrand());

describe('the values of one customer', () => {
  test('are whole days since the last purchase, distinct orders and their money', () => {
    expect(values(anOrder(1, 'a', 1_000), aVisit(2), anOrder(20.4, 'b', 250))).toEqual({
      recency: 9,
      frequency: 2,
      monetary: 1_250,
    });
  });

  test('know of nothing at or after the instant', () => {
    expect(values(anOrder(1, 'a', 1_000), anOrder(30, 'b', 1))).toMatchObject({ frequency: 1, recency: 29 });
    expect(values(anOrder(30, 'b', 1))).toBeUndefined();
  });

  test('take an order that was told twice once: as old as the first word, worth what the last says', () => {
    expect(values(anOrder(1, 'a', 1_000), anOrder(2, 'a', 900))).toEqual({
      recency: 29,
      frequency: 1,
      monetary: 900,
    });
  });

  test('leave out what is worth nothing, and take away no refund', () => {
    expect(values(anOrder(1, 'a', 1_000), aRefund(2, 'a', 1_000), anOrder(3, 'gift', 0))).toMatchObject({
      recency: 29,
      frequency: 1,
      monetary: 1_000,
    });
    expect(values(anOrder(3, 'gift', 0))).toBeUndefined();
  });

  test('take every event for an order of its own where the brand names no key', () => {
    const brand = { ...aBrand(), conversions: [] };
    expect(rfmValues([anOrder(1, 'a', 1), anOrder(2, 'a', 1)], asOf, brand)?.frequency).toBe(2);
  });
});

const customers = fc
  .array(fc.record({ recency: fc.nat(6), frequency: fc.integer({ min: 1, max: 4 }), monetary: fc.nat(9) }), {
    minLength: 1,
    maxLength: 40,
  })
  .map((list) => list.map((it, i): RfmCustomer => ({ ...it, id: `c${String(i).padStart(3, '0')}` })));
const seeds = fc.nat();

describe('the scores of a population', () => {
  test('are fifths by rank as qcut cuts them', () => {
    const sizesOf = (n: number) => {
      const sizes = [0, 0, 0, 0, 0];
      for (let i = 0; i < n; i++) sizes[fifthOf(i, n) - 1]! += 1;
      return sizes;
    };
    expect(sizesOf(4_338)).toEqual([868, 867, 868, 867, 868]);
    expect(sizesOf(11)).toEqual([3, 2, 2, 2, 2]);
    expect([sizesOf(1), sizesOf(2)]).toEqual([
      [0, 0, 1, 0, 0],
      [1, 0, 0, 0, 1],
    ]);
  });

  test.each(['apart', 'together'] as const)(
    'with ties %s do not depend on the order of customers',
    (ties) => {
      fc.assert(
        fc.property(customers, seeds, (list, seed) => {
          const again = rfmQuintiles(shuffled(list, seed), ties);
          for (const [id, score] of rfmQuintiles(list, ties)) expect(again.get(id)).toEqual(score);
        }),
      );
    },
  );

  test('apart, fall into fifths that differ by one at most; who is better never has less', () => {
    fc.assert(
      fc.property(customers, (list) => {
        fc.pre(list.length >= 5);
        const scores = rfmQuintiles(list);
        for (const sizes of Object.values(scoreSizes(scores.values())))
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        for (const a of list)
          for (const b of list) {
            const [x, y] = [scores.get(a.id)!, scores.get(b.id)!];
            if (a.recency < b.recency) expect(x.r).toBeGreaterThanOrEqual(y.r);
            if (a.frequency > b.frequency) expect(x.f).toBeGreaterThanOrEqual(y.f);
            if (a.monetary > b.monetary) expect(x.m).toBeGreaterThanOrEqual(y.m);
          }
      }),
    );
  });

  test('together, give equal values one score: the lowest that one of them has apart', () => {
    fc.assert(
      fc.property(customers, (list) => {
        const [apart, together] = [rfmQuintiles(list), rfmQuintiles(list, 'together')];
        for (const [name, value] of [
          ['r', 'recency'],
          ['f', 'frequency'],
          ['m', 'monetary'],
        ] as const)
          for (const group of Map.groupBy(list, (it) => it[value]).values()) {
            const lowest = Math.min(...group.map(({ id }) => apart.get(id)![name]));
            for (const { id } of group) expect(together.get(id)![name]).toBe(lowest);
          }
      }),
    );
  });

  test('come out of histograms the same however those were cut and merged', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 1 }), fc.array(fc.nat(3)), seeds, (list, cut, seed) => {
        const parts = Map.groupBy(list, (_, i) => cut[i] ?? 0);
        const histograms = shuffled([...parts.values()].map(histogramOf), seed);
        const merged = histograms.reduce((a, b) => mergeHistograms(a, b), mergeHistograms());
        const whole = histogramOf(list);
        expect([...merged].sort()).toEqual([...whole].sort());
        expect([...scoresTogether(merged, 'lowest')].sort()).toEqual(
          [...scoresTogether(whole, 'lowest')].sort(),
        );
      }),
    );
  });
});

const reference = new URL('../../../shared/reference/online-retail/online_retail.csv.gz', import.meta.url);
const isHere = existsSync(reference);
const skipped = isHere ? '' : ' (skipped: ../shared/reference is not here)';

describe.runIf(isHere)(`a year of a British shop${skipped}`, () => {
  test('has the published customers, revenue and scores', { timeout: 120_000 }, async () => {
    const { lines, orders } = await ordersOfTheShop();
    const all = Map.groupBy(orders, ([customer]) => customer);
    const brand = aBrand({ currency: 'GBP', timezone: 'Europe/London' });
    const list = [...all].flatMap(([id, its]): RfmCustomer[] => {
      const events = its.map(([, invoice, at, thousandths]) =>
        anOrder((Date.parse(at) - START) / DAY, invoice, thousandths),
      );
      const found = rfmValues(events.sort(byTime), Date.parse('2011-12-10T00:00:00Z'), brand);
      return found ? [{ id, ...found }] : [];
    });
    const revenue = list.reduce((sum, { monetary }) => sum + monetary, 0) / 1_000;
    expect([lines, list.length, revenue.toFixed(2)]).toEqual([397_884, 4_338, '8911407.90']);
    expect(scoreSizes(rfmQuintiles(list).values())).toEqual({
      r: [868, 867, 868, 867, 868],
      f: [868, 867, 868, 867, 868],
      m: [868, 867, 868, 867, 868],
    });
    expect(list.find(({ id }) => id === '12347')).toMatchObject({
      recency: 2,
      frequency: 7,
      monetary: 4_310_000,
    });
  });
});

/** Lines that are purchases of a customer, and the orders that they are together; money in thousandths, exact. */
async function ordersOfTheShop() {
  const orders = new Map<string, [customer: string, invoice: string, at: string, thousandths: number]>();
  let lines = 0;
  const rows = createReadStream(reference)
    .pipe(createGunzip())
    .pipe(parse({ columns: true }));
  for await (const { InvoiceNo, Quantity, InvoiceDate, UnitPrice, CustomerID } of rows) {
    if (CustomerID === '' || !(Number(Quantity) > 0) || !(Number(UnitPrice) > 0)) continue;
    lines++;
    const money = Number(Quantity) * Math.round(Number(UnitPrice) * 1_000);
    const order = orders.get(InvoiceNo) ?? [CustomerID, InvoiceNo, `${InvoiceDate.replace(' ', 'T')}Z`, 0];
    order[3] += money;
    orders.set(InvoiceNo, order);
  }
  return { lines, orders: [...orders.values()] };
}
