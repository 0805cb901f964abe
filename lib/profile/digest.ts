import { createHash } from 'node:crypto';
import { z } from 'zod';
import { byTime, type Event } from '../events/event.ts';
import { nameOf, partition } from '../identity/graph.ts';
import { AUDIT, END, keys, SEGMENT } from '../platform/keys.ts';
import type { Item, Value } from '../platform/table.ts';
import { type Cluster, profileIds, split } from './cluster.ts';
import { unpack, unpackSegment } from './codec.ts';

export interface TableDigest {
  /** SHA-256 over everything that the table says, free of what depends on when we learned it. */
  readonly digest: string;
  readonly profiles: number;
  readonly events: number;
  /** Joins that somebody began and has not ended: the digest is not final. */
  readonly unfinished: number;
}

const stateRow = z.object({ s: z.instanceof(Uint8Array) });
const segmentRow = z.object({ b: z.instanceof(Uint8Array) });

/** Attributes that tell when or how often something was written, not what is so. */
const INCIDENTAL = new Set(['v', 'ttl', 'version', 'former', 'receivedAt']);

/** Reviews are kept by cluster; what they say names identifiers. */
const REVIEWS = keys.review('', '').pk;

/** Partitions whose rows say only where things are kept, when they were first seen, how often they came, who looked, or how far some work is. */
const KEPT_APART = [
  ...['E#', 'N#', 'S#key#', 'S#kept#', AUDIT],
  ...[keys.backfill().pk, keys.sweep().pk, keys.privacyRequest('').pk],
];

/** The rules in force: since when is when we learned of them. */
const RULES = keys.rules().pk;

/**
 * The digest of a whole table. Two tables have the same one if they tell the same of the world, however the events
 * came: a profile is named by its identifiers, its journal is the sorted set of its events; versions, times of
 * receipt, shards, how a journal is cut into segments and which row a cluster stands in are left out.
 */
export async function digestTable(rows: AsyncIterable<Item> | Iterable<Item>): Promise<TableDigest> {
  const { lines, ...counts } = await describeTable(rows);
  return { digest: createHash('sha256').update(lines.join('\n')).digest('hex'), ...counts };
}

/** What the digest is taken of, a line of JSON for each fact, sorted: two tables that differ can be compared. */
export async function describeTable(
  rows: AsyncIterable<Item> | Iterable<Item>,
): Promise<Omit<TableDigest, 'digest'> & { readonly lines: readonly string[] }> {
  const partitions = new Map<string, Item[]>();
  for await (const row of rows) partitions.set(row.pk, [...(partitions.get(row.pk) ?? []), row]);

  const names = new Map<string, string>(); // profile id → name
  const lines: unknown[] = [];
  let events = 0;
  let unfinished = 0;
  for (const [pk, found] of partitions) {
    const state = pk.startsWith('P#') ? found.find(({ sk }) => sk === '@') : undefined;
    if (state?.joined !== undefined && state.s !== undefined) unfinished++;
    if (!state || state.joined !== undefined) continue;
    for (const profile of describe(pk.slice(2), state, found)) {
      names.set(profile.id, profile.name);
      if (profile.events.length === 0) continue;
      events += profile.events.length;
      lines.push(['profile', profile.name, profile.identifiers, profile.events, profile.tags]);
    }
  }

  const rename = (text: string) =>
    text.replace(/(?<![\w-])[\w-]{16}(~[\w-]{8})?(?![\w-])/g, (id) => names.get(id) ?? id);
  for (const [pk, found] of partitions) {
    if (KEPT_APART.some((prefix) => pk.startsWith(prefix))) continue;
    for (const row of found) {
      const isState = pk.startsWith('P#') && (row.sk === '@' || row.sk.startsWith(SEGMENT));
      if (isState || row.gone === true || row.erasedAt !== undefined) continue; // marks and tombstones tell of nobody
      const key = [rename(withoutPlace(pk)), rename(pk === REVIEWS ? row.sk.replace(/^.*#/, '') : row.sk)];
      const { at, ...lasting } = row;
      lines.push(pk.startsWith('I#') ? key : [...key, plain(pk === RULES ? lasting : row, rename)]);
    }
  }
  const texts = lines.map((line) => JSON.stringify(line)).sort();
  const profiles = texts.filter((text) => text.startsWith('["profile"')).length;
  return { lines: texts, profiles, events, unfinished };
}

/** A cluster's profiles as the digest sees them. */
function describe(id: string, state: Item, rows: readonly Item[]) {
  const cluster: Cluster = { version: 0, due: undefined, book: '', ...unpack(stateRow.parse(state).s, id) };
  const sealed = rows
    .filter(({ sk }) => sk >= SEGMENT && sk <= SEGMENT + END)
    .filter(({ sk }) => Number(sk.slice(SEGMENT.length)) < cluster.sequence)
    .flatMap((row) => unpackSegment(segmentRow.parse(row).b, cluster.graph, cluster.createdAt));
  const division = partition(cluster.graph);
  const ids = profileIds(id, cluster.graph, division);
  const parts = split([...sealed, ...cluster.tail].sort(byTime), division);
  return division.members.map((member, i) => {
    const identifiers = [...member.nodes].sort();
    const profile = ids[i] ?? id;
    const tags = [...(cluster.shown.get(profile)?.tags ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      id: profile,
      name: `profile:${createHash('sha256').update(JSON.stringify(identifiers)).digest('hex').slice(0, 24)}`,
      identifiers,
      events: (parts[i] ?? []).map(eventLine),
      tags,
    };
  });
}

const eventLine = ({ receivedAt: _, identifiers, ...event }: Event): unknown =>
  sorted({ ...event, identifiers: identifiers.map(nameOf).sort() });

/** A partition without where in it a row happens to stand: its shard, or the cluster that a profile's rows are kept with. */
const withoutPlace = (pk: string): string =>
  /^[AVT]#/.test(pk) ? pk.replace(/#\d+$/, '') : pk.startsWith('P#') ? 'P#' : pk;

/** A row's content, in one form: without what is incidental, profiles by name, attributes in order. */
function plain(row: Item, rename: (text: string) => string): unknown {
  const { pk: _pk, sk: _sk, ...content } = row;
  const renamed = (value: Value): unknown => {
    if (typeof value === 'string') return rename(value);
    if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
    if (Array.isArray(value)) return value.map(renamed);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => !INCIDENTAL.has(name))
        .map(([name, it]) => [name, renamed(it)]),
    );
  };
  return sorted(renamed(content));
}

/** The same value with the members of every object in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object' || value instanceof Map)
    return value instanceof Map ? [...value] : value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, it]) => [name, sorted(it)]),
  );
}
