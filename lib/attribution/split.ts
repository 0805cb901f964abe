/** One whole, in ppm. */
export const WHOLE = 1_000_000;

/** Bits that the largest weight is scaled to: a double's 53 are kept even of weights 2⁻⁴⁷ of the largest. */
const SCALE_BITS = 100;

/**
 * Splits a whole number by weights, by largest remainder, exactly.
 *
 *   q_i = value · w_i / Σ w     part_i = ⌊q_i⌋, and 1 more for those with the largest q_i − ⌊q_i⌋ until Σ part = value
 *
 * Ties go to whoever comes first in the path. A negative value is split as its absolute value and negated, so that a
 * refund mirrors what it takes back. Weights are taken as the exact binary fractions that doubles are and everything
 * after that is integer arithmetic: no value is too large, and no rounding decides. If no weight is positive, or one
 * is not finite, all count the same (`fallsBack` tells).
 *
 * @param value whole: minor units, or `WHOLE` for ppm; safe integers only
 * @returns one part per weight, summing to `value`; empty for no weights
 * @throws RangeError if `value` is not a safe integer
 * @example split(10_000, [1, 1, 1])  // [3334, 3333, 3333]
 */
export const split = (value: number, weights: readonly number[]): number[] => splitter(weights)(value);

/** Splits several values by the same weights, each as `split` does. */
export function splitter(weights: readonly number[]): (value: number) => number[] {
  const exact = wholeWeights(weights);
  const total = exact.reduce((sum, weight) => sum + weight, 0n);
  return (value) => {
    if (!Number.isSafeInteger(value)) throw new RangeError(`not a whole number that can be split: ${value}`);
    return value === 0 || total === 0n ? exact.map(() => 0) : splitExact(value, exact, total);
  };
}

function splitExact(value: number, exact: readonly bigint[], total: bigint): number[] {
  const size = BigInt(Math.abs(value));
  const quotas = exact.map((weight, i) => {
    const whole = size * weight;
    const part = whole / total;
    return { i, part, rest: whole - part * total };
  });
  let left = size - quotas.reduce((sum, { part }) => sum + part, 0n);
  if (left > 0n)
    for (const quota of [...quotas].sort((a, b) =>
      a.rest < b.rest ? 1 : a.rest > b.rest ? -1 : a.i - b.i,
    )) {
      if (left === 0n) break;
      quota.part += 1n;
      left -= 1n;
    }
  return quotas.map(({ part }) => (value < 0 && part > 0n ? -Number(part) : Number(part)));
}

/** Whether these weights say nothing, so that all touches count the same. */
export const fallsBack = (weights: readonly number[]): boolean =>
  !weights.every((weight) => Number.isFinite(weight) && weight >= 0) || !weights.some((weight) => weight > 0);

/** The weights as whole numbers in the same ratio: each times the same power of two. */
function wholeWeights(weights: readonly number[]): bigint[] {
  if (fallsBack(weights)) return weights.map(() => 1n);
  const largest = Math.max(...weights);
  const power = SCALE_BITS - Math.floor(Math.log2(largest));
  // Two steps: a single factor would overflow for weights near the smallest double.
  const half = Math.floor(power / 2);
  return weights.map((weight) => BigInt(Math.floor(weight * 2 ** half * 2 ** (power - half))));
}
