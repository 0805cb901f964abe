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
  const rough = fallsBack(weights) ? weights.map(() => 1) : weights;
  const total = rough.reduce((sum, weight) => sum + weight, 0);
  const areWhole = Number.isSafeInteger(total) && rough.every(Number.isInteger);
  const exactly = () => exactSplitter(weights);
  let exact: ReturnType<typeof exactly> | undefined;
  return (value) => {
    if (!Number.isSafeInteger(value)) throw new RangeError(`not a whole number that can be split: ${value}`);
    if (value === 0 || weights.length === 0) return weights.map(() => 0);
    const quick = areWhole ? splitWhole(value, rough, total) : splitNearly(value, rough, total);
    if (quick) return quick;
    exact ??= exactly();
    return exact(value);
  };
}

/** The same by integers of any size: what every quicker way has to come to. */
export function exactSplitter(weights: readonly number[]): (value: number) => number[] {
  const exact = wholeWeights(weights);
  const total = exact.reduce((sum, weight) => sum + weight, 0n);
  return (value) => splitExact(value, exact, total);
}

/** By whole weights where all products are whole numbers that doubles hold; undefined where they may not be. */
function splitWhole(value: number, weights: readonly number[], total: number): number[] | undefined {
  const size = Math.abs(value);
  if (size * total > Number.MAX_SAFE_INTEGER) return undefined;
  const rests = weights.map((weight) => (size * weight) % total);
  const parts = weights.map((weight, i) => (size * weight - rests[i]!) / total);
  return withRest(value, parts, rests);
}

/** Bits that a sum and a quotient of doubles may lose a term, with one to spare. */
const LOST = 2 ** -51;

/**
 * By doubles, where no rounding can decide: every quota is further from a whole number than it can be off, and so are
 * the last that gets one more and the first that does not from each other. Undefined where that is not so.
 */
function splitNearly(value: number, weights: readonly number[], total: number): number[] | undefined {
  const size = Math.abs(value);
  const off = (weights.length + 4) * LOST * size;
  if (!(off < 0.1) || !(total < Number.MAX_VALUE / 2) || total < MIN_NORMAL) return undefined;
  const parts: number[] = [];
  const rests: number[] = [];
  for (const weight of weights) {
    const quota = size * (weight / total);
    const part = Math.floor(quota);
    const rest = quota - part;
    if (weight > 0 && (rest <= off || rest >= 1 - off)) return undefined;
    parts.push(part);
    rests.push(rest);
  }
  const left = size - parts.reduce((sum, part) => sum + part, 0);
  const sorted = [...rests].sort((a, b) => b - a);
  if (left > 0 && left < sorted.length && sorted[left - 1]! - sorted[left]! <= 2 * off) return undefined;
  return withRest(value, parts, rests);
}

/** Below this, doubles have fewer bits. */
const MIN_NORMAL = 2 ** -1000;

/** Gives what is left to the largest rests, ties to whoever comes first. */
function withRest(value: number, parts: number[], rests: readonly number[]): number[] {
  let left = Math.abs(value) - parts.reduce((sum, part) => sum + part, 0);
  if (left > 0)
    for (const i of rests.map((_, i) => i).sort((a, b) => rests[b]! - rests[a]! || a - b)) {
      if (left === 0) break;
      parts[i]! += 1;
      left -= 1;
    }
  return value < 0 ? parts.map((part) => (part > 0 ? -part : 0)) : parts;
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
