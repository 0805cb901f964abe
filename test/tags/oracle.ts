import fc from 'fast-check';
import type { FoldedEvent } from '../../lib/tags/cells.ts';

/** A leaf as the oracle understands it, with its text in the rule language. */
export interface Asked {
  readonly type: string;
  readonly filter: 'none' | 'store' | 'large' | 'channel';
  readonly window: string | undefined;
  readonly aggregate:
    | 'count'
    | 'sum'
    | 'min'
    | 'max'
    | 'days'
    | 'any'
    | 'first'
    | 'last'
    | 'firstOf'
    | 'lastOf';
}

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

const filterText = {
  none: '',
  store: '.where(e, e.store == "A")',
  large: '.where(order, order.properties.amount > 50 && order.amount != 60)',
  channel: '.where(e, e.channel == "shop" || has(e.nothing))',
};

export function textOf({ type, filter, window, aggregate }: Asked): string {
  const end = { firstOf: 'first("store")', lastOf: 'last("store")' }[String(aggregate)];
  const needsAmount = aggregate === 'sum' || aggregate === 'min' || aggregate === 'max';
  const call = end ?? `${aggregate}(${needsAmount ? '"amount"' : ''})`;
  return `events("${type}")${filterText[filter]}${window ? `.within("${window}")` : ''}.${call}`;
}

/** The local date, as days since 1970: asked of Intl anew for every event. */
export function localDay(at: number, zone: string): number {
  const format =
    formats.get(zone) ?? new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' });
  formats.set(zone, format);
  return Date.parse(`${format.format(at)}T00:00:00Z`) / DAY_MS;
}
const formats = new Map<string, Intl.DateTimeFormat>();

/** First instant of a local date, by looking at every quarter of an hour, once. */
export function midnight(day: number, zone: string): number {
  const name = `${zone} ${day}`;
  let at = midnights.get(name);
  if (at === undefined) {
    at = day * DAY_MS - 15 * HOUR_MS;
    while (localDay(at, zone) < day) at += HOUR_MS / 4;
    midnights.set(name, at);
  }
  return at;
}
const midnights = new Map<string, number>();

/** A leaf's value from the raw events, at an instant. Undefined: there is none. */
export function ask(asked: Asked, events: readonly FoldedEvent[], at: number, zone: string): unknown {
  const inside = events.filter((event) => {
    if (event.type !== asked.type) return false;
    const { store, amount } = event.properties;
    if (asked.filter === 'store' && store !== 'A') return false;
    if (asked.filter === 'large' && !(typeof amount === 'number' && amount > 50 && amount !== 60))
      return false;
    if (asked.filter === 'channel' && event.channel !== 'shop') return false;
    if (asked.window === undefined) return true;
    const length = Number(asked.window.slice(0, -1));
    if (asked.window.endsWith('h')) return event.at <= at && at < event.at + length * HOUR_MS;
    const age = localDay(at, zone) - localDay(event.at, zone);
    return age >= 0 && age < length;
  });
  const ordered = inside.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  const amounts = inside.map((event) => event.properties.amount).filter((it) => typeof it === 'number');
  const stores = ordered
    .map((event) => event.properties.store)
    .filter((it) => it !== undefined && it !== null);
  switch (asked.aggregate) {
    case 'count':
      return inside.length;
    case 'any':
      return inside.length > 0;
    case 'days':
      return new Set(inside.map((event) => localDay(event.at, zone))).size;
    case 'sum':
      return amounts.reduce((sum, it) => sum + Math.round(it * 1e6), 0) / 1e6;
    case 'min':
      return amounts.length > 0 ? Math.min(...amounts) : undefined;
    case 'max':
      return amounts.length > 0 ? Math.max(...amounts) : undefined;
    case 'first':
      return ordered[0]?.at;
    case 'last':
      return ordered.at(-1)?.at;
    case 'firstOf':
      return stores[0];
    case 'lastOf':
      return stores.at(-1);
  }
}

/** A condition that the oracle can work out in three values: undefined is "cannot be said". */
export type Condition =
  | { readonly kind: 'leaf'; readonly asked: Asked; readonly bound: number }
  | { readonly kind: 'and' | 'or'; readonly left: Condition; readonly right: Condition }
  | { readonly kind: 'not'; readonly of: Condition };

export function conditionText(condition: Condition): string {
  if (condition.kind === 'not') return `!(${conditionText(condition.of)})`;
  if (condition.kind !== 'leaf')
    return `(${conditionText(condition.left)} ${condition.kind === 'and' ? '&&' : '||'} ${conditionText(condition.right)})`;
  const text = textOf(condition.asked);
  const { aggregate } = condition.asked;
  if (aggregate === 'any') return text;
  if (aggregate === 'first' || aggregate === 'last') return `${text} > timestamp("2026-03-07T00:00:00Z")`;
  if (aggregate === 'firstOf' || aggregate === 'lastOf') return `${text} == "A"`;
  return `${text} >= ${condition.bound}`;
}

export function holds(
  condition: Condition,
  events: readonly FoldedEvent[],
  at: number,
  zone: string,
): boolean | undefined {
  if (condition.kind === 'not') {
    const of = holds(condition.of, events, at, zone);
    return of === undefined ? undefined : !of;
  }
  if (condition.kind !== 'leaf') {
    const sides = [holds(condition.left, events, at, zone), holds(condition.right, events, at, zone)];
    const decides = condition.kind === 'or';
    if (sides.includes(decides)) return decides;
    return sides.includes(undefined) ? undefined : !decides;
  }
  const value = ask(condition.asked, events, at, zone);
  const { aggregate } = condition.asked;
  if (value === undefined) return undefined;
  if (aggregate === 'any') return value === true;
  if (aggregate === 'first' || aggregate === 'last')
    return Number(value) > Date.parse('2026-03-07T00:00:00Z');
  if (aggregate === 'firstOf' || aggregate === 'lastOf') return value === 'A';
  return Number(value) >= condition.bound;
}

export const zones = ['Asia/Shanghai', 'UTC', 'America/New_York', 'Europe/London'] as const;
/** Days before a clock change in each of the zones that have them, and one that is like any other. */
const beginnings = ['2026-03-01', '2026-03-22', '2026-10-18', '2026-10-26', '2026-07-01'].map((it) =>
  Date.parse(it),
);

export const someAsked = (hours: boolean): fc.Arbitrary<Asked> =>
  fc.record({
    type: fc.constantFrom('order_paid', 'page_viewed'),
    filter: fc.constantFrom('none', 'store', 'large', 'channel'),
    window: fc.constantFrom(undefined, '1d', '2d', '7d', '30d', ...(hours ? ['1h', '24h', '36h'] : [])),
    aggregate: fc.constantFrom(
      'count',
      'sum',
      'min',
      'max',
      'days',
      'any',
      'first',
      'last',
      'firstOf',
      'lastOf',
    ),
  });

export const someCondition: fc.Arbitrary<Condition> = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 2 },
    fc.record({
      kind: fc.constant('leaf'),
      asked: someAsked(true),
      bound: fc.constantFrom(1, 2, 3, 50, 120),
    }),
    fc.record({ kind: fc.constantFrom('and', 'or'), left: tie('condition'), right: tie('condition') }),
    fc.record({ kind: fc.constant('not'), of: tie('condition') }),
  ),
})).condition;

/** A profile's events around a clock change: some at midnight to the millisecond, some at the same instant. */
export const someEvents = (zone: string): fc.Arbitrary<FoldedEvent[]> =>
  fc.constantFrom(...beginnings).chain((from) =>
    fc
      .array(
        fc.record({
          type: fc.constantFrom('order_paid', 'page_viewed'),
          at: fc.oneof(
            fc.integer({ min: from, max: from + 12 * DAY_MS }),
            fc
              .record({ day: fc.integer({ min: 1, max: 12 }), off: fc.constantFrom(-1, 0, 1, 2 * HOUR_MS) })
              .map(({ day, off }) => midnight(from / DAY_MS + day, zone) + off),
          ),
          channel: fc.constantFrom('shop', 'pos'),
          properties: fc.record(
            {
              store: fc.constantFrom('A', 'B', null),
              amount: fc.oneof(
                fc.integer({ min: 0, max: 150 }),
                fc.constantFrom<string | number>('12', 60, 0.5, 20.25, -7),
              ),
            },
            { requiredKeys: [] },
          ),
        }),
        { maxLength: 14 },
      )
      .map((events) =>
        events.map((event, i) => ({ ...event, id: `e${String((i * 7) % 100).padStart(2, '0')}` })),
      ),
  );

/** Instants at which something may just have changed, a millisecond before and after, and any others. */
export function instantsAround(events: readonly FoldedEvent[], zone: string): number[] {
  const edges = events.flatMap(({ at }) => [
    ...[0, 1, 24, 36].map((hours) => at + hours * HOUR_MS),
    ...[0, 1, 2, 7, 30].map((days) => midnight(localDay(at, zone) + days, zone)),
  ]);
  return [...new Set(edges.flatMap((at) => [at - 1, at, at + 1]))].sort((a, b) => a - b);
}
