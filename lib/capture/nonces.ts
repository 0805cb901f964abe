import { createHash } from 'node:crypto';
import type { SignedOnce, Source } from '../events/event.ts';
import { MINUTE } from '../platform/clock.ts';

/** Where a signature does not cover the body, a query that was seen once would sign anything: it is good for one request. */
export interface Nonces {
  /** Whether the query is the first of its kind; it is not a second time. */
  take(signed: Pick<SignedOnce, 'query'>, now: number): boolean;
  /** A request that was not taken after all: its sender may try again. */
  release(signed: Pick<SignedOnce, 'query'>): void;
}

/** Twice the window in which a signed time is accepted. */
const KEEP_MS = 10 * MINUTE;
const MOST = 20_000;

/**
 * Queries in the memory of one instance of the function. Another instance has seen others: so the message carries the nonce too (`signedOnce`), and what comes with a second body is stopped behind the
 * queue, where all instances meet. Neither tells which of two bodies was the sender's: that is why such events say
 * `sender_only`, and why safe mode is what accounts use unless they say otherwise.
 */
export function openNonces(): Nonces {
  const seen = new Map<string, number>(); // query → until when
  return {
    take({ query }, now) {
      for (const [old, until] of seen) {
        if (until > now && seen.size < MOST) break;
        seen.delete(old);
      }
      if ((seen.get(query) ?? 0) > now) return false;
      seen.set(query, now + KEEP_MS);
      return true;
    },
    release({ query }) {
      seen.delete(query);
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
