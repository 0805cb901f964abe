import { z } from 'zod';
import { RejectedError } from '../platform/errors.ts';

/** A cursor holds where the next page begins; nobody has to look inside. */
export const cursorOf = (place: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(place)).toString('base64url');

/**
 * What a cursor holds. A cursor of another list is none here.
 *
 * @throws RejectedError 400 if it is none of ours
 */
export function placeOf<Place>(cursor: string | undefined, shape: z.ZodType<Place>): Place | undefined {
  if (cursor === undefined) return undefined;
  const place = shape.safeParse(jsonOf(Buffer.from(cursor, 'base64url').toString('utf8')));
  if (place.success) return place.data;
  throw new RejectedError('bad_cursor', 'use the `next` of an earlier answer as cursor, unchanged');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How many entries a page may have, and how many it has if nobody says. */
export function limitOf(most: number, usual: number) {
  const error = `give a whole number from 1 to ${most}`;
  return z.coerce.number({ error }).int({ error }).min(1, { error }).max(most, { error }).default(usual);
}

export const cursor = z.string().max(2048).optional();
