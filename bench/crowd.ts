// A table of very many profiles that takes no room: copies of a few, made when they are asked for.
import { DUE_SHARDS, keys, shardOf } from '../lib/platform/keys.ts';
import type { Item, Key, Page, Table } from '../lib/platform/table.ts';

const NAME = 'crowd';
/** Rows of a page of a scan: about a megabyte. */
const PAGE = 1_000;

export interface Crowd {
  readonly table: Table;
  /** Requests that reached rows of the crowd since the table was opened. */
  readonly asked: Readonly<Record<'get' | 'query' | 'scan' | 'put', number>>;
}

export interface CrowdOptions {
  readonly size: number;
  /** All rows of the profiles that are copied, journals too. */
  readonly patterns: readonly Item[];
  /** When a profile is due. They come in the order of their numbers, or never. */
  readonly dueAt?: (i: number) => string;
}

/**
 * `size` profiles, each with the rows of one of the patterns under a name of its own. What is put there is
 * answered as written and forgotten; whatever else is read and written goes to the table behind.
 */
export function crowd(behind: Table, { size, patterns, dueAt }: CrowdOptions): Crowd {
  const groups = [...Map.groupBy(patterns, ({ pk }) => pk).values()].filter((rows) =>
    rows.some(({ sk, s }) => sk === '@' && s !== undefined),
  );
  if (groups.length === 0) throw new Error('there is no profile to copy');
  const asked = { get: 0, query: 0, scan: 0, put: 0 };
  const rowsOf = (pk: string): Item[] | undefined => {
    const i = numberOf(pk);
    const shard = keys.due(shardOf(pk.slice(keys.profile('').pk.length), DUE_SHARDS));
    const rows = i === undefined ? undefined : groups[i % groups.length];
    return rows?.map((row) => ({ ...row, pk, ...(row.w !== undefined && { w: shard }) }));
  };
  const between = (rows: readonly Item[], { from = '', to = '\uffff' }: { from?: string; to?: string }) =>
    rows.filter(({ sk }) => sk >= from && sk <= to).sort((a, b) => (a.sk < b.sk ? -1 : 1));

  const table: Table = {
    ...behind,
    async get(key) {
      const rows = rowsOf(key.pk);
      if (!rows) return behind.get(key);
      asked.get++;
      return rows.find(({ sk }) => sk === key.sk);
    },
    async put(item, guard) {
      if (numberOf(item.pk) === undefined) return behind.put(item, guard);
      asked.put++;
    },
    async *query(pk, range = {}) {
      const rows = rowsOf(pk);
      if (!rows) return yield* behind.query(pk, range);
      asked.query++;
      const found = between(rows, range);
      yield* range.newestFirst ? found.toReversed() : found;
    },
    async page(pk, range) {
      const rows = rowsOf(pk);
      if (!rows) return behind.page(pk, range);
      asked.query++;
      return { items: range.after === undefined ? between(rows, range) : [] };
    },
    async scan(segment, of, after): Promise<Page> {
      asked.scan++;
      const items: Item[] = [];
      for (let i = after === undefined ? segment : Number(after); i < size; i += of) {
        if (items.length >= PAGE) return { items, next: String(i) };
        items.push(...(rowsOf(keys.profile(`${NAME}${i}`).pk) ?? []));
      }
      return { items };
    },
    async due(shard, until, limit) {
      const found: { key: Key; due: string }[] = [];
      for (let i = 0; dueAt && i < size && found.length < limit; i++) {
        const due = dueAt(i);
        if (due > until) break;
        const id = `${NAME}${i}`;
        if (keys.due(shardOf(id, DUE_SHARDS)) === shard) found.push({ key: keys.profile(id), due });
      }
      return found;
    },
  };
  return { table, asked };
}

const HEAD = keys.profile(NAME).pk;
const numberOf = (pk: string): number | undefined =>
  pk.startsWith(HEAD) ? Number(pk.slice(HEAD.length)) : undefined;
