import { expect, test } from 'vitest';
import { keyring } from '../../lib/platform/keyring.ts';
import { keys } from '../../lib/platform/keys.ts';
import { SEALING_BYTES, sealedTable, sealedUnder } from '../../lib/platform/sealed.ts';
import { shredder } from '../../lib/platform/shredder.ts';
import type { Item } from '../../lib/platform/table.ts';
import { counted } from './counted.ts';
import { memoryTable } from './memory.ts';
import { tableContract } from './table-contract.ts';

const sealing = (dice = counted()) => {
  const rows = memoryTable();
  const ring = memoryTable();
  const open = () => sealedTable(rows, keyring(ring, dice), dice);
  return { rows, ring, open, table: open() };
};
const secret = 'what nobody may read';
const bytes = new Uint8Array(Buffer.from(secret));
const state = (id: string): Item => ({ ...keys.profile(id), v: 1, s: bytes, tags: ['in clear'] });
const place = keys.identifier('phone', '', 'digest');

tableContract('the sealed table', async () => sealing().table);

test('what clusters and identifiers’ rows hold is not to be read in the table, and comes back as it was', async () => {
  const { rows, table } = sealing();
  const all: Item[] = [
    state('one'),
    { ...keys.segment('one', 0), v: 1, b: bytes },
    { ...keys.conversion('one', 'c'), v: 1, body: bytes },
    { ...keys.profile('two'), v: 2, joined: 'one', erasing: { at: '', of: [{ value: secret }] } },
    { ...place, cluster: secret },
  ];
  for (const row of all) await table.put(row);
  for (const row of rows.rows()) {
    const values = Object.values(row).map((it) =>
      it instanceof Uint8Array ? Buffer.from(it).toString() : it,
    );
    expect(JSON.stringify(values)).not.toContain(secret);
  }
  for (const row of all) expect(await table.get(row)).toEqual(row);
  expect(await rows.get(keys.profile('one'))).toMatchObject({ v: 1, tags: ['in clear'] });
});

test('a row grows by so many bytes', async () => {
  const { rows, table } = sealing();
  await table.put(state('one'));
  const s = (await rows.get(keys.profile('one')))?.s;
  expect(s instanceof Uint8Array && s.length).toBe(bytes.length + SEALING_BYTES);
});

test('rows that tell nothing of one person stay as they are', async () => {
  const { rows, table, ring } = sealing();
  const row: Item = { ...keys.quarantine('2026-11-11', 'q'), body: bytes };
  await table.put(row);
  expect(await rows.get(row)).toEqual(row);
  expect(ring.rows()).toEqual([]);
});

test('what was put before there were keys is read, and sealed when it is put again', async () => {
  const { rows, table } = sealing();
  await rows.put(state('one'));
  await rows.put({ ...place, cluster: secret });
  expect(await table.get(keys.profile('one'))).toEqual(state('one'));
  expect(await table.get(place)).toMatchObject({ cluster: secret });
  await table.put(state('one'));
  expect((await rows.get(keys.profile('one')))?.s).not.toEqual(bytes);
});

test('the same bytes never look the same twice', async () => {
  const { rows, table } = sealing();
  await table.put(state('one'));
  const first = (await rows.get(keys.profile('one')))?.s;
  await table.put(state('one'));
  expect((await rows.get(keys.profile('one')))?.s).not.toEqual(first);
});

test('what is put again where it was read stays as it is; anywhere else it is sealed anew', async () => {
  const { rows, table } = sealing();
  await table.put(state('one'));
  const first = await rows.get(keys.profile('one'));
  const read = (await table.get(keys.profile('one'))) ?? state('none');
  await table.put({ ...read, v: 2 });
  expect(await rows.get(keys.profile('one'))).toEqual({ ...first, v: 2 });
  await table.put({ ...read, ...keys.profile('two') });
  expect((await rows.get(keys.profile('two')))?.s).not.toEqual(first?.s);
  expect(await table.get(keys.profile('two'))).toEqual({ ...read, ...keys.profile('two') });
  await table.put({ ...read, other: read.s ?? null });
  expect((await table.get(keys.profile('one')))?.other).toEqual(bytes);
});

test('a value that was moved, changed, or sealed under other keys is refused', async () => {
  const { rows, table } = sealing();
  await table.put(state('one'));
  const stored = (await rows.get(keys.profile('one'))) ?? state('none');
  const refused = async (row: Item) => {
    await rows.put(row);
    await expect(table.get(row)).rejects.toThrow();
  };
  await refused({ ...stored, sk: 'J#0000000000' });
  await refused({ ...stored, pk: 'P#two' });
  const s = Buffer.from(stored.s instanceof Uint8Array ? stored.s : []);
  for (const at of [1, 14, s.length - 1]) {
    const changed = Buffer.from(s);
    changed[at] = (changed[at] ?? 0) ^ 1;
    await refused({ ...stored, s: changed });
  }
  await rows.put(stored);
  const others = sealedTable(rows, keyring(memoryTable(), counted('others')), counted());
  await expect(others.get(stored)).rejects.toThrow();
});

test('a row whose key was shredded is as if it were not there, however it is asked for, and nothing can be put under it', async () => {
  const { rows, ring, open } = sealing();
  const table = open();
  for (const id of ['gone', 'here']) {
    await table.put(state(id));
    await table.put({ ...keys.segment(id, 0), v: 1, b: bytes });
  }
  await shredder(ring).shred([sealedUnder(keys.profile('gone').pk) ?? '']);
  const after = open();
  const listed = async (id: string) => {
    const found: string[] = [];
    for await (const { sk } of after.query(keys.profile(id).pk)) found.push(sk);
    return found;
  };
  expect(await after.get(keys.profile('gone'))).toBeUndefined();
  expect(await listed('gone')).toEqual([]);
  expect((await after.page(keys.profile('gone').pk, { limit: 9 })).items).toEqual([]);
  expect((await after.scan(0, 1)).items.map(({ pk }) => pk)).toEqual(['P#here', 'P#here']);
  expect(await listed('here')).toEqual(['@', 'J#0000000000']);
  await expect(after.put(state('gone'))).rejects.toThrow('shredded');
  await after.put({ ...keys.profile('gone'), v: 9, joined: 'here' }); // the way to where the others went holds no secret
  expect(rows.rows()).toHaveLength(4);
});

test('whoever comes back under an identifier has another key than who was erased', async () => {
  const { ring, open } = sealing();
  const table = open();
  await table.put({ ...place, cluster: 'old' });
  await table.put({ ...place, cluster: 'new', erasedAt: '2026-11-11T00:00:00.000Z', v: 1 });
  await shredder(ring).shred([sealedUnder(place.pk) ?? '']);
  expect(await open().get(place)).toMatchObject({ cluster: 'new' });
});
