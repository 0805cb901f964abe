import { createHash, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { ConflictError } from '../../lib/platform/errors.ts';
import { keyring } from '../../lib/platform/keyring.ts';
import { keys } from '../../lib/platform/keys.ts';
import { getSeeds, pathOf } from '../../lib/platform/seeds.ts';
import { shredder } from '../../lib/platform/shredder.ts';
import type { Table } from '../../lib/platform/table.ts';
import { counted } from './counted.ts';
import { type MemoryTable, memoryTable } from './memory.ts';

const text = (key: KeyObject | undefined) => key?.export().toString('hex') ?? '';
const hex = async (table: Pick<Table, 'get' | 'put'>, names: readonly string[]) => {
  const ring = keyring(table, counted());
  return Promise.all(names.map(async (name) => text(await ring.keyOf(name))));
};
const names = Array.from({ length: 300 }, (_, i) => `P#${i}`);

/** A table that says how often it was asked. */
function asked(table: MemoryTable) {
  const calls: string[] = [];
  const noted = <T>(call: string, reply: Promise<T>) => {
    calls.push(call);
    return reply;
  };
  return {
    calls,
    table: {
      get: (...it: Parameters<Table['get']>) => noted('get', table.get(...it)),
      put: (...it: Parameters<Table['put']>) => noted('put', table.put(...it)),
    },
  };
}

test('every name has a key of its own, the same for ever', async () => {
  const table = memoryTable();
  const keys = await hex(table, names);
  expect(new Set(keys).size).toBe(names.length);
  for (const key of keys) expect(key).toMatch(/^[0-9a-f]{64}$/);
  expect(await hex(table, names)).toEqual(keys);
  expect(await hex(memoryTable([]), names.slice(0, 3))).toEqual(keys.slice(0, 3)); // of the same dice
  const other = await keyring(memoryTable(), counted('others')).keyOf('P#0');
  expect(text(other)).not.toBe(keys[0]);
});

test('a brand of which nobody was erased has one row, read once', async () => {
  const rows = memoryTable();
  await hex(rows, ['P#0']);
  const { table, calls } = asked(rows);
  await hex(table, names);
  expect(calls).toEqual(['get']);
  expect(rows.rows()).toHaveLength(1);
});

test('two who come first at once make the same seed', async () => {
  const table = memoryTable();
  const rings = ['a', 'b', 'c'].map((it) => keyring(table, counted(it)));
  const keys = await Promise.all(rings.map((ring) => ring.keyOf('P#1')));
  expect(new Set(keys.map(text)).size).toBe(1);
});

test('what is shredded is gone, and everybody else has the key they had', async () => {
  const table = memoryTable();
  const before = await hex(table, names);
  const gone = names.filter((_, i) => i % 7 === 0);
  await shredder(table).shred(gone);
  expect(await hex(table, names)).toEqual(before.map((key, i) => (i % 7 === 0 ? '' : key)));
  const after = table.snapshot();
  await shredder(table).shred(gone);
  expect(table.snapshot(), 'shredding again changes nothing').toBe(after);
});

test('no seed from which a shredded key follows is left in any row', async () => {
  const table = memoryTable();
  await hex(table, names);
  const gone = ['P#7', 'P#8', 'P#9'];
  const above = async () => {
    const found: string[] = [];
    for (const { pk } of table.rows()) {
      const head = pk.slice(keys.seeds('').pk.length);
      for (const steps of Object.keys((await getSeeds(head, table))?.seeds ?? {}))
        found.push(
          ...gone.filter((name) =>
            pathOf(name)
              .join('')
              .startsWith(head + steps),
          ),
        );
    }
    return found;
  };
  expect(await above()).toEqual(gone);
  await shredder(table).shred(gone);
  expect(await above()).toEqual([]);
});

test('names whose paths begin the same do not take one another along', async () => {
  const head = (name: string) => createHash('sha256').update(name).digest().readUInt16BE(0) >> 4;
  const many = Array.from({ length: 20_000 }, (_, i) => `P#${i}`);
  const [first = ''] = many;
  const near = many.filter((name) => head(name) === head(first));
  expect(near.length).toBeGreaterThan(2);
  const table = memoryTable();
  const before = await hex(table, near);
  await shredder(table).shred([first]);
  expect(await hex(table, near)).toEqual(['', ...before.slice(1)]);
  await shredder(table).shred(near.slice(1, 2));
  expect(await hex(table, near)).toEqual(['', '', ...before.slice(2)]);
});

test('two who shred at once lose neither', async () => {
  const table = memoryTable();
  const before = await hex(table, names);
  await Promise.all(names.slice(0, 6).map((name) => shredder(table).shred([name])));
  expect(await hex(table, names)).toEqual(before.map((key, i) => (i < 6 ? '' : key)));
});

test('a crash at any read or write loses nobody a key, and shredding again ends it', async () => {
  const plain = memoryTable();
  const before = await hex(plain, names);
  const { table, calls } = asked(plain.copy());
  await shredder(table).shred(['P#1', 'P#2']);
  for (let at = 0; at < calls.length; at++) {
    for (const when of ['before', 'after']) {
      const rows = plain.copy();
      let n = 0;
      const stop = async <T>(work: () => Promise<T>): Promise<T> => {
        const here = n++ === at;
        if (here && when === 'before') throw new Error('crash');
        const result = await work();
        if (here) throw new Error('crash');
        return result;
      };
      const faulty = {
        get: (...it: Parameters<Table['get']>) => stop(() => rows.get(...it)),
        put: (...it: Parameters<Table['put']>) => stop(() => rows.put(...it)),
      };
      await expect(shredder(faulty).shred(['P#1', 'P#2'])).rejects.toThrow('crash');
      const between = await hex(rows, names);
      between.forEach((key, i) => {
        expect([before[i], ...(i === 1 || i === 2 ? [''] : [])], `${at} ${when}`).toContain(key);
      });
      await shredder(rows).shred(['P#1', 'P#2']);
      expect(await hex(rows, names)).toEqual(before.map((key, i) => (i === 1 || i === 2 ? '' : key)));
    }
  }
});

test('who cannot put because others always do says so', async () => {
  const table = memoryTable();
  await hex(table, ['P#1']);
  const never = { get: table.get, put: () => Promise.reject(new ConflictError('never')) };
  await expect(shredder(never).shred(['P#1'])).rejects.toThrow(ConflictError);
});
