import { ConflictError } from '../../lib/platform/errors.ts';
import { END } from '../../lib/platform/keys.ts';
import type { Queue } from '../../lib/platform/queue.ts';
import type { Guard, Item, Key, Page, Range, Table, Value } from '../../lib/platform/table.ts';
import { copyRow, utf8Order } from './memory-rows.ts';

/** DynamoDB's page: a query or scan stops after the row that reaches it. */
const PAGE_BYTES = 1024 * 1024;

/** SQS's classic limit of one message. */
const MESSAGE_BYTES = 256 * 1024;

interface Row {
  readonly item: Item;
  readonly bytes: number;
}

export interface MemoryTable extends Table {
  /** Every row, ordered by key: copies. */
  rows(): Item[];
  /** The whole table as one canonical text: equal tables, equal texts. Binary values are base64. */
  snapshot(): string;
  /** An independent table with the same rows. */
  copy(): MemoryTable;
}

/**
 * The platform's table in memory, for tests that enumerate schedules by the hundred thousand. It passes the same
 * contract as DynamoDB (`table-contract.ts`): guards, byte order of sort keys, 1 MB pages, 400 KB rows. Rows are
 * copied on the way in and out, so nothing is shared with a caller; `due` and `scan` are consistent here.
 */
export function memoryTable(from: Iterable<readonly [string, readonly Row[]]> = []): MemoryTable {
  /** Partition → rows in sort-key order. */
  const partitions = new Map<string, Row[]>();
  for (const [pk, rows] of from) partitions.set(pk, [...rows]);
  const lookUp = ({ pk, sk }: Key) => {
    const rows = partitions.get(pk);
    const at = rows ? lowerBound(rows, sk) : 0;
    const row = rows?.[at];
    return { rows, at, row: row && row.item.sk === sk ? row : undefined };
  };

  async function page(
    pk: string,
    {
      from = ' ',
      to = END,
      newestFirst,
      limit = Infinity,
      after,
    }: Range & { limit?: number; after?: string },
  ): Promise<Page> {
    if (utf8Order(from, to) > 0) throw new Error('ValidationException: the range ends before it begins');
    const rows = partitions.get(pk) ?? [];
    const step = newestFirst ? -1 : 1;
    const items: Item[] = [];
    let bytes = 0;
    for (
      let i = start(rows, newestFirst ? to : from, newestFirst, after);
      i >= 0 && i < rows.length;
      i += step
    ) {
      const row = rows[i]!;
      if (utf8Order(row.item.sk, from) < 0 || utf8Order(row.item.sk, to) > 0) break;
      items.push(copyRow(row.item).row);
      bytes += row.bytes;
      if (items.length >= limit || bytes >= PAGE_BYTES) return { items, next: row.item.sk };
    }
    return { items };
  }

  async function put(item: Item, guard?: Guard): Promise<void> {
    checkKey(item);
    const stored = copyRow(item);
    const { rows, at, row } = lookUp(item);
    if (guard && !holds(guard, row?.item, item)) throw conflict(item);
    const next = { item: stored.row, bytes: stored.bytes };
    if (!rows) partitions.set(item.pk, [next]);
    else rows.splice(at, row ? 1 : 0, next);
  }

  const ordered = () => [...partitions.keys()].sort(utf8Order).flatMap((pk) => partitions.get(pk)!);

  return {
    async get(key) {
      checkKey(key);
      const { row } = lookUp(key);
      return row && copyRow(row.item).row;
    },

    put,

    async add({ pk, sk }, increments, set = {}) {
      checkKey({ pk, sk });
      await put(summed(lookUp({ pk, sk }).row?.item ?? { pk, sk }, increments, set));
    },

    async remove(key, guard) {
      checkKey(key);
      const { rows, at, row } = lookUp(key);
      if (guard && row?.item.v !== guard.version) throw conflict(key);
      if (!row || !rows) return;
      if (rows.length === 1) partitions.delete(key.pk);
      else rows.splice(at, 1);
    },

    async *query(pk, range = {}) {
      for (let after: string | undefined; ; ) {
        const { items, next } = await page(pk, { ...range, after });
        yield* items;
        if (next === undefined) return;
        after = next;
      }
    },

    page,

    async due(shard, until, limit) {
      const found: { key: Key; due: string }[] = [];
      for (const rows of partitions.values())
        for (const { item } of rows)
          if (item.w === shard && typeof item.due === 'string' && utf8Order(item.due, until) <= 0)
            found.push({ key: { pk: item.pk, sk: item.sk }, due: item.due });
      return found.sort((a, b) => utf8Order(a.due, b.due) || byKey(a.key, b.key)).slice(0, limit);
    },

    async scan(segment, of, after) {
      const [pk, sk] = after === undefined ? [] : after.split('\n');
      const items: Item[] = [];
      let bytes = 0;
      for (const { item, bytes: size } of ordered()) {
        if (hash(item.pk) % of !== segment) continue;
        if (pk !== undefined && sk !== undefined && byKey(item, { pk, sk }) <= 0) continue;
        items.push(copyRow(item).row);
        bytes += size;
        if (bytes >= PAGE_BYTES) return { items, next: `${item.pk}\n${item.sk}` };
      }
      return { items };
    },

    rows: () => ordered().map(({ item }) => copyRow(item).row),
    snapshot: () => canonical(ordered().map(({ item }) => item)),
    copy: () => memoryTable(partitions),
  };
}

/** The first index whose sort key is not below `sk`. */
function lowerBound(rows: readonly Row[], sk: string): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (utf8Order(rows[middle]!.item.sk, sk) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Where a page begins: at the range's edge, or behind the row that the page before ended with. */
function start(rows: readonly Row[], edge: string, newestFirst = false, after?: string): number {
  const at = lowerBound(rows, after ?? edge);
  const exact = rows[at]?.item.sk === (after ?? edge);
  if (newestFirst) return exact && after === undefined ? at : at - 1;
  return exact && after !== undefined ? at + 1 : at;
}

function holds(guard: Guard, stored: Item | undefined, item: Item): boolean {
  if (guard.kind === 'absent' || (guard.kind === 'version' && guard.version === 0)) return !stored;
  if (guard.kind === 'version') return stored?.v === guard.version;
  if (guard.kind === 'unversioned') return stored?.v === undefined;
  const v = Number(item.v);
  if (Number.isNaN(v)) throw new Error('ValidationException: `newer` needs a row with a `v`');
  return !stored || (typeof stored.v === 'number' && stored.v < v);
}

/** A row with some of its numbers higher and others of its attributes set. */
function summed(
  row: Item,
  increments: Readonly<Record<string, number>>,
  set: Readonly<Record<string, Value>>,
): Item {
  const next: Item = { ...row };
  for (const [name, by] of Object.entries(increments)) {
    const before = next[name] ?? 0;
    if (typeof before !== 'number' || Object.hasOwn(set, name) || name === 'pk' || name === 'sk')
      throw new Error(`ValidationException: ${name} is no number to add to`);
    next[name] = before + by;
  }
  if (Object.hasOwn(set, 'pk') || Object.hasOwn(set, 'sk'))
    throw new Error('ValidationException: a key cannot be set');
  return Object.assign(next, set);
}

function checkKey({ pk, sk }: Key): void {
  if (pk === '' || sk === '') throw new Error('ValidationException: a key attribute is empty');
}

const conflict = ({ pk, sk }: Key) => new ConflictError(`somebody else wrote ${pk} ${sk} first`);

const byKey = (a: Key, b: Key) => utf8Order(a.pk, b.pk) || utf8Order(a.sk, b.sk);

/** Any stable spread over segments does; real tables use a hash of their own. */
function hash(text: string): number {
  let sum = 7;
  for (let i = 0; i < text.length; i++) sum = (Math.imul(sum, 31) + text.charCodeAt(i)) >>> 0;
  return sum;
}

/** JSON with sorted names; equal values give equal texts. */
export function canonical(value: Value | readonly Value[]): string {
  if (value instanceof Uint8Array) return JSON.stringify({ base64: Buffer.from(value).toString('base64') });
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonical).join(',')}]`;
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name]!)}`).join(',')}}`;
}

const isList = (value: object): value is readonly Value[] => Array.isArray(value);

export interface MemoryQueue extends Queue {
  /** What was sent, in order. */
  readonly bodies: readonly string[];
}

/** A queue that keeps what was sent. A body that SQS would refuse is refused, and nothing of its call is queued. */
export function memoryQueue(): MemoryQueue {
  const bodies: string[] = [];
  return {
    bodies,
    async send(more) {
      for (const body of more) {
        const bytes = Buffer.byteLength(body);
        if (bytes === 0 || bytes > MESSAGE_BYTES) throw new Error(`SQS refuses a message of ${bytes} bytes`);
      }
      bodies.push(...more);
    },
  };
}
