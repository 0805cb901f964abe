import type { FoldedEvent } from '../../lib/tags/cells.ts';
import type { Dice } from '../laws/world/random.ts';
import { ordered } from './naive.ts';
import { DAY_MS, HOUR_MS, midnight } from './oracle.ts';
import type { Chain, Moment, Num, Of, Op, Rule, Span } from './spoken.ts';

const one = <T>(dice: Dice, from: readonly [T, ...T[]]): T => from[dice.below(from.length)] ?? from[0];

/** Days around which histories lie: clock changes, the ends of weeks, months and years, and a leap day. */
const middles = ['2026-03-08', '2026-11-01', '2025-12-31', '2024-02-29', '2026-07-06'] as const;
export const isoDay = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 10);

/** Where a history lies: within so many days around a day. */
export interface Era {
  readonly middle: number;
  readonly days: number;
}

export const someEra = (dice: Dice): Era => ({
  middle: Date.parse(one(dice, middles)) / DAY_MS,
  days: one(dice, [4, 20, 20, 60, 60, 800]),
});

function someSpan(dice: Dice, era: Era, kind = dice.below(9)): Span {
  const length = () => one(dice, [1, 2, 3, 7, 10, 30, 60, era.days < 100 ? 14 : 1095]);
  switch (kind) {
    case 0:
    case 1:
      return { is: 'ever' };
    case 2:
    case 3:
      return { is: 'ago', unit: 'd', from: length(), to: 0 };
    case 4: {
      const to = dice.below(8);
      return { is: 'ago', unit: 'd', from: to + one(dice, [1, 2, 7, 30]), to };
    }
    case 5:
      return dice.chance(0.5)
        ? { is: 'ago', unit: 'h', from: one(dice, [1, 24, 36, 48]), to: 0 }
        : { is: 'ago', unit: 'h', from: one(dice, [24, 48]), to: one(dice, [1, 12, 23]) };
    case 6:
      return { is: 'week', back: dice.below(5) };
    case 7:
      return { is: 'month', back: dice.below(4) };
    default: {
      const from = era.middle - dice.below(Math.min(era.days, 30));
      return { is: 'dates', from: isoDay(from), to: isoDay(from + 1 + dice.below(20)) };
    }
  }
}

/** A window at the first, the last or the nth of some events, or at a date of the profile. */
function someAnchored(dice: Dice, era: Era): Span {
  const side = dice.chance(0.5) ? 'after' : 'before';
  if (dice.chance(0.3))
    return { is: 'at', side, unit: 'd', length: one(dice, [1, 7, 30, 1095]), anchor: 'born' };
  const anchor = someMoment(dice, { ...someOf(dice, era, false), span: someFixed(dice, era) });
  return dice.chance(0.3)
    ? { is: 'at', side, unit: 'h', length: one(dice, [1, 24, 48]), anchor }
    : { is: 'at', side, unit: 'd', length: one(dice, [1, 2, 7, 30]), anchor };
}

/** A window that does not move. */
const someFixed = (dice: Dice, era: Era): Span => {
  const span = dice.chance(0.3) ? someSpan(dice, era, 8) : undefined;
  return span?.is === 'dates' ? span : { is: 'ever' };
};

const someMoment = (dice: Dice, of: Of): Moment => ({
  of,
  end: one<Moment['end']>(dice, ['first', 'last', 1, 2, 3]),
});

const someOf = (dice: Dice, era: Era, anchored = true): Of => ({
  type: one(dice, ['order_paid', 'order_paid', 'page_viewed']),
  filter: one(dice, [
    'none',
    'none',
    'store',
    'large',
    'channel',
    'both',
    'weekend',
    'evening',
    'pattern',
    'items',
  ]),
  span: anchored && dice.chance(0.08) ? someAnchored(dice, era) : someSpan(dice, era),
});

const someOp = (dice: Dice): Op => one(dice, ['>=', '>=', '>', '<', '==', '!=']);

function someNum(dice: Dice, of: Of, exact = false): Num {
  const takes = ['count', 'days', 'daysInRow', 'streak', 'weeksWith', 'distinct'] as const;
  const take = exact
    ? one(dice, takes)
    : one(dice, [...takes, 'sum', 'sum', 'avg', 'avg', 'min', 'max'] as const);
  const isHours = (of.span.is === 'ago' || of.span.is === 'at') && of.span.unit === 'h';
  const isDays = ['ago', 'week', 'month'].includes(of.span.is) && !isHours;
  if (take === 'distinct')
    return { of, take, property: one(dice, ['store', 'store', 'amount', 'tags', 'nothing']) };
  if (take === 'weeksWith')
    return isDays ? { of, take, least: one(dice, [1, 1, 2, 3]) } : { of, take: 'count' };
  if (take === 'streak') return { of: { ...of, span: daysBack(dice) }, take };
  if (take === 'daysInRow' && isHours) return { of, take: 'days' };
  return { of, take };
}

function someChain(dice: Dice): Chain {
  const step = (): Of => ({
    type: one(dice, ['order_paid', 'page_viewed']),
    filter: one(dice, ['none', 'none', 'store', 'large']),
    span: { is: 'ever' },
  });
  const length = (): Chain['within'] =>
    dice.chance(0.3)
      ? { unit: 'h', length: one(dice, [1, 24, 48]) }
      : { unit: 'd', length: one(dice, [1, 2, 7, 30, 400]) };
  return {
    steps: Array.from({ length: 2 + dice.below(2) }, step),
    within: length(),
    gap: dice.chance(0.4) ? length() : undefined,
    same: dice.chance(0.4) ? 'store' : undefined,
    without: dice.chance(0.4) ? step() : undefined,
  };
}

const daysBack = (dice: Dice): Span => ({
  is: 'ago',
  unit: 'd',
  from: one(dice, [1, 3, 7, 30, 1095]),
  to: 0,
});

function someCompare(dice: Dice, era: Era): Rule {
  const left = someNum(dice, someOf(dice, era));
  const op = someOp(dice);
  if (dice.chance(0.7) || left.take === 'streak' || left.take === 'weeksWith') {
    const bounds = ['sum', 'avg', 'min', 'max'].includes(left.take)
      ? ([0, 20, 50, 100] as const)
      : ([0, 1, 2, 3] as const);
    return { is: 'compare', left, op, right: one(dice, bounds) };
  }
  // A trend: the same of the time before.
  const days = one(dice, [1, 7, 30]);
  const now: Of = { ...left.of, span: { is: 'ago', unit: 'd', from: days, to: 0 } };
  const before: Of = { ...left.of, span: { is: 'ago', unit: 'd', from: 2 * days, to: days } };
  return { is: 'compare', left: { ...left, of: now }, op, right: { ...left, of: before } };
}

function someLeaf(dice: Dice, era: Era, tags: readonly string[]): Rule {
  const of = someOf(dice, era);
  const ever: Of = { ...of, span: { is: 'ever' } };
  switch (dice.below(27)) {
    case 0:
      return { is: 'any', of };
    case 1: {
      const span = of.span.is === 'ever' || of.span.is === 'at' ? daysBack(dice) : of.span;
      return { is: 'firstEver', of: { ...of, span } };
    }
    case 2:
      return {
        is: one(dice, ['stopped', 'restarted', 'dormant']),
        of: ever,
        days: one(dice, [1, 3, 7, 30, 60]),
      };
    case 3:
      return { is: 'lastIs', of: ever, store: one(dice, ['A', 'B']) };
    case 4:
      return {
        is: 'time',
        ...(dice.chance(0.5)
          ? someMoment(dice, { ...of, span: someFixed(dice, era) })
          : { of, end: one(dice, ['first', 'last']) }),
        op: one(dice, ['>=', '<']),
        than: new Date(era.middle * DAY_MS).toISOString(),
      };
    case 5:
      return { is: 'value', of, end: one(dice, ['first', 'last']), store: one(dice, ['A', 'B']) };
    case 6:
      return dice.chance(0.3)
        ? { is: 'hasTrait' }
        : { is: 'trait', equal: dice.chance(0.5), city: one(dice, ['上海', '北京']) };
    case 7:
      return tags[0] === undefined
        ? { is: 'bucket', salt: one(dice, ['a', 'b']), of: 10, below: 5 }
        : { is: 'tag', tag: one(dice, [tags[0], ...tags]) };
    case 8: {
      const [left, right] = [someNum(dice, of, true), someNum(dice, someOf(dice, era), true)];
      return { is: 'divided', left, right, op: someOp(dice), bound: dice.below(3) };
    }
    case 9: {
      const right: Of = { ...of, filter: 'none' };
      const bound = one(dice, [0, 0.25, 0.5, 1]);
      return {
        is: 'ratio',
        left: someNum(dice, of),
        right: { of: right, take: 'count' },
        op: someOp(dice),
        bound,
      };
    }
    case 10:
    case 11: {
      return {
        is: 'date',
        of: dice.chance(0.5) ? 'born' : someMoment(dice, { ...of, span: someFixed(dice, era) }),
        ask: one(dice, [
          'before',
          'on',
          'after',
          'withinLast',
          'withinLast',
          'withinNext',
          'withinNext',
          'anniversary',
        ]),
        day: isoDay(era.middle - 5 + dice.below(10)),
        days: one(dice, [1, 2, 7, 7, 30, 120]),
      };
    }
    case 12:
    case 13:
      return {
        is: 'sequence',
        chain: someChain(dice),
        ended: dice.chance(0.3)
          ? undefined
          : { end: one(dice, ['first', 'last']), days: one(dice, [1, 7, 30]) },
      };
    case 14: {
      const isHours = (of.span.is === 'ago' || of.span.is === 'at') && of.span.unit === 'h';
      return {
        is: 'preferred',
        of: isHours ? ever : of,
        halfLife: one(dice, [7, 10, 30, 365]),
        store: one(dice, ['A', 'B', 'C']),
        equal: dice.chance(0.5),
      };
    }
    default:
      return someCompare(dice, era);
  }
}

export function someRule(dice: Dice, era: Era, tags: readonly string[], depth = 2): Rule {
  const inner = () => someRule(dice, era, tags, depth - 1);
  if (depth === 0 || dice.chance(0.35)) return someLeaf(dice, era, tags);
  switch (dice.below(5)) {
    case 0:
      return { is: 'not', of: inner() };
    case 1: {
      const of = Array.from({ length: 2 + dice.below(2) }, inner);
      return { is: 'kOf', least: 1 + dice.below(of.length), of };
    }
    default:
      return { is: one(dice, ['and', 'or']), left: inner(), right: inner() };
  }
}

/** A date of birth or of a contract: near the era, years before, without a year, as a time, or none at all. */
export const someDate = (dice: Dice, era: Era): string => {
  const near = isoDay(era.middle - 60 + dice.below(120));
  return one(dice, [
    near,
    near,
    `19${near.slice(2)}`.replace('-02-29', '-02-28'),
    near.slice(5),
    `--${near.slice(5)}`,
    `${near}T${one(dice, ['00:00:00Z', '23:30:00.000-05:00', '07:59+08:00'])}`,
    '2024-02-29',
    'soon',
    '2026-02-30',
  ]);
};

const someItems = (dice: Dice) =>
  Array.from({ length: dice.below(3) }, () => ({
    id: one(dice, ['x', 'x', 'y']),
    ...(dice.chance(0.8) ? { count: one<number | string>(dice, [1, 2, 3, '2']) } : {}),
  }));

/** A history: some of it at midnight to the millisecond, some at one instant, some days in a row. */
export function someHistory(dice: Dice, era: Era, zone: string): FoldedEvent[] {
  const start = era.middle - Math.floor(era.days / 2);
  const instants: number[] = [];
  const size = dice.below(16);
  while (instants.length < size) {
    const day = start + dice.below(era.days);
    const roll = dice.below(10);
    const before = instants.at(-1);
    if (roll < 3 && before !== undefined)
      instants.push(before + one(dice, [0, DAY_MS, DAY_MS, HOUR_MS, 7 * DAY_MS]));
    else if (roll < 6) instants.push(midnight(day, zone) + one(dice, [-1, 0, 0, 1]));
    else instants.push(day * DAY_MS + dice.below(DAY_MS));
  }
  return ordered(
    instants.map((at) => ({
      id: `e${dice.below(1_000_000_000)}`,
      type: one(dice, ['order_paid', 'order_paid', 'page_viewed']),
      at,
      channel: one(dice, ['shop', 'pos']),
      properties: {
        ...(dice.chance(0.8) ? { store: one(dice, ['A', 'A', 'B', 'C', null]) } : {}),
        ...(dice.chance(0.9)
          ? { amount: one<number | string>(dice, [0, 10, 20, 60, 100, 100, 150, 0.5, 20.25, -7, '12']) }
          : {}),
        ...(dice.chance(0.1) ? { tags: ['x', 'y'] } : {}),
        ...(dice.chance(0.5) ? { items: someItems(dice) } : {}),
      },
    })),
  );
}
