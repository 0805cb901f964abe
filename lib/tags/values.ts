import type { Json } from '../events/event.ts';

/**
 * A JSON value as CEL sees it: whole numbers are `int`, others `double`. Whole numbers beyond 2^53 stay `double`, as
 * they came: their last digits were lost before. Objects are Maps: a field may have any name, `constructor` too.
 */
export function toCel(value: Json): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value !== 'object' || value === null) return value;
  return new Map(Object.entries(value).map(([name, inner]) => [name, toCel(inner)]));
}
