import { createHash } from 'node:crypto';
import type { SignedOnce, Source } from '../events/event.ts';
import { MINUTE } from '../platform/clock.ts';

/** Where a signature does not cover the body, a query that was seen once would sign anything: it is good for one body. */
export interface Nonces {
  /** Whether this body is the first that came with its query. The same again is: it is the same request. */
  take(signed: SignedOnce, now: number): boolean;
}

/** Twice the window in which a signed time is accepted. */
const KEEP_MS = 10 * MINUTE;
const MOST = 20_000;

/**
 * Queries in the memory of one instance of the function, which knows the body that each came with. Another instance has seen
 * others: so the message carries the nonce too (`signedOnce`), and what comes with a second body is stopped behind the
 * queue, where all instances meet. Neither tells which of two bodies was the sender's: that is why such events say
 * `sender_only`, and why safe mode is what accounts use unless they say otherwise.
 */
export function openNonces(): Nonces {
  const seen = new Map<string, { readonly body: string; readonly until: number }>();
  return {
    take({ query, body }, now) {
      for (const [old, { until }] of seen) {
        if (until > now && seen.size < MOST) break;
        seen.delete(old);
      }
      const first = seen.get(query);
      if (first && first.until > now) return first.body === body;
      seen.set(query, { body, until: now + KEEP_MS });
      return true;
    },
  };
}

/** What a message says of a query that signs no body: which it was, and which body it came with. */
export const signedOnce = ({ channel, account }: Source, nonce: string, body: Buffer): SignedOnce => ({
  query: createHash('sha256')
    .update(JSON.stringify([channel, account, nonce]))
    .digest('base64url'),
  body: createHash('sha256').update(body).digest('base64url'),
});
