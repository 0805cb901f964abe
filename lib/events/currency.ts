/** Currencies whose minor unit is not a hundredth (ISO 4217, table A.1). */
const exponents: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' ').map((code) => [code, 0]),
  ),
  ...Object.fromEntries('BHD IQD JOD KWD LYD OMR TND'.split(' ').map((code) => [code, 3])),
  CLF: 4,
  UYW: 4,
};

/** Decimal places of a currency: 2 for CNY, 0 for JPY, 3 for KWD. */
export const exponentOf = (currency: string): number => exponents[currency] ?? 2;

/**
 * An amount in whole units as senders write it (`39.9`, `"39.90"`) in minor units (3990), without binary fractions
 * on the way. What is finer than the minor unit is rounded half away from zero: the tail of a float (25.000000000000004)
 * is noise. `undefined` for what is no number, or too big for an exact integer.
 */
export function toMinorUnits(amount: string | number, currency: string): number | undefined {
  const parts = /^(-?)(\d{1,16})(?:\.(\d+))?$/.exec(
    typeof amount === 'number' ? decimal(amount) : amount.trim(),
  );
  if (!parts) return undefined;
  const [, sign, whole = '0', fraction = ''] = parts;
  const places = exponentOf(currency);
  const digits = BigInt(whole + fraction.padEnd(places, '0').slice(0, places));
  const minor = Number(digits + (Number(fraction[places] ?? '0') >= 5 ? 1n : 0n));
  if (!Number.isSafeInteger(minor)) return undefined;
  return sign && minor ? -minor : minor;
}

/** `String` writes very small numbers with an exponent; money that small is nothing. */
const decimal = (amount: number): string => (Math.abs(amount) < 1e-6 ? '0' : String(amount));
