import { createHash } from 'node:crypto';
import { z } from 'zod';
import { identifier, instant } from '../events/event.ts';
import { DAY, MINUTE, toIso } from '../platform/clock.ts';

/** The rights of a person that the API carries out. */
export const right = z.enum(['export', 'erase']);
export type Right = z.infer<typeof right>;

const count = z.int().nonnegative();

/** What an erasure found and took away, in numbers. */
export const counts = z.strictObject({
  identifiers: count,
  events: count,
  segments: count,
  conversions: count,
  tags: count,
  days: count,
  reviews: count,
});
export type Counts = z.infer<typeof counts>;

/** The proof of an erasure. It names nobody. */
export const receipt = z.strictObject({
  erasedAt: instant,
  found: counts,
  /** Rows that were removed at the end, marks among them; bodies in quarantine that named the person. */
  rowsRemoved: count,
  quarantineRemoved: count,
  /** Keyed digests that keep out what comes late. */
  tombstones: count,
  /** Rows of the person that a last look found. */
  residual: count,
  /** SHA-256 of the rest, as JSON; it stands in the audit log too. */
  digest: z.string(),
});
export type Receipt = z.infer<typeof receipt>;

/** How far an erasure is: enough to go on from anywhere, for whoever comes next. */
export const progress = z.strictObject({
  cluster: z.string(),
  into: z.string(),
  at: instant,
  found: counts,
  /** The person's identifiers as they are stored; those that only their events showed among them. */
  of: z.array(identifier),
  /** Partition and sort key of every derived row. */
  rows: z.array(z.tuple([z.string(), z.string()])),
});
export type Progress = z.infer<typeof progress>;

export const privacyRequest = z.strictObject({
  id: z.string(),
  right,
  /**
   * `received`: nothing has happened. `settling`: the person is gone from everything that is read; what writers may still
   * hold is waited for. `done`.
   */
  status: z.enum(['received', 'settling', 'done']),
  reason: z.string(),
  asked: z.strictObject({ name: z.string(), key: z.string(), at: instant }),
  dueAt: instant,
  /** The digest that stands for the profile in the audit log. */
  subject: z.string(),
  /** The identifier that it was asked by, as it is stored; not any more when an erasure is done. */
  of: identifier.optional(),
  progress: progress.optional(),
  settledAt: instant.optional(),
  doneAt: instant.optional(),
  receipt: receipt.optional(),
});
export type PrivacyRequest = z.infer<typeof privacyRequest>;

/** Longer than any function runs: who read before an erasure has written, or never will. */
export const SETTLING_MS = 20 * MINUTE;

/** How long an export may be read. */
export const ARCHIVE_MS = 7 * DAY;

/** Sorts by time; tells nothing of anybody. */
export const requestId = (at: string, ...parts: readonly string[]): string => {
  const digest = createHash('sha256')
    .update(JSON.stringify([at, ...parts]))
    .digest('base64url');
  return `${at.replace(/[-:.]/g, '')}-${digest.slice(0, 8)}`;
};

/** When it has to be done: so many days after it was asked. */
export const dueAt = (at: number, days: number): string => toIso(at + days * DAY);

/** A receipt with its digest. */
export function sealed(it: Omit<Receipt, 'digest'>): Receipt {
  return { ...it, digest: createHash('sha256').update(JSON.stringify(it)).digest('base64url') };
}
