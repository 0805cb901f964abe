/** An exact decimal number: `digits` · 10^-`scale`. Money and quantities never pass through binary fractions. */
export interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

export const ZERO: Decimal = { digits: 0n, scale: 0 };
export const ONE: Decimal = { digits: 1n, scale: 0 };

/** Longer than any amount or quantity; it bounds the work that one cell of a file can ask for. */
const LONGEST = 60;

/**
 * Reads a number as files write it: an optional sign, digits, a point. `undefined` for anything else: thousands
 * separators, a decimal comma, an exponent or a currency sign would have to be guessed at.
 */
export function decimalOf(text: string): Decimal | undefined {
  if (text.length > LONGEST) return undefined;
  const parts = /^\s*([+-]?)(\d*)(?:\.(\d*))?\s*$/.exec(text);
  if (!parts) return undefined;
  const [, sign, whole = '', fraction = ''] = parts;
  if (whole + fraction === '') return undefined;
  const digits = BigInt(whole + fraction);
  return { digits: sign === '-' ? -digits : digits, scale: fraction.length };
}

export function add(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { digits: scaled(a, scale) + scaled(b, scale), scale };
}

export const multiply = (a: Decimal, b: Decimal): Decimal => ({
  digits: a.digits * b.digits,
  scale: a.scale + b.scale,
});

export const negated = (a: Decimal): Decimal => ({ digits: -a.digits, scale: a.scale });

/** Negative, 0 or positive, as `a` is less than, equal to or more than `b`. */
export function compare(a: Decimal, b: Decimal): number {
  const scale = Math.max(a.scale, b.scale);
  const difference = scaled(a, scale) - scaled(b, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** As `decimalOf` reads it, with the scale kept: `12.50`. */
export function decimalText({ digits, scale }: Decimal): string {
  const sign = digits < 0n ? '-' : '';
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0');
  return scale === 0 ? sign + text : `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`;
}

/**
 * The integer nearest to `a` · 10^`places`, halves away from zero; `undefined` where a double could not hold it.
 *
 * @example rounded(decimalOf('2042.761'), 2)  // 204276
 */
export function rounded(a: Decimal, places: number): number | undefined {
  const sign = a.digits < 0n ? -1n : 1n;
  const size = sign * a.digits;
  const up = places - a.scale;
  const digits = up >= 0 ? size * 10n ** BigInt(up) : nearest(size, 10n ** BigInt(-up));
  const value = Number(digits === 0n ? 0n : sign * digits);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The whole number that `a` is, without its point and zeros; `undefined` if it has a fraction. */
export function wholeText(a: Decimal): string | undefined {
  const unit = 10n ** BigInt(a.scale);
  return a.digits % unit === 0n ? String(a.digits / unit) : undefined;
}

const nearest = (size: bigint, unit: bigint): bigint => (2n * size + unit) / (2n * unit);

const scaled = (a: Decimal, scale: number): bigint => a.digits * 10n ** BigInt(scale - a.scale);
