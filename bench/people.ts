// Customers of the demo brand, as they exist before the first event.
import type { Dice } from './dice.ts';

export interface Customer {
  readonly openid: string;
  readonly unionid: string | undefined;
  readonly member: string | undefined;
  readonly phone: string | undefined;
  /** Browsers, the usual one first. */
  readonly browsers: readonly string[];
  /** How many visits in 90 days: a long tail. */
  readonly visits: number;
  /** What was bought last, and where: refunds and coupons speak of it. */
  lastOrder?: { readonly id: string; readonly amount: number };
}

/**
 * Half are members with a phone, seven in ten have a union id; visits are log-normal with a median of 6 in 90 days and a
 * 99th percentile of about 60, so that a few are known by hundreds of events and most by a dozen.
 */
export function customers(count: number, d: Dice): Customer[] {
  return Array.from({ length: count }, (_, i): Customer => {
    const isMember = d.chance(0.5);
    return {
      openid: `oQh1t${d.token(23)}`,
      unionid: d.chance(0.7) ? `ocQh${d.token(24)}` : undefined,
      member: isMember ? `M${String(10_000_000 + i * 37)}` : undefined,
      phone: isMember ? `138${String(10_000_000 + i * 7919).slice(-8)}` : undefined,
      browsers: Array.from({ length: d.chance(0.25) ? 2 : 1 }, () => uuid(d)),
      visits: Math.max(1, Math.round(d.longTailed(6, 1))),
    };
  });
}

const uuid = (d: Dice): string =>
  [8, 4, 4, 4, 12]
    .map((length) => Array.from({ length }, () => d.whole(0, 15).toString(16)).join(''))
    .join('-');
