/** Up to so many players, all coalitions are looked at. */
export const MOST_EXACT = 14;

/** Coalitions are bits of a 32-bit number, and each is worth a double: beyond this they would fill gigabytes. */
const MOST_BITS = 24;

/**
 * Shapley values of a game with few players, exactly:
 *
 *   φ(i) = Σ over coalitions S without i:  |S|! (n − |S| − 1)! / n! · (v(S + i) − v(S))
 *
 * @param worth of each coalition, by its players as bits: 2ⁿ of them, and `worth[0]` of nobody
 * @returns one value a player; Σ φ = v(all) − v(nobody)
 * @throws RangeError if `worth` is not 2ⁿ long, or n is more than 24
 * @example shapley([0, 10, 20, 40])  // [15, 25]
 */
export function shapley(worth: ArrayLike<number>): Float64Array {
  const players = Math.log2(worth.length);
  if (!Number.isInteger(players) || players > MOST_BITS)
    throw new RangeError(`${worth.length} coalitions are not all of at most ${MOST_BITS} players`);
  const values = new Float64Array(players);
  const weights = weightsBySize(players);
  for (let coalition = 0; coalition < worth.length; coalition++) {
    const size = bitsOf(coalition);
    const [joined, missing] = [weights[size - 1] ?? 0, weights[size] ?? 0];
    // Gathered by coalition: v(S) counts for each of its players, and against each that is not in it.
    for (let player = 0; player < players; player++)
      values[player]! +=
        coalition & (1 << player) ? joined * worth[coalition]! : -missing * worth[coalition]!;
  }
  return values;
}

/** |S|! (n − |S| − 1)! / n! by |S|: 1 / n / (n − 1 over |S|). */
function weightsBySize(players: number): number[] {
  const weights: number[] = [];
  for (let size = 0, weight = 1 / players; size < players; size++) {
    weights.push(weight);
    weight *= (size + 1) / (players - 1 - size);
  }
  return weights;
}

/** Makes each coalition worth at least as much as any that is part of it: v*(S) = max over T ⊆ S of v(T). In place. */
export function closeUpwards(worth: Float64Array): Float64Array {
  for (let bit = 1; bit < worth.length; bit <<= 1)
    for (let coalition = 0; coalition < worth.length; coalition++)
      if (coalition & bit && worth[coalition ^ bit]! > worth[coalition]!)
        worth[coalition] = worth[coalition ^ bit]!;
  return worth;
}

/** Makes of what each coalition has alone what it has with all that is part of it: v(S) = Σ over T ⊆ S of own(T). In place. */
export function sumUpwards(own: Float64Array): Float64Array {
  for (let bit = 1; bit < own.length; bit <<= 1)
    for (let coalition = 0; coalition < own.length; coalition++)
      if (coalition & bit) own[coalition]! += own[coalition ^ bit]!;
  return own;
}

export interface Sampling {
  readonly seed: number;
  /** Ends when the largest standard error is at most this … */
  readonly tolerance: number;
  /** … or when so many permutations were looked at. */
  readonly mostPermutations: number;
}

export interface Sampled {
  readonly values: Float64Array;
  /** Of each value, as seen from the differences between pairs of permutations. */
  readonly standardErrors: Float64Array;
  readonly permutations: number;
}

/** The error is not believed before so many pairs. */
const LEAST_PAIRS = 32;

/**
 * Shapley values of a game with many players, from a sample of the orders in which they may join. Each order is taken
 * with its reverse, so that who joins early here joins late there. What the players of one order bring adds up to
 * v(all) − v(nobody), and so do the values.
 *
 * @param worthAlong what is there when nobody, the first, the first two, … players of an order have joined: n + 1
 * numbers, which are read before it is called again
 */
export function sampledShapley(
  players: number,
  worthAlong: (order: Uint32Array) => ArrayLike<number>,
  { seed, tolerance, mostPermutations }: Sampling,
): Sampled {
  const values = new Float64Array(players);
  const squares = new Float64Array(players); // of distances from the mean (Welford)
  const standardErrors = new Float64Array(players);
  const order = Uint32Array.from({ length: players }, (_, i) => i);
  const brought = new Float64Array(players);
  const next = dice(seed);
  const take = () => {
    const worth = worthAlong(order);
    for (let i = 0; i < players; i++) brought[order[i]!]! += (worth[i + 1]! - worth[i]!) / 2;
  };
  let pairs = 0;
  while (2 * pairs < mostPermutations || pairs === 0) {
    shuffle(order, next);
    brought.fill(0);
    take();
    order.reverse();
    take();
    pairs += 1;
    let worst = 0;
    for (let i = 0; i < players; i++) {
      const distance = brought[i]! - values[i]!;
      values[i]! += distance / pairs;
      squares[i]! += distance * (brought[i]! - values[i]!);
      standardErrors[i] = pairs > 1 ? Math.sqrt(squares[i]! / (pairs - 1) / pairs) : Number.POSITIVE_INFINITY;
      worst = Math.max(worst, standardErrors[i]!);
    }
    if (pairs >= LEAST_PAIRS && worst <= tolerance) break;
  }
  return { values, standardErrors, permutations: 2 * pairs };
}

/** Fisher–Yates. */
function shuffle(list: Uint32Array, next: () => number): void {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
}

/** In [0, 1), the same for the same seed on every machine (mulberry32). */
export function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function bitsOf(coalition: number): number {
  let bits = 0;
  for (let rest = coalition; rest !== 0; rest &= rest - 1) bits += 1;
  return bits;
}
