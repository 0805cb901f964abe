// A table that counts what DynamoDB would charge, by operation and kind of row.
import { indexUnits, itemBytes, readUnits, type WireItem, writeUnits } from '../infra/local/units.ts';
import { ConflictError } from '../lib/platform/errors.ts';
import type { Item, Key, Table, Value } from '../lib/platform/table.ts';

export interface Call {
  readonly operation: 'get' | 'put' | 'add' | 'remove' | 'query' | 'due' | 'scan';
  /** The heads of the row's keys: `P#@`, `P#J`, `A#`. */
  readonly rows: string;
  readonly readUnits: number;
  readonly writeUnits: number;
  readonly indexUnits: number;
  readonly bytes: number;
}

export interface MeteredTable extends Table {
  /** Since the last `reset`. */
  readonly calls: readonly Call[];
  reset(): void;
}

const DUE = { name: 'due', hash: 'w', range: 'due', attributes: ['pk', 'sk', 'w', 'due'] };

/** @param onPut is shown every row that was put */
export function metered(table: Table, onPut: (item: Item) => void = () => {}): MeteredTable {
  let calls: Call[] = [];
  const note = (operation: Call['operation'], key: Key, units: Partial<Call>) =>
    calls.push({
      operation,
      rows: rowsOf(key),
      readUnits: 0,
      writeUnits: 0,
      indexUnits: 0,
      bytes: 0,
      ...units,
    });
  const read = (operation: 'get' | 'query' | 'scan', key: Key, bytes: number, strong = true) =>
    note(operation, key, { readUnits: readUnits(bytes, strong), bytes });

  async function write(
    operation: 'put' | 'remove',
    key: Key,
    item: Item | undefined,
    work: () => Promise<void>,
  ) {
    const stored = await table.get(key);
    const before = stored && wire(stored);
    const after = item && wire(item);
    const units = { writeUnits: writeUnits(before, after), bytes: after ? itemBytes(after) : 0 };
    try {
      await work();
    } catch (error) {
      if (error instanceof ConflictError) note(operation, key, units); // charged as if it had been written
      throw error;
    }
    note(operation, key, { ...units, indexUnits: indexUnits(DUE, before, after) });
    if (item) onPut(item);
  }

  const sum = (items: readonly Item[]) => items.reduce((bytes, item) => bytes + itemBytes(wire(item)), 0);

  return {
    get calls() {
      return calls;
    },
    reset() {
      calls = [];
    },
    async get(key) {
      const item = await table.get(key);
      read('get', key, item ? itemBytes(wire(item)) : 0);
      return item;
    },
    put: (item, guard) => write('put', item, item, () => table.put(item, guard)),
    async add(key, increments, set) {
      const before = await table.get(key);
      await table.add(key, increments, set);
      const after = await table.get(key);
      const [old, now] = [before && wire(before), after && wire(after)];
      note('add', key, { writeUnits: writeUnits(old, now), indexUnits: indexUnits(DUE, old, now) });
    },
    remove: (key, guard) => write('remove', key, undefined, () => table.remove(key, guard)),
    async *query(pk, range) {
      const items: Item[] = [];
      try {
        for await (const item of table.query(pk, range)) {
          items.push(item);
          yield item;
        }
      } finally {
        read('query', { pk, sk: range?.from ?? '' }, sum(items)); // what was not asked for any more is not counted
      }
    },
    async page(pk, range) {
      const page = await table.page(pk, range);
      read('query', { pk, sk: range.from ?? '' }, sum(page.items));
      return page;
    },
    async due(shard, until, limit) {
      const found = await table.due(shard, until, limit);
      const bytes = found.reduce((total, { key, due }) => total + key.pk.length + due.length + 32, 0);
      note('due', { pk: 'W#', sk: '' }, { readUnits: readUnits(bytes, false), bytes });
      return found;
    },
    async scan(segment, of, after) {
      const page = await table.scan(segment, of, after);
      read('scan', { pk: '*', sk: '' }, sum(page.items), false);
      return page;
    },
  };
}

const rowsOf = ({ pk, sk }: Key): string =>
  pk.includes('#') ? `${pk.slice(0, pk.indexOf('#'))}#${/^(@|[A-Z](?=#))/.exec(sk)?.[0] ?? ''}` : pk;

/** A row as the wire has it. */
export const wire = (item: { readonly [name: string]: Value }): WireItem =>
  Object.fromEntries(Object.entries(item).map(([name, value]) => [name, wireValue(value)]));

function wireValue(value: Value): Record<string, unknown> {
  if (value === null) return { NULL: true };
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (typeof value === 'boolean') return { BOOL: value };
  if (value instanceof Uint8Array) return { B: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return { L: value.map(wireValue) };
  return { M: wire(value) };
}
