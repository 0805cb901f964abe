import { MINUTE } from '../platform/clock.ts';

/** Where a signature does not cover the body, a query that was seen once would sign anything: it is taken once. */
export interface Nonces {
  /** Whether the nonce is new; from now on it is not. */
  take(nonce: string, now: number): boolean;
}

/** Twice the window in which a signed time is accepted. */
const KEEP_MS = 10 * MINUTE;
const MOST = 20_000;

/**
 * Nonces in the memory of one instance of the function. It narrows a gap that plain mode has by design and does not
 * close it: another instance has seen other nonces. That is why such events say `sender_only`, and why safe mode is
 * what accounts use unless they say otherwise.
 */
export function openNonces(): Nonces {
  const seen = new Map<string, number>();
  return {
    take(nonce, now) {
      for (const [old, until] of seen) {
        if (until > now && seen.size < MOST) break;
        seen.delete(old);
      }
      if ((seen.get(nonce) ?? 0) > now) return false;
      seen.set(nonce, now + KEEP_MS);
      return true;
    },
  };
}
