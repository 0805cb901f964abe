import { createHash } from 'node:crypto';
import type { Source } from './event.ts';

/**
 * The id of an event: a digest of where it comes from and of what the sender calls it (its message id, or the
 * parts that tell two messages apart), so that a retry has the same id. 96 bits: among 10⁹ events of a brand a
 * collision has a chance of 6·10⁻¹².
 *
 * @param parts the sender's message id, or its dedupe parts in the channel's order; with an index appended where
 *   one message becomes several events
 */
export function eventId(source: Source, parts: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([source.channel, source.account, ...parts]))
    .digest('base64url')
    .slice(0, 16);
}
