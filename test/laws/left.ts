import type { Identifier } from '../../lib/events/event.ts';
import { homeOf, nameOf } from '../../lib/identity/graph.ts';
import { decompress } from '../../lib/platform/compressed.ts';
import { IDENTIFIER, keys, PROFILE } from '../../lib/platform/keys.ts';
import type { Item } from '../../lib/platform/table.ts';
import { unpack } from '../../lib/profile/codec.ts';
import type { MemoryTable } from '../platform/memory.ts';
import { formsOf } from './canaries.ts';
import type { Told } from './told.ts';
import { namesAny } from './unread.ts';
import type { Shared } from './wiring.ts';

// What is left of somebody, looked for in everything that stands anywhere: not by what the product says of its rows.

/** A row or message as text: whatever it holds, unpacked. */
export interface Left {
  readonly where: string;
  readonly text: string;
  /** It says where everybody went from a cluster that is no more, or what shredding has to know. */
  readonly isWay?: boolean;
  /** It is of no use without its key, which an erasure destroys. */
  readonly isSealed?: boolean;
}

/** What the outbox of a successor says until it is written next: which cluster it came from, as that cluster's own row does. */
const ARRIVED = /"J [\w-]{16}"/g;

const TAKEN = keys.taken('', '').pk;

const asText = (value: unknown): string =>
  JSON.stringify(value, (_, it) => (it instanceof Map || it instanceof Set ? [...it] : it)) ?? '';

/** All of a row: its key, what stands in clear, and what is packed, as it is stored and as it is read. */
function textOf({ pk, sk, ...row }: Item): string {
  const values = Object.values(row).map((value) =>
    value instanceof Uint8Array ? asText(decompress(value)) : asText(value),
  );
  const state = pk.startsWith('P#') && sk === '@' && row.s instanceof Uint8Array ? [row.s] : [];
  const read = state.map((s) => {
    const { kept: _, ...cluster } = unpack(s, pk.slice(2));
    return asText(cluster);
  });
  return [pk, sk, ...values, ...read].join('\n').replace(ARRIVED, '');
}

/**
 * Every row as text. A tombstone is told by its content only: its key is the digest that keeps out what comes late. Marks of
 * clusters that were joined before end by themselves.
 */
export const textsOf = (table: MemoryTable, now: number): Left[] =>
  table
    .rows()
    .filter(({ gone, ttl }) => gone !== true || !(Number(ttl) * 1000 <= now))
    .map((row) => {
      const isId = row.pk.startsWith(IDENTIFIER);
      const text = textOf(isId && row.erasedAt !== undefined ? { ...row, pk: '', sk: '' } : row);
      const isWay =
        row.joined !== undefined || row.pk.startsWith(TAKEN) || (isId && row.erasedAt !== undefined);
      const isSealed = isId || row.pk.startsWith(PROFILE);
      return { where: `${row.pk} ${row.sk}`, text: text.toLowerCase(), isWay, isSealed };
    });

/** A message's body. One that asks for a closed cluster, and for none of its conversions by name, says what that cluster's row says. */
export const asLetter = (body: string): Left => ({
  where: 'a message',
  text: body.toLowerCase(),
  isWay: /^\{"profile":"[\w-]{16}","conversions":"all"\}$/.test(body),
});

/** What tells of somebody, in lower case, and what of it may stand where. */
export interface Tells {
  /** Values in all their forms, as they are stored, and their keyed digests. */
  readonly values: readonly string[];
  /** Ids of the cluster in which they were, and of all that it had taken in. */
  readonly clusters: readonly string[];
}

/**
 * What tells of an erased person and of nobody else: what others did with the same device, or what is called the same in another
 * shop, goes on telling of them; and a cluster is called after an identifier, which may be another's.
 */
export function tellsOf(
  gone: readonly Identifier[],
  clusters: readonly string[],
  { events, unread }: Told,
  { protector: { protect, reveal, digest } }: Pick<Shared, 'protector'>,
): Tells {
  const names = new Set(gone.map(nameOf));
  const isGone = (id: Identifier) => names.has(nameOf(id));
  const stored = events.map((event) => ({ ...event, identifiers: event.identifiers.map(protect) }));
  const all = stored.flatMap(({ identifiers }) => identifiers);
  const others = stored.filter((it) => !isGone(homeOf(it))).flatMap(({ identifiers }) => identifiers);
  const shown = new Set([...others, ...all.filter((id) => !isGone(id))].map(({ value }) => value));
  const own = gone.filter(({ value }) => !shown.has(value));
  const alone = own.filter((id) => !unread.some((it) => namesAny(it, [reveal(id)])));
  const digests = gone.filter((id) => !others.some((it) => nameOf(it) === nameOf(id))).map(digest);
  const kept = all.filter((id) => !isGone(id)).map(digest);
  const values = [...alone.flatMap((id) => [...formsOf(reveal(id).value), id.value]), ...digests];
  return {
    values: [...new Set(values.map((it) => it.toLowerCase()))],
    clusters: clusters.filter((it) => !kept.some((other) => other.startsWith(it))),
  };
}

/** What is left of somebody: where, and what of it. */
export const leftOf = (texts: readonly Left[], { values, clusters }: Tells): string[] =>
  texts.flatMap(({ where, text, isWay }) => [
    ...values.filter((it) => text.includes(it)).map((it) => `${where}: ${it}`),
    ...clusters
      .filter((it) => text.includes(it.toLowerCase()) && isWay !== true)
      .map((it) => `${where}: the cluster ${it}`),
  ]);

/** A cluster, and all that it had taken in: the rows that lead to it. */
export function takenIn(cluster: string, table: MemoryTable): string[] {
  const all = [cluster];
  const rows = table.rows().filter(({ joined }) => joined !== undefined);
  for (const into of all)
    for (const { pk, joined } of rows)
      if (joined === into && !all.includes(pk.slice(2))) all.push(pk.slice(2));
  return all;
}
