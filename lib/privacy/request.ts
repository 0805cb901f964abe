import { createHash } from 'node:crypto';
import { z } from 'zod';
import { identifier, instant } from '../events/event.ts';
import { DAY, MINUTE, toIso } from '../platform/clock.ts';

/**
 * The rights of a person that the API carries out.
 *
 * - `access`: what is kept, what for, from whom, who sees it, how long (PIPL 44, 45; GDPR 15)
 * - `export`: all of it, to take along (PIPL 45; GDPR 15 (3), 20)
 * - `rectify`: a trait or an identifier is put right (PIPL 46; GDPR 16)
 * - `erase`: all of it goes (PIPL 47; GDPR 17)
 * - `restrict`: all of it stays and nothing of it is used (PIPL 44; GDPR 18); `lift`: it is used again
 */
export const right = z.enum(['access', 'export', 'rectify', 'erase', 'restrict', 'lift']);
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

const deadLetters = z.strictObject({ messages: count, events: count });

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
  /** Keys that were destroyed, so that backups cannot be read: of clusters, and of identifiers. Absent before there were keys. */
  shredded: z.strictObject({ clusters: count, identifiers: count }).optional(),
  /** What was taken out of dead letters: of so many messages, so many events. Absent before they were looked through. */
  deadLetters: deadLetters.optional(),
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
  /** Names of the keys that the identifiers' rows were sealed under. */
  keys: z.array(z.string()).optional(),
  /** What the last look found, put down before it is removed: whoever goes on after a crash counts it too. */
  removing: z.array(z.tuple([z.string(), z.string()])).optional(),
});
export type Progress = z.infer<typeof progress>;

export const privacyRequest = z.strictObject({
  id: z.string(),
  right,
  /**
   * `received`: nothing is known to have happened. `settling`, of an erasure: the person is gone from everything that is
   * read; what writers may still hold is waited for. `done`.
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
  /** What was taken out of dead letters; said when all of them have been looked through since the erasure settled. */
  deadLetters: deadLetters.optional(),
  /** The events that carry it out: it is done when the profile knows them. */
  events: z.array(z.string()).optional(),
  /** What was put right, by name and kind; no value. */
  corrected: z.array(z.string()).optional(),
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
