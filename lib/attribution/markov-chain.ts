import { type CountedPaths, sizeOf } from './paths.ts';

/**
 * A Markov chain of order k, as counts. Its states are the k channels last seen (a path of at most k channels is one
 * state); it begins at `start`, moves along `to`, and ends in a conversion or in nothing.
 */
export interface Chain {
  readonly order: number;
  readonly states: number;
  /** The channels that state `s` stands for: `members[s * order]` …; -1 where it stands for fewer than k. */
  readonly members: Int32Array;
  /** How many paths begin in each state. */
  readonly start: Float64Array;
  /** How many are seen in each state: all that leave it, to another or for good. */
  readonly seen: Float64Array;
  /** Per state: conversions from here, and their value. */
  readonly conversions: Float64Array;
  readonly value: Float64Array;
  /** The moves of state `s`: `to[first[s]]` … `to[first[s + 1] - 1]`, and how often each was made. */
  readonly first: Uint32Array;
  readonly to: Uint32Array;
  readonly moves: Float64Array;
}

/** These paths cannot bear this order: too few of them, or too many channels. */
export class OrderRefused extends Error {
  override readonly name = 'OrderRefused';
}

/** No table of states can be larger. */
const MOST_STATES = 2 ** 24;

/**
 * The chain that counted paths make. Paths that neither converted nor did not (0 and 0) make no moves.
 *
 * @param repeats whether a channel that follows itself is a step. In order 1 dropping them changes no removal effect,
 * and in order k none beyond the k-th of a run does (a state that follows itself is only left later); a shorter run is
 * part of what the chain remembers.
 * @throws OrderRefused for more channels than this order can tell apart
 */
export function chainOf(paths: CountedPaths, order: number, repeats: 'keep' | 'drop'): Chain {
  const base = paths.channels.length + 1;
  if (base ** order > Number.MAX_SAFE_INTEGER)
    throw new OrderRefused(`${base - 1} channels are too many for order ${order}: take a lower one`);
  const fewer = base ** (order - 1);
  const numbers = new Map<number, number>();
  const keys: number[] = [];
  const ends: { start: number[]; seen: number[]; conversions: number[]; value: number[] } = {
    start: [],
    seen: [],
    conversions: [],
    value: [],
  };
  const moves = new Map<number, number>();

  const stateOf = (key: number): number => {
    const known = numbers.get(key);
    if (known !== undefined) return known;
    const state = keys.length;
    if (state === MOST_STATES) throw new OrderRefused(`too many states for order ${order}: take a lower one`);
    numbers.set(key, state);
    keys.push(key);
    for (const column of [ends.start, ends.seen, ends.conversions, ends.value]) column.push(0);
    return state;
  };

  const { steps, starts, conversions, value, nulls } = paths;
  for (let i = 0; i < sizeOf(paths); i++) {
    const weight = conversions[i]! + nulls[i]!;
    if (weight === 0) continue;
    let key = 0;
    let length = 0;
    let state = -1;
    let previous = -1;
    for (let at = starts[i]!; at < starts[i + 1]!; at++) {
      const channel = steps[at]!;
      if (channel === previous && repeats === 'drop') continue;
      previous = channel;
      length += 1;
      key = (key % fewer) * base + channel + 1;
      if (length < order) continue;
      const next = stateOf(key);
      if (state < 0) ends.start[next]! += weight;
      else {
        const move = state * MOST_STATES + next;
        moves.set(move, (moves.get(move) ?? 0) + weight);
        ends.seen[state]! += weight;
      }
      state = next;
    }
    if (state < 0) {
      state = stateOf(key); // shorter than the order: the whole path is one state
      ends.start[state]! += weight;
    }
    ends.seen[state]! += weight;
    ends.conversions[state]! += conversions[i]!;
    ends.value[state]! += value[i]!;
  }
  return {
    order,
    states: keys.length,
    members: membersOf(keys, order, base),
    start: Float64Array.from(ends.start),
    seen: Float64Array.from(ends.seen),
    conversions: Float64Array.from(ends.conversions),
    value: Float64Array.from(ends.value),
    ...byOrigin(moves, keys.length),
  };
}

function membersOf(keys: readonly number[], order: number, base: number): Int32Array {
  const members = new Int32Array(keys.length * order).fill(-1);
  for (const [state, whole] of keys.entries()) {
    let key = whole;
    for (let i = 0; key > 0; i++) {
      members[state * order + i] = (key % base) - 1;
      key = Math.floor(key / base);
    }
  }
  return members;
}

/** Moves sorted by where they come from, so that all of a state's lie together. */
function byOrigin(
  counted: ReadonlyMap<number, number>,
  states: number,
): Pick<Chain, 'first' | 'to' | 'moves'> {
  const first = new Uint32Array(states + 1);
  for (const move of counted.keys()) first[Math.floor(move / MOST_STATES) + 1]! += 1;
  for (let s = 0; s < states; s++) first[s + 1]! += first[s]!;
  const next = first.slice(0, states);
  const to = new Uint32Array(counted.size);
  const moves = new Float64Array(counted.size);
  for (const [move, count] of counted) {
    const at = next[Math.floor(move / MOST_STATES)]!++;
    to[at] = move % MOST_STATES;
    moves[at] = count;
  }
  return { first, to, moves };
}

/** Less than this share of the paths may still be under way when walking them ends: it bounds the error of a rate. */
const UNDER_WAY = 1e-17;
const MOST_SWEEPS = 200_000;
/** A state that is left less often than this holds its paths for ever. */
const LEAST_EXIT = 1e-14;

/**
 * How often each state is visited by all paths, when those that reach a state of `removed` are lost there:
 *
 *   visits = start + visits · Q      without the rows and columns of what is removed; nothing is renormalised
 *
 * Solved by walking what is under way on from state to state until next to nothing is left (Gauss–Seidel in the form
 * that adds only): nothing is ever subtracted, so no digit is lost, and what is left bounds the error. Where many
 * states are left it needs no more memory than the moves themselves.
 *
 * @param removed 1 for each state that is gone
 * @throws Error if paths do not end: a state without exit
 */
export function visits(chain: Chain, removed: Uint8Array): Float64Array {
  const { states, start, seen, first, to, moves } = chain;
  const visited = new Float64Array(states);
  const waiting = new Float64Array(states);
  let all = 0;
  for (let s = 0; s < states; s++) {
    all += start[s]!;
    if (removed[s] === 0) waiting[s] = start[s]!;
  }
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    for (let s = 0; s < states; s++) {
      const walking = waiting[s]!;
      if (walking === 0) continue;
      waiting[s] = 0;
      let stays = 0;
      for (let at = first[s]!; at < first[s + 1]!; at++) if (to[at] === s) stays = moves[at]! / seen[s]!;
      if (1 - stays < LEAST_EXIT) throw new Error('a state of the chain has no exit: the paths do not end');
      const visit = walking / (1 - stays);
      visited[s]! += visit;
      const each = visit / seen[s]!;
      for (let at = first[s]!; at < first[s + 1]!; at++) {
        const next = to[at]!;
        if (next !== s && removed[next] === 0) waiting[next]! += each * moves[at]!;
      }
    }
    let left = 0;
    for (let s = 0; s < states; s++) left += waiting[s]!;
    if (left <= UNDER_WAY * all) return visited;
  }
  throw new Error(`the paths do not end within ${MOST_SWEEPS} sweeps: their states are hardly ever left`);
}
