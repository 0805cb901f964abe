import { createHash } from 'node:crypto';
import type { Role } from '../platform/brand-words.ts';

/** What can be done that the log keeps. */
export type What =
  | 'read'
  | 'search'
  | 'export_asked'
  | 'export_approved'
  | 'export_read'
  | 'rule_put'
  | 'key_created'
  | 'key_revoked'
  | 'identity_decided'
  | 'consent_said'
  | 'privacy_request'
  | 'quarantine_read'
  | 'quarantine_replayed'
  | 'odd_use';

/** What somebody did, as they who did it tell: no value of a customer, only digests of profiles. */
export interface Fact {
  readonly what: What;
  /** Name of the key's owner. */
  readonly who: string;
  readonly role?: Role | undefined;
  /** The beginning of the key's digest: two keys of one name are told apart. */
  readonly key?: string | undefined;
  /** Where: the route, with its `{names}` and not what stood for them. */
  readonly on: string;
  /** Keyed digests of the profiles (`subjectOf`). */
  readonly subjects?: readonly string[] | undefined;
  /** What was shown of each. */
  readonly fields?: readonly string[] | undefined;
  readonly reason?: string | undefined;
  readonly details?: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** The last entry of a lane; of an empty lane 0, and the place itself in place of a hash. */
export interface Head {
  readonly n: number;
  readonly hash: string;
}

/** What the first entry of a lane follows: no other lane's first entry follows the same. */
export const beginning = (day: string, lane: number): Head => ({ n: 0, hash: `${day}/${lane}` });

/** SHA-256 of an entry's text, which holds the hash before it. */
export const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');
