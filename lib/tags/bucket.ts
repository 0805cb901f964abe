import { createHash } from 'node:crypto';
import type { Slot } from './columns.ts';
import { ANY_TYPE } from './features.ts';
import type { EventsReference } from './leaves.ts';
import type { BucketLeaf } from './rulebook.ts';

/** The very first event of a profile, of whatever type: what `bucket` knows it by. */
export const firstOfAll: EventsReference = { kind: 'events', type: ANY_TYPE, aggregate: 'start' };

/**
 * A number from 0 to `of` - 1, alike for all profiles as dice are, and the same for one profile for ever: it is drawn
 * from the salt and the id of the profile's first event. Another salt draws anew. Profiles that turn out to be one
 * person have the number of the one that was first; undefined without any event.
 *
 *   the first 48 bits of SHA-256 of [salt, id], modulo `of`
 */
export function bucketOf({ salt, of }: Pick<BucketLeaf, 'salt' | 'of'>, start: Slot): number | undefined {
  if (!Array.isArray(start)) return undefined;
  const text = JSON.stringify([salt, start[1]]);
  return createHash('sha256').update(text).digest().readUIntBE(0, 6) % of;
}
