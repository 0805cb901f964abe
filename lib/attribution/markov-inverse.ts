import type { Chain } from './markov-chain.ts';

/** A pivot smaller than this: paths that never end, and no inverse. */
const LEAST_PIVOT = 1e-14;

export interface VisitsOnce {
  /** That a path visits the state at all: (start · G)ₛ / Gₛₛ. */
  readonly probability: Float64Array;
  /** Conversions, and value, that follow on average once the state is reached: (G · r)ₛ. */
  readonly conversions: Float64Array;
  readonly value: Float64Array;
}

/**
 * What G = (I − Q)⁻¹ tells of each state. One inverse of the whole chain, by elimination in place: time grows with the
 * cube of the states, memory with the square.
 *
 * @throws Error if a pivot vanishes: a state without exit
 */
export function visitsOnce(chain: Chain): VisitsOnce {
  const { states, start, seen } = chain;
  const g = inverse(oneLessMoves(chain), states);
  const begun = start.reduce((total, it) => total + it, 0);
  const visited = new Float64Array(states);
  const conversions = new Float64Array(states);
  const value = new Float64Array(states);
  for (let i = 0; i < states; i++)
    for (let j = 0; j < states; j++) {
      const visits = g[i * states + j]!;
      visited[j]! += (start[i]! / begun) * visits;
      conversions[i]! += (visits * chain.conversions[j]!) / seen[j]!;
      value[i]! += (visits * chain.value[j]!) / seen[j]!;
    }
  return { probability: visited.map((it, s) => it / g[s * states + s]!), conversions, value };
}

/** I − Q, row by row. */
function oneLessMoves({ states, seen, first, to, moves }: Chain): Float64Array {
  const matrix = new Float64Array(states * states);
  for (let s = 0; s < states; s++) {
    matrix[s * states + s] = 1;
    for (let at = first[s]!; at < first[s + 1]!; at++) matrix[s * states + to[at]!]! -= moves[at]! / seen[s]!;
  }
  return matrix;
}

/** Gauss–Jordan in place. Rows of I − Q outweigh themselves on the diagonal, so that no rows need to be exchanged. */
function inverse(matrix: Float64Array, size: number): Float64Array {
  for (let p = 0; p < size; p++) {
    const pivot = matrix[p * size + p]!;
    if (Math.abs(pivot) < LEAST_PIVOT)
      throw new Error('a state of the chain has no exit: the paths do not end');
    matrix[p * size + p] = 1;
    for (let j = 0; j < size; j++) matrix[p * size + j]! /= pivot;
    for (let i = 0; i < size; i++) {
      const factor = matrix[i * size + p]!;
      if (i === p || factor === 0) continue;
      matrix[i * size + p] = 0;
      for (let j = 0; j < size; j++) matrix[i * size + j]! -= factor * matrix[p * size + j]!;
    }
  }
  return matrix;
}
