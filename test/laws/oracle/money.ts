/** A fraction of whole numbers, denominator positive. */
interface Fraction {
  readonly over: bigint;
  readonly under: bigint;
}

/** The exact value of a double ≥ 0: every one is a whole number over a power of two. */
function exactly(value: number): Fraction {
  let over = value;
  let under = 1n;
  while (!Number.isInteger(over)) {
    over *= 2;
    under *= 2n;
  }
  return { over: BigInt(over), under };
}

/**
 * Splits whole minor units by weights: each gets the whole part of its quota, and what is then missing goes, one by
 * one, to the largest remainders, the earlier of equals first. In fractions, so that nothing is ever rounded.
 */
export function splitExactly(value: number, weights: readonly number[]): number[] {
  const fractions = weights.map(exactly);
  // Denominators are powers of two: over the largest all are whole, and only numerators matter.
  let common = 1n;
  for (const { under } of fractions) if (under > common) common = under;
  const whole = fractions.map(({ over, under }) => over * (common / under));
  const total = whole.reduce((sum, weight) => sum + weight, 0n);
  const parts = whole.map((weight) => (BigInt(value) * weight) / total);
  const remainders = whole.map((weight) => (BigInt(value) * weight) % total);
  let missing = BigInt(value) - parts.reduce((sum, part) => sum + part, 0n);
  while (missing > 0n) {
    let largest = 0;
    for (const [i, remainder] of remainders.entries()) if (remainder > remainders[largest]!) largest = i;
    parts[largest]! += 1n;
    remainders[largest] = -1n;
    missing -= 1n;
  }
  return parts.map(Number);
}
