import type { Slot } from './columns.ts';

/** So many different values are weighed; with one more it is not known any longer which is preferred. */
export const MAX_WEIGHED = 32;
/** A longer text is no value that somebody prefers. */
export const MAX_VALUE_TEXT = 64;
/** The shortest and the longest half-life in brand-days: what is kept of a value grows by one bit in each. */
export const HALF_LIVES = { least: 7, most: 365 } as const;

/** Bits of a weight behind its leading one. */
const PRECISION = 24;

/**
 * The weight of an event of brand-day d with a half-life of h brand-days, as a whole number:
 *
 *   w = round(2^(24 + f)) · 2^⌊d / h⌋        f = d / h − ⌊d / h⌋
 *
 * What happened h days later weighs twice as much. Which value weighs most does not depend on the day on which it is
 * asked: all fade alike. Whole numbers add up exactly, in whatever order.
 */
export function weightOf(day: number, halfLife: number): bigint {
  const periods = Math.floor(day / halfLife);
  const whole = BigInt(Math.round(2 ** (PRECISION + day / halfLife - periods)));
  return whole << BigInt(Math.max(0, periods));
}

/** What one event gives: `[value, weight]`. */
export function weighed(value: unknown, day: number, halfLife: number): Slot {
  const isValue =
    typeof value === 'number' ||
    typeof value === 'boolean' ||
    (typeof value === 'string' && value.length <= MAX_VALUE_TEXT);
  if (!isValue) return null;
  return [typeof value === 'number' ? value + 0 : value, written(weightOf(day, halfLife))];
}

/**
 * The weights of both, `[value, weight, value, weight, …]` in one order of values, the first `MAX_WEIGHED` + 1 of them.
 * However events are grouped, those that are dropped come after all that stay, and those that stay were never dropped.
 */
export function joinWeights(a: Slot, b: Slot): Slot {
  const weights = new Map<string, [value: Slot, weight: bigint]>();
  for (const [value, weight] of [...pairs(a), ...pairs(b)]) {
    const text = JSON.stringify(value);
    weights.set(text, [value, weight + (weights.get(text)?.[1] ?? 0n)]);
  }
  return [...weights.keys()]
    .sort()
    .slice(0, MAX_WEIGHED + 1)
    .flatMap((text) => {
      const [value = null, weight = 0n] = weights.get(text) ?? [];
      return [value, written(weight)];
    });
}

/** The value that weighs most, of equal ones the first in order; `beyond` where there are more than are weighed. */
export function preferred(slot: Slot): { readonly value?: Slot; readonly beyond?: true } {
  const all = pairs(slot);
  if (all.length > MAX_WEIGHED) return { beyond: true };
  const [first, ...rest] = all;
  if (!first) return {};
  return { value: rest.reduce((best, it) => (it[1] > best[1] ? it : best), first)[0] };
}

function pairs(slot: Slot): [value: Slot, weight: bigint][] {
  if (!Array.isArray(slot)) return [];
  return Array.from({ length: slot.length / 2 }, (_, i) => [
    slot[2 * i] ?? null,
    readWeight(slot[2 * i + 1]),
  ]);
}

/** Hexadecimal, zeros at the end counted: `1a2b.c4`. One form for each number. */
function written(weight: bigint): string {
  const hex = weight.toString(16);
  const digits = hex.replace(/0+$/, '');
  return `${digits}.${(hex.length - digits.length).toString(16)}`;
}

/** The sum of two weights. */
export const addWeights = (a: Slot, b: Slot): Slot => written(readWeight(a) + readWeight(b));

/** What one event of a day weighs. */
export const oneWeight = (day: number, halfLife: number): Slot => written(weightOf(day, halfLife));

/** Nothing weighs nothing. */
export function readWeight(text: unknown): bigint {
  if (typeof text !== 'string') return 0n;
  const [digits = '0', zeros = '0'] = text.split('.');
  return BigInt(`0x${digits}`) << BigInt(4 * Number.parseInt(zeros, 16));
}
