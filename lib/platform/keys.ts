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

/** Partition-key prefix of the brand-days' lists of conversions. */
export const LISTING = 'V#';

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
  /** The settings that credits are told by. */
  generations: (): Key => ({ pk: 'S#attribution', sk: '@' }),
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
  /** The body that a query which signs none came with, by the digest of both its account and itself. */
  nonce: (digest: string): Key => ({ pk: `N#nonce#${digest}`, sk: '@' }),
  /** A survey of all profiles: what was asked. */
  survey: (id: string): Key => ({ pk: `N#survey#${id}`, sk: '@' }),
  /** What a survey found in a piece of a part of all profiles, by the digest of the place where the piece begins. */
  surveyPiece: (id: string, part: number, place: string): Key => ({
    pk: `N#survey#${id}`,
    sk: `${part}#${place}`,
  }),
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
