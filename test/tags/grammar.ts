import type { FoldedEvent } from '../../lib/tags/cells.ts';
import type { Dice } from '../laws/world/random.ts';
import { type Num, type Of, type Op, ordered, type Rule, type Span } from './naive.ts';
import { DAY_MS, HOUR_MS, midnight } from './oracle.ts';

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

function someSpan(dice: Dice, era: Era): Span {
  const length = () => one(dice, [1, 2, 3, 7, 10, 30, 60, era.days < 100 ? 14 : 1095]);
  switch (dice.below(9)) {
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

const someOf = (dice: Dice, era: Era): Of => ({
  type: one(dice, ['order_paid', 'order_paid', 'page_viewed']),
  filter: one(dice, ['none', 'none', 'store', 'large', 'channel', 'both']),
  span: someSpan(dice, era),
});

const someOp = (dice: Dice): Op => one(dice, ['>=', '>=', '>', '<', '==', '!=']);

function someNum(dice: Dice, of: Of, exact = false): Num {
  const takes = ['count', 'days', 'daysInRow', 'streak', 'weeksWith', 'distinct'] as const;
  const take = exact
    ? one(dice, takes)
    : one(dice, [...takes, 'sum', 'sum', 'avg', 'avg', 'min', 'max'] as const);
  const isHours = of.span.is === 'ago' && of.span.unit === 'h';
  const isDays = of.span.is !== 'ever' && of.span.is !== 'dates' && !isHours;
  if (take === 'distinct')
    return { of, take, property: one(dice, ['store', 'store', 'amount', 'tags', 'nothing']) };
  if (take === 'weeksWith')
    return isDays ? { of, take, least: one(dice, [1, 1, 2, 3]) } : { of, take: 'count' };
  if (take === 'streak') return { of: { ...of, span: daysBack(dice) }, take };
  if (take === 'daysInRow' && isHours) return { of, take: 'days' };
  return { of, take };
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
  switch (dice.below(14)) {
    case 0:
      return { is: 'any', of };
    case 1: {
      const span = of.span.is === 'ever' ? daysBack(dice) : of.span;
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
        of,
        end: one(dice, ['first', 'last']),
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
      },
    })),
  );
}
