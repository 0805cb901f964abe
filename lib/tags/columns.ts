import { createHash } from 'node:crypto';
import type { Json } from '../events/event.ts';
import { addWeights, joinWeights, oneWeight, weighed } from './preference.ts';

/** What a cell holds: JSON without objects, so that equal content is equal text. */
export type Slot = string | number | boolean | null | Slot[];

/** What one event gives to a feature. */
export interface Contribution {
  readonly at: number;
  readonly id: string;
  /** The brand-day of `at`. */
  readonly day: number;
  /** The value of the feature's property; absent where the feature has none. */
  readonly value?: Json;
  /** In brand-days, of a feature that weighs values. */
  readonly halfLife?: number | undefined;
}

/**
 * One running number of a feature: a commutative monoid. `null` is its identity and stands for "nothing yet".
 *
 * Whatever the order in which contributions are lifted and merged, and however they are grouped, the slot is the
 * same, to the byte.
 */
interface ColumnLaw {
  lift(of: Contribution): Slot;
  merge(a: Slot, b: Slot): Slot;
}

/** Sums are kept in whole units and millionths: adding is exact, whichever way round. */
const MICRO = 1_000_000;
/** A number beyond this is no quantity (an id, a time): nine thousand of the largest still add up exactly. */
export const MAX_ADDEND = 1e12;
/** So many different values are told apart; one more is kept, which stands for all others. */
export const MAX_DISTINCT = 64;
/** So many of the first events are told apart by their place. */
export const MAX_NTH = 10;
/** A longer text is kept as a digest of 72 bits, which is longer than this. */
const SHORT_TEXT = 12;
/** The longest text that `first("p")` and `last("p")` keep. */
export const MAX_TEXT = 256;

export const columns = {
  /** Events. */
  n: { lift: () => 1, merge: (a, b) => Number(a) + Number(b) },
  /** Sum of a property: a whole number, or `[whole, millionths]`. */
  sum: {
    lift: ({ value }) => (isAddend(value) ? sumSlot(Math.floor(value), micros(value)) : null),
    merge: addSums,
  },
  /** Least and greatest value of a numeric property. */
  min: {
    lift: ({ value }) => (typeof value === 'number' ? value + 0 : null),
    merge: (a, b) => Math.min(Number(a), Number(b)),
  },
  max: {
    lift: ({ value }) => (typeof value === 'number' ? value + 0 : null),
    merge: (a, b) => Math.max(Number(a), Number(b)),
  },
  /** Time of the first and the last event; with a property `[time, id, value]`, by time, then by id. */
  first: { lift: moment, merge: (a, b) => (before(a, b) ? a : b) },
  last: { lift: moment, merge: (a, b) => (before(a, b) ? b : a) },
  /** The brand-days with an event, as runs: `[from, to, from, to, …]`, both ends included, never adjacent. */
  days: { lift: ({ day }) => [day, day], merge: joinRuns },
  /** Of the numbers that `sum` takes, how many and their sum. */
  avg: {
    lift: ({ value }) => (isAddend(value) ? [1, sumSlot(Math.floor(value), micros(value))] : null),
    merge: (a, b) => [Number(at(a, 0)) + Number(at(b, 0)), addSums(at(a, 1), at(b, 1))],
  },
  /** `[time, id]` of the first event. */
  start: { lift: ({ at, id }) => [at, id], merge: (a, b) => (before(a, b) ? a : b) },
  /** The times of the first `MAX_NTH` events. */
  nth: {
    lift: ({ at }) => [at],
    merge: (a, b) => [...numbers(a), ...numbers(b)].sort((x, y) => x - y).slice(0, MAX_NTH),
  },
  /** Different texts, numbers, true or false: the first `MAX_DISTINCT` + 1 of them in one order. */
  distinct: { lift: ({ value }) => (isPlain(value) ? [shortened(value)] : null), merge: joinSets },
  /** Different values with their weights, see `preference.ts`. */
  preference: {
    lift: ({ value, day, halfLife }) => (halfLife === undefined ? null : weighed(value, day, halfLife)),
    merge: joinWeights,
  },
  /** Weights of events added up. */
  faded: {
    lift: ({ day, halfLife }) => (halfLife === undefined ? null : oneWeight(day, halfLife)),
    merge: addWeights,
  },
} satisfies Record<string, ColumnLaw>;

export type Column = keyof typeof columns;
export const columnNames: readonly Column[] = [
  ...(['n', 'sum', 'min', 'max', 'first', 'last', 'days', 'avg', 'distinct', 'start', 'nth'] as const),
  ...(['preference', 'faded'] as const),
];
const laws: Record<Column, ColumnLaw> = columns;

export const lift = (names: readonly Column[], of: Contribution): Slot[] =>
  names.map((name) => laws[name].lift(of));

export function merge(name: Column, a: Slot, b: Slot): Slot {
  if (a === null) return b;
  return b === null ? a : laws[name].merge(a, b);
}

/** The sum in a slot. */
export const sumOf = (slot: Slot): number => {
  const [whole, micro] = sumParts(slot);
  return micro === 0 ? whole : whole + micro / MICRO;
};

/** The average in a slot. */
export const averageOf = (slot: Slot): number => sumOf(at(slot, 1)) / Number(at(slot, 0));

/** The number of days in the longest run. */
export function longestRun(slot: Slot): number {
  let longest = 0;
  for (let i = 0, runs = numbers(slot); i < runs.length; i += 2)
    longest = Math.max(longest, runs[i + 1]! - runs[i]! + 1);
  return longest;
}

/** The number of days in runs. */
export function dayCount(slot: Slot): number {
  let days = 0;
  for (let i = 0, runs = numbers(slot); i < runs.length; i += 2) days += runs[i + 1]! - runs[i]! + 1;
  return days;
}

const isAddend = (value: Json | undefined): value is number =>
  typeof value === 'number' && Math.abs(value) <= MAX_ADDEND;

const micros = (value: number) => Math.round((value - Math.floor(value)) * MICRO);

const sumParts = (slot: Slot): [number, number] =>
  Array.isArray(slot) ? [Number(slot[0]), Number(slot[1])] : [Number(slot), 0];

function sumSlot(whole: number, micro: number): Slot {
  const carried = whole + Math.floor(micro / MICRO) + 0;
  return micro % MICRO === 0 ? carried : [carried, micro % MICRO];
}

function addSums(a: Slot, b: Slot): Slot {
  const [wholeA, microA] = sumParts(a);
  const [wholeB, microB] = sumParts(b);
  return sumSlot(wholeA + wholeB, microA + microB);
}

function moment({ at, id, value }: Contribution): Slot {
  if (value === undefined) return at;
  if (typeof value === 'number') return [at, id, value + 0];
  if (typeof value === 'boolean' || (typeof value === 'string' && value.length <= MAX_TEXT))
    return [at, id, value];
  return null;
}

function before(a: Slot, b: Slot): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return Number(a) < Number(b);
  return a[0] === b[0] ? String(a[1]) < String(b[1]) : Number(a[0]) < Number(b[0]);
}

const at = (slot: Slot, place: number): Slot => (Array.isArray(slot) ? (slot[place] ?? null) : null);

const isPlain = (value: Json | undefined): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

/** A longer text as a digest: it is told apart, and no longer known. */
export function shortened(value: string | number | boolean): Slot {
  if (typeof value === 'number') return value + 0;
  if (typeof value === 'boolean' || value.length <= SHORT_TEXT) return value;
  return `~${createHash('sha256').update(value).digest('base64url').slice(0, SHORT_TEXT)}`;
}

/** The least of both sets: however values are grouped, those that are dropped are greater than all that stay. */
function joinSets(a: Slot, b: Slot): Slot {
  const values = new Map<string, Slot>();
  for (const set of [a, b])
    for (const value of Array.isArray(set) ? set : []) values.set(JSON.stringify(value), value);
  const texts = [...values.keys()].sort().slice(0, MAX_DISTINCT + 1);
  return texts.map((text) => values.get(text) ?? null);
}

const numbers = (slot: Slot): number[] => (Array.isArray(slot) ? slot.map(Number) : []);

function joinRuns(a: Slot, b: Slot): Slot {
  const left = numbers(a);
  const right = numbers(b);
  const joined: number[] = [];
  for (let i = 0, j = 0; i < left.length || j < right.length; ) {
    const takeLeft = j >= right.length || (i < left.length && left[i]! <= right[j]!);
    const from = takeLeft ? left[i]! : right[j]!;
    const to = takeLeft ? left[i + 1]! : right[j + 1]!;
    if (takeLeft) i += 2;
    else j += 2;
    const end = joined.at(-1);
    if (end !== undefined && from <= end + 1) joined[joined.length - 1] = Math.max(end, to);
    else joined.push(from, to);
  }
  return joined;
}
