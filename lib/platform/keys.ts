import type { Key } from './table.ts';

/** Sorts after every sort key that begins with the same prefix: the highest character there is, in UTF-8's order. */
export const END = '\u{10FFFF}';

/** How many partitions a popular list is spread over. Part of the data model: changing it is a migration. */
export const SHARDS = 8;

/** Shards of the due index: few, because each is asked every minute. */
export const DUE_SHARDS = 4;

/** A stable shard of `of` for a name (FNV-1a, 32 bits). */
export function shardOf(name: string, of = SHARDS): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) {
    hash ^= name.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0) % of;
}

const padded = (sequence: number) => String(sequence).padStart(10, '0');

/** Sort-key prefixes, for range queries within a profile's partition. */
export const SEGMENT = 'J#';
export const CONVERSION = 'C#';

/** Partition-key prefixes of clusters and of identifiers: what is sealed. */
export const PROFILE = 'P#';
export const IDENTIFIER = 'I#';

/** Partition-key prefix of the brand-days' lists of conversions. */
export const LISTING = 'V#';

/** Where the rows of the audit log begin: what may append to it may put no other. */
export const AUDIT = 'U#audit#';

/** Every key of the table. No other file builds one. */
export const keys = {
  /** The cluster of profiles: state, tail and version (one profile in all but conflicts). */
  profile: (id: string): Key => ({ pk: `P#${id}`, sk: '@' }),
  /** A sealed segment of the journal. */
  segment: (id: string, sequence: number): Key => ({ pk: `P#${id}`, sk: `${SEGMENT}${padded(sequence)}` }),
  /** A conversion with its path and credits. */
  conversion: (id: string, conversion: string): Key => ({ pk: `P#${id}`, sk: `${CONVERSION}${conversion}` }),
  /** Identifier → profile. */
  identifier: (kind: string, scope: string, digest: string): Key => ({
    pk: `I#${kind}#${scope}#${digest}`,
    sk: '@',
  }),
  /** What a person did on a brand-day. */
  activity: (day: string, profile: string): Key => ({ pk: `A#${day}#${shardOf(profile)}`, sk: profile }),
  /** A conversion in its brand-day's list, for reports. */
  dayConversion: (day: string, conversion: string): Key => ({
    pk: `${LISTING}${day}#${shardOf(conversion)}`,
    sk: conversion,
  }),
  /** A member of a tag. */
  member: (tag: string, profile: string): Key => ({ pk: `T#${tag}#${shardOf(profile)}`, sk: profile }),
  /** The partition of the due index that a profile stands in. */
  due: (shard: number): string => `W#${shard}`,
  /** A version of a rule. */
  rule: (tag: string, version: number): Key => ({ pk: `R#${tag}`, sk: padded(version) }),
  /** The rules in force. */
  rules: (): Key => ({ pk: 'S#rules', sk: '@' }),
  /** Which rules were in force once: what the row of the rules held when it had this version. */
  ruleSet: (version: number): Key => ({ pk: 'S#rules', sk: padded(version) }),
  /** The newest back-fill. */
  backfill: (): Key => ({ pk: 'S#backfill', sk: '@' }),
  /** The cuts of RFM by quintiles in force; with a version one of its editions. */
  quintiles: (version?: number): Key => ({
    pk: 'S#quintiles',
    sk: version === undefined ? '@' : padded(version),
  }),
  /** The settings that credits are told by. */
  generations: (): Key => ({ pk: 'S#attribution', sk: '@' }),
  /** What of a population model holds now. */
  model: (model: string): Key => ({ pk: `S#model#${model}`, sk: '@' }),
  /** A version of a population model, by the instant that it was asked for. */
  modelVersion: (model: string, version: string): Key => ({ pk: `S#model#${model}`, sk: `V#${version}` }),
  /** What was spent on a channel or campaign on a brand-day, by months; without a name where the month begins. */
  spend: (day: string, line: string): Key => ({ pk: `S#spend#${day.slice(0, 7)}`, sk: `${day}#${line}` }),
  /** A scope that identifiers of a kind were seen in. */
  scope: (kind: string, scope: string): Key => ({ pk: `S#scope#${kind}`, sk: scope }),
  /** An API key, by its digest. */
  apiKey: (digest: string): Key => ({ pk: `S#key#${digest}`, sk: '@' }),
  /** When an event whose sender gave no time was first seen. */
  firstSeen: (event: string): Key => ({ pk: `E#${event}`, sk: '@' }),
  /** What could not be taken, by the brand-day on which it came. */
  quarantine: (day: string, id: string): Key => ({ pk: `Q#${day}`, sk: id }),
  /** How much of what arrived on a brand-day, by account. */
  arrivals: (day: string): Key => ({ pk: `N#${day}`, sk: '@' }),
  /** What is kept of a channel's account from one question to the next: a cursor, what was known of a contact. */
  kept: (channel: string, account: string, name: string): Key => ({
    pk: `S#kept#${channel}/${account}`,
    sk: name,
  }),
  /** The body that a query which signs none came with, by the digest of both its account and itself. */
  nonce: (digest: string): Key => ({ pk: `N#nonce#${digest}`, sk: '@' }),
  /** A survey of all profiles: what was asked. */
  survey: (id: string): Key => ({ pk: `N#survey#${id}`, sk: '@' }),
  /** What a survey found in a piece of a part of all profiles, by the digest of the place where the piece begins. */
  surveyPiece: (id: string, part: number, place: string): Key => ({
    pk: `N#survey#${id}`,
    sk: `${part}#${place}`,
  }),
  /** What was worked out of a survey that is done, page by page. */
  surveyPage: (id: string, page: string): Key => ({ pk: `N#survey#${id}#pages`, sk: page }),
  /** The surveys that somebody asked for lately, by the asker's name. */
  surveysOf: (by: string): Key => ({ pk: `N#surveys#${by}`, sk: '@' }),
  /** An entry of the audit log: the n-th of a lane on a day (UTC). */
  audit: (day: string, lane: number, n: number): Key => ({ pk: `U#audit#${day}#${lane}`, sk: padded(n) }),
  /** What holds the lanes of the audit log fast. */
  anchor: (n: number): Key => ({ pk: 'U#audit#anchor', sk: padded(n) }),
  /** What somebody asked for in a person's name: a right of theirs, and what became of it. */
  privacyRequest: (id: string): Key => ({ pk: 'U#request', sk: id }),
  /** When dead letters were last looked through for whoever is erased. */
  sweep: (): Key => ({ pk: 'S#sweep', sk: '@' }),
  /** What was taken out of dead letters for a request: one row each. */
  swept: (request: string, what: string): Key => ({ pk: `N#swept#${request}`, sk: what }),
  /** A bulk export that somebody asked for. */
  bulkExport: (id: string): Key => ({ pk: `N#export#${id}`, sk: '@' }),
  /** A count of everybody's paths that models are learned of. */
  modelRun: (id: string): Key => ({ pk: `N#model#${id}`, sk: '@' }),
  /** What it counted in a piece of a part of all profiles, by the digest of the place where the piece begins. */
  modelPiece: (id: string, part: number, place: string): Key => ({
    pk: `N#model#${id}`,
    sk: `${part}#${place}`,
  }),
  /** What was told of a group to those who see no single person. */
  told: (name: string): Key => ({ pk: `N#told#${name}`, sk: '@' }),
  /** A sum of people that is under way or kept for a while, where it is found when one of them is erased; and an erasure, until no sum counts the person. */
  sum: (kind: 'survey' | 'model' | 'erasure', id: string): Key => ({ pk: 'N#sums', sk: `${kind}#${id}` }),
  /** That a cluster was taken in by another. */
  taken: (into: string, cluster: string): Key => ({ pk: `N#taken#${into}`, sk: cluster }),
  /** What keys are derived of, below a path of steps: in the table of keys. */
  seeds: (path: string): Key => ({ pk: `Y#${path}`, sk: '@' }),
  /** Identity conflicts that a person has to decide. */
  review: (profile: string, id: string): Key => ({ pk: 'U#review', sk: `${profile}#${id}` }),
};

/** All partitions of a sharded list. */
export const partitions = {
  activity: (day: string) => range(SHARDS).map((shard) => `A#${day}#${shard}`),
  dayConversions: (day: string) => range(SHARDS).map((shard) => `${LISTING}${day}#${shard}`),
  members: (tag: string) => range(SHARDS).map((shard) => `T#${tag}#${shard}`),
  due: () => range(DUE_SHARDS).map((shard) => `W#${shard}`),
};

const range = (of: number) => Array.from({ length: of }, (_, i) => i);
