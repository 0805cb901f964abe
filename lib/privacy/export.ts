import { z } from 'zod';
import { DAY, toIso } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import type { Caller } from '../query/auth.ts';

/** How long an export waits for its approval, and how long it may be read after it. */
export const OPEN_MS = DAY;

const person = z.strictObject({ name: z.string(), key: z.string() });

/** A bulk export of the profiles that hold a tag: asked for by one person, approved by another, read by the first. */
export const bulkExport = z.strictObject({
  id: z.string(),
  tag: z.string(),
  value: z.string().optional(),
  reason: z.string(),
  asked: person.extend({ at: z.string() }),
  approved: person.extend({ at: z.string() }).optional(),
});
export type BulkExport = z.infer<typeof bulkExport>;

/** Who asks or approves, as far as it counts here. */
export type Approver = Pick<Caller, 'name' | 'key'>;

const sameName = (a: string, b: string): boolean =>
  a.normalize('NFKC').trim().toLowerCase() === b.normalize('NFKC').trim().toLowerCase();

/** Until when something may happen next; then the export is over. */
export const openUntil = ({ asked, approved }: BulkExport): number =>
  Date.parse(approved?.at ?? asked.at) + OPEN_MS;

/**
 * The export as approved. Approving it again changes nothing.
 *
 * @throws RejectedError 403 to who asked for it, whichever key they use, and to who uses their key; 409 if its time is over
 */
export function approve(it: BulkExport, { name, key = '' }: Approver, now: number): BulkExport {
  if (sameName(name, it.asked.name) || key === it.asked.key)
    throw new RejectedError('own_export', 'somebody else has to approve this: a key of another name', 403);
  if (it.approved) return it;
  if (now >= openUntil(it))
    throw new RejectedError('expired', 'it waited for more than a day: ask again', 409);
  return { ...it, approved: { name, key, at: toIso(now) } };
}

/** @throws RejectedError 403 to everybody but who asked, 409 before the approval and a day after it */
export function mayRead(it: BulkExport, { key = '' }: Approver, now: number): void {
  if (key !== it.asked.key)
    throw new RejectedError('not_yours', 'only the key that asked for this export reads it', 403);
  if (!it.approved) throw new RejectedError('not_approved', 'nobody has approved this export yet', 409);
  if (now >= openUntil(it))
    throw new RejectedError('expired', 'it was approved more than a day ago: ask again', 409);
}
