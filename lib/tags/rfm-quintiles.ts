import type { Event } from '../events/event.ts';
import type { Brand } from '../platform/brand.ts';
import { DAY } from '../platform/clock.ts';
import type { Rfm } from './rfm.ts';

/** What is told apart by how recent, how frequent and how valuable somebody's purchases are. */
export interface RfmValues {
  /** Whole days (floor) from the last purchase to the as-of instant. */
  readonly recency: number;
  /** Distinct orders. */
  readonly frequency: number;
  /** Money of all orders, in minor units. */
  readonly monetary: number;
}

/** One customer's values. `id` orders those whose values are equal. */
export interface RfmCustomer extends RfmValues {
  readonly id: string;
}

/** Whether equal values may get different scores, in the order of ids, or all get the lowest among them. */
export type Ties = 'apart' | 'together';

const measures = ['recency', 'frequency', 'monetary'] as const;
type Measure = (typeof measures)[number];
export type PerMeasure<T> = Readonly<Record<Measure, T>>;

/**
 * Recency, frequency and money of one customer's purchases before an instant; undefined without any.
 *
 * A purchase is an event of the brand's `rfm.event` whose `rfm.value` is a positive whole number. Where the brand counts
 * that event as a conversion, events with one key are one order: as old as the first of them, worth what the last
 * says. Refunds take nothing away. All money is added, in whatever currency.
 *
 * @param events of one customer, in time order
 */
export function rfmValues(
  events: readonly Event[],
  asOf: number,
  { rfm, conversions }: Pick<Brand, 'rfm' | 'conversions'>,
): RfmValues | undefined {
  const key = conversions.find(({ event }) => event === rfm.event)?.key;
  const orders = new Map<string, { readonly at: number; readonly amount: number }>();
  for (const { id, type, occurredAt, properties } of events) {
    const at = Date.parse(occurredAt);
    const amount = properties[rfm.value];
    if (type !== rfm.event || at >= asOf || !isMoney(amount)) continue;
    const said = key === undefined ? undefined : properties[key];
    const order = said === undefined || said === null ? `event ${id}` : `key ${JSON.stringify(said)}`;
    orders.set(order, { at: orders.get(order)?.at ?? at, amount });
  }
  if (orders.size === 0) return undefined;
  const all = [...orders.values()];
  return {
    recency: Math.floor((asOf - all.reduce((last, { at }) => Math.max(last, at), 0)) / DAY),
    frequency: all.length,
    monetary: all.reduce((sum, { amount }) => sum + amount, 0),
  };
}

const isMoney = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;

/** How often each value occurs: exact, and the same in whatever order parts of it are merged. */
export type Histogram = ReadonlyMap<number, number>;

export function histogramOf(values: Iterable<number>): Histogram {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** Commutative, associative, and with the empty histogram as its zero. */
export function mergeHistograms(...parts: readonly Histogram[]): Histogram {
  const counts = new Map<number, number>();
  for (const part of parts)
    for (const [value, count] of part) counts.set(value, (counts.get(value) ?? 0) + count);
  return counts;
}

/**
 * The fifth that a place has among n in ascending order, 1 to 5:
 *
 *   fifth(i) = 1 + |{ k in 1..4 : i > (n − 1)·k / 5 }|        i from 0
 *
 * which are the right-closed quantiles of the ranks 1..n, as `qcut(rank, 5)` cuts them: of 4,338 they take 868, 867,
 * 868, 867 and 868. The only one of one is in the middle: it is the best and the worst.
 */
export function fifthOf(place: number, n: number): number {
  if (n === 1) return 3;
  return 1 + [1, 2, 3, 4].filter((k) => 5 * place > (n - 1) * k).length;
}

/**
 * The score of each value where equal values stay together: the lowest that one of them would get apart.
 *
 * @param best whether the highest value or the lowest gets 5
 */
export function scoresTogether(histogram: Histogram, best: 'highest' | 'lowest'): Map<number, number> {
  const ascending = [...histogram].sort(([a], [b]) => a - b);
  const n = ascending.reduce((sum, [, count]) => sum + count, 0);
  let before = 0;
  return new Map(
    ascending.map(([value, count]) => {
      const first = before;
      before += count;
      return [value, best === 'highest' ? fifthOf(first, n) : 6 - fifthOf(before - 1, n)];
    }),
  );
}

/** Scores by rank, by id: equal values are ordered by id, so that nothing depends on where a customer stood. */
function scoresApart(
  customers: readonly RfmCustomer[],
  measure: Measure,
  best: 'highest' | 'lowest',
): Map<string, number> {
  const ranked = [...customers].sort((a, b) => a[measure] - b[measure] || byText(a.id, b.id));
  const scoreOf = (place: number) => {
    const fifth = fifthOf(place, ranked.length);
    return best === 'highest' ? fifth : 6 - fifth;
  };
  return new Map(ranked.map(({ id }, place) => [id, scoreOf(place)]));
}

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** The most recent, the most often, the most money get 5. */
const bestOf: PerMeasure<'highest' | 'lowest'> = {
  recency: 'lowest',
  frequency: 'highest',
  monetary: 'highest',
};

/**
 * Quintile scores of a whole population, by id; 5 is best. Whatever the order of the customers, the scores are the same.
 *
 * @param customers each id once
 */
export function rfmQuintiles(customers: readonly RfmCustomer[], ties: Ties = 'apart'): Map<string, Rfm> {
  const scored = (measure: Measure): ((it: RfmCustomer) => number) => {
    if (ties === 'apart') {
      const byId = scoresApart(customers, measure, bestOf[measure]);
      return ({ id }) => byId.get(id) ?? 0;
    }
    const byValue = scoresTogether(histogramOf(customers.map((it) => it[measure])), bestOf[measure]);
    return (it) => byValue.get(it[measure]) ?? 0;
  };
  const [r, f, m] = measures.map(scored);
  return new Map(customers.map((it) => [it.id, { r: r?.(it) ?? 0, f: f?.(it) ?? 0, m: m?.(it) ?? 0 }]));
}

/** How many customers have each score, from 1 to 5. */
export function scoreSizes(scores: Iterable<Rfm>): Readonly<Record<keyof Rfm, number[]>> {
  const sizes = { r: [0, 0, 0, 0, 0], f: [0, 0, 0, 0, 0], m: [0, 0, 0, 0, 0] };
  for (const score of scores)
    for (const name of ['r', 'f', 'm'] as const)
      sizes[name][score[name] - 1] = (sizes[name][score[name] - 1] ?? 0) + 1;
  return sizes;
}
