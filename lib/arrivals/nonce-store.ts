import type { SignedOnce } from '../events/event.ts';
import { DAY } from '../platform/clock.ts';
import { ConflictError } from '../platform/errors.ts';
import { keys } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';

/** Longer than a message may stay in the queue and its dead-letter queue: as long may two bodies of one query meet. */
const KEPT_DAYS = 15;

/**
 * Whether this body is the first that came with its query. The same body again is the first again: a message that is
 * delivered twice, and one request in several messages. Of two bodies the one that is asked for first stays the first.
 */
export async function isFirst({ query, body }: SignedOnce, table: Table, now: number): Promise<boolean> {
  const key = keys.nonce(query);
  try {
    const ttl = Math.floor((now + KEPT_DAYS * DAY) / 1000);
    await table.put({ ...key, body, ttl }, { kind: 'absent' });
    return true;
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    return (await table.get(key))?.body === body;
  }
}
