/** How often something converted, what that was worth, and how often it did not convert. */
export interface Counts {
  readonly conversions: number;
  /** Of the conversions, in the file's unit. */
  readonly value: number;
  readonly nulls: number;
}

/**
 * Aggregated paths: each distinct path once, with its counts. Channels are numbers, and all paths lie one after the
 * other in one array: a million of them is a few typed arrays, not a million objects.
 */
export interface CountedPaths {
  /** The name of each channel, by its number. Those of paths that were never counted are listed too. */
  readonly channels: readonly string[];
  /** Path `i` is `steps[starts[i]]` … `steps[starts[i + 1] - 1]`; never empty. */
  readonly steps: Uint32Array;
  readonly starts: Uint32Array;
  readonly conversions: Float64Array;
  readonly value: Float64Array;
  readonly nulls: Float64Array;
  /** Of paths without a touch: nobody's, in every model. */
  readonly unattributed: Counts;
}

/** What a model gives to one channel. */
export interface ChannelCredit {
  readonly channel: string;
  readonly conversions: number;
  readonly value: number;
}

export interface PathCounter {
  /** The number of a channel; the same name has the same number. */
  numberOf(channel: string): number;
  /** Counts one path. The same path is counted once with the sum: counting is adding, in any order. */
  add(path: ArrayLike<number>, counts: Counts): void;
  /** How many distinct paths were counted so far, and touches on them. */
  readonly size: number;
  readonly touches: number;
  /** What was counted so far. */
  counted(): CountedPaths;
}

/** Counts paths into distinct ones. Memory grows with distinct paths, not with the rows they come from. */
export function pathCounter(): PathCounter {
  const numbers = new Map<string, number>();
  let steps = new Uint32Array(1 << 12);
  let starts = new Uint32Array(1 << 10);
  let sums = new Float64Array(3 << 10); // conversions, value, nulls of path 0, of path 1, …
  let slots = new Int32Array(1 << 12).fill(-1); // an open hash table of paths: at most half full
  let size = 0;
  const nobody = { conversions: 0, value: 0, nulls: 0 };

  const isPath = (i: number, path: ArrayLike<number>): boolean => {
    const from = starts[i]!;
    if (starts[i + 1]! - from !== path.length) return false;
    for (let j = 0; j < path.length; j++) if (steps[from + j] !== path[j]) return false;
    return true;
  };

  /** The slot of a path: the one it is in, or the free one that it would take. */
  const slotOf = (path: ArrayLike<number>): number => {
    let slot = hashOf(path) & (slots.length - 1);
    while (slots[slot]! >= 0 && !isPath(slots[slot]!, path)) slot = (slot + 1) & (slots.length - 1);
    return slot;
  };

  const makeRoom = (length: number) => {
    const used = starts[size]!;
    steps = grown(steps, used + length);
    starts = grown(starts, size + 2);
    sums = grown(sums, 3 * (size + 1));
    if (2 * (size + 1) <= slots.length) return;
    slots = new Int32Array(slots.length * 2).fill(-1);
    for (let i = 0; i < size; i++) slots[slotOf(steps.subarray(starts[i], starts[i + 1]))] = i;
  };

  return {
    get size() {
      return size;
    },
    get touches() {
      return starts[size]!;
    },
    numberOf(channel) {
      const known = numbers.get(channel);
      if (known !== undefined) return known;
      numbers.set(channel, numbers.size);
      return numbers.size - 1;
    },
    add(path, { conversions, value, nulls }) {
      if (path.length === 0) {
        nobody.conversions += conversions;
        nobody.value += value;
        nobody.nulls += nulls;
        return;
      }
      makeRoom(path.length);
      const slot = slotOf(path);
      let at = slots[slot]!;
      if (at < 0) {
        at = slots[slot] = size++;
        steps.set(path, starts[at]);
        starts[size] = starts[at]! + path.length;
      }
      sums[3 * at] = sums[3 * at]! + conversions;
      sums[3 * at + 1] = sums[3 * at + 1]! + value;
      sums[3 * at + 2] = sums[3 * at + 2]! + nulls;
    },
    counted() {
      const column = (k: number) => Float64Array.from({ length: size }, (_, i) => sums[3 * i + k]!);
      return {
        channels: [...numbers.keys()],
        steps: steps.slice(0, starts[size]),
        starts: starts.slice(0, size + 1),
        conversions: column(0),
        value: column(1),
        nulls: column(2),
        unattributed: { ...nobody },
      };
    },
  };
}

/** Counts paths that are at hand, as names. @example countPaths([[['wecom', 'shop'], { conversions: 2, value: 9, nulls: 1 }]]) */
export function countPaths(rows: Iterable<readonly [readonly string[], Counts]>): CountedPaths {
  const counter = pathCounter();
  for (const [path, counts] of rows) counter.add(path.map(counter.numberOf), counts);
  return counter.counted();
}

/** How many distinct paths there are. */
export const sizeOf = (paths: CountedPaths): number => paths.starts.length - 1;

/** What all paths with a touch come to. */
export function totalsOf({ conversions, value, nulls }: CountedPaths): Counts {
  const sum = (list: Float64Array) => list.reduce((total, it) => total + it, 0);
  return { conversions: sum(conversions), value: sum(value), nulls: sum(nulls) };
}

/** One credit a channel, in the order of their numbers. */
export const creditsOf = (
  { channels }: Pick<CountedPaths, 'channels'>,
  conversions: ArrayLike<number>,
  value: ArrayLike<number>,
): ChannelCredit[] =>
  channels.map((channel, i) => ({ channel, conversions: conversions[i]!, value: value[i]! }));

/** FNV-1a over the steps, and a last stir: neighbours in a table of a power of two must not be neighbours by number. */
function hashOf(path: ArrayLike<number>): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < path.length; i++) hash = Math.imul(hash ^ path[i]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

function grown<T extends Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer>>(list: T, least: number): T;
function grown(list: Uint32Array | Float64Array, least: number): Uint32Array | Float64Array {
  if (least <= list.length) return list;
  const size = Math.max(least, list.length * 2);
  const larger = list instanceof Uint32Array ? new Uint32Array(size) : new Float64Array(size);
  larger.set(list);
  return larger;
}
