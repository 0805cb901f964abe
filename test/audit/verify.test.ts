// Scope: whatever is done to the log is found.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashOf } from '../../lib/audit/entry.ts';
import { DAY, MINUTE } from '../../lib/platform/clock.ts';
import { keys } from '../../lib/platform/keys.ts';
import type { Item } from '../../lib/platform/table.ts';
import type { MemoryTable } from '../platform/memory.ts';
import { aLog, aRead } from './a-log.ts';

/** A log of three days, held fast every few entries; with the hash of its last anchor. */
async function aFullLog() {
  const log = aLog();
  for (let i = 0; i < 24; i++) {
    await log.append(aRead(`s${i % 3}`, { details: { i } }));
    log.pass(i % 8 === 7 ? DAY : MINUTE);
    if (i % 4 === 3) await log.store.anchor();
  }
  const last = (await log.verify()).lastAnchor;
  return { ...log, last };
}

const nameOf = ({ pk, sk }: Item): string => {
  const [, , day, lane] = pk.split('#');
  return `${day}/${lane}:${Number(sk)}`;
};
const pick = <T>(list: readonly T[], i: number): T => list[i % list.length]!;

/** Each changes some rows and tells the name of one that has to be found; none: there was nothing to change. */
const tamperings: Record<
  string,
  (table: MemoryTable, rows: Item[], i: number, j: number) => Promise<string | undefined>
> = {
  async 'a text changed'(table, rows, i, j) {
    const row = pick(rows, i);
    const text = String(row.e);
    const at = j % text.length;
    const other = text[at] === 'x' ? 'y' : 'x';
    await table.put({ ...row, e: `${text.slice(0, at)}${other}${text.slice(at + 1)}` });
    return nameOf(row);
  },
  async 'a text changed and hashed anew'(table, rows, i) {
    const row = pick(rows, i);
    const e = String(row.e).replace('Wang', 'Li');
    await table.put({ ...row, e, h: hashOf(e) });
    const next = rows.find((it) => it.pk === row.pk && Number(it.sk) === Number(row.sk) + 1);
    return next ? nameOf(next) : nameOf(row);
  },
  async 'a lane written anew from an entry on'(table, rows, i) {
    const from = pick(rows, i);
    let prev: string | undefined;
    for (const row of rows.filter((it) => it.pk === from.pk && it.sk >= from.sk)) {
      const said = JSON.parse(String(row.e));
      const e = JSON.stringify({ ...said, who: 'Li', prev: prev ?? said.prev });
      prev = hashOf(e);
      await table.put({ ...row, e, h: prev });
    }
    return nameOf(rows.filter((it) => it.pk === from.pk).at(-1)!);
  },
  async 'an entry removed'(table, rows, i) {
    const row = pick(rows, i);
    await table.remove(row);
    return nameOf(row);
  },
  async 'an entry removed, and its followers moved up'(table, rows, i) {
    const row = pick(rows, i);
    const after = rows.filter((it) => it.pk === row.pk && it.sk > row.sk);
    let place = row;
    for (const next of after) {
      await table.put({ ...next, sk: place.sk });
      place = next;
    }
    await table.remove(place);
    return nameOf(row);
  },
  async 'two entries swapped'(table, rows, i, j) {
    const [a, b] = [pick(rows, i), pick(rows, j)];
    if (nameOf(a) === nameOf(b)) return undefined;
    await table.put({ ...a, e: b.e!, h: b.h! });
    await table.put({ ...b, e: a.e!, h: a.h! });
    return nameOf(a);
  },
  async 'the end of a lane cut off'(table, rows, i) {
    const from = pick(rows, i);
    const lane = rows.filter((it) => it.pk === from.pk);
    for (const row of lane.filter((it) => it.sk >= from.sk)) await table.remove(row);
    return nameOf(lane.at(-1)!);
  },
};

test('a log that nobody touched is whole', async () => {
  const log = await aFullLog();
  expect(await log.verify(log.last)).toMatchObject({ whole: true, entries: 24, found: [] });
});

test.each(Object.keys(tamperings))('%s is found, and named', async (kind) => {
  const whole = await aFullLog();
  const rows = whole.rows();
  await fc.assert(
    fc.asyncProperty(fc.nat(1000), fc.nat(1000), async (i, j) => {
      const table = whole.table.copy();
      const named = await tamperings[kind]!(table, rows, i, j);
      if (named === undefined) return;
      const { whole: isWhole, found } = await aLog(table).verify();
      expect(isWhole).toBe(false);
      expect(found.map(({ entry }) => entry)).toContain(named);
    }),
    { numRuns: 40 },
  );
});

test('an anchor that was changed, made by a stranger, removed or cut off is found', async () => {
  const { table, last, rows, store } = await aFullLog();
  const anchors = table.rows().filter(({ pk }) => pk === keys.anchor(0).pk);
  const at = (i: number) => anchors[i]!;
  const verifyWith = async (change: (copy: MemoryTable) => Promise<void>) => {
    const copy = table.copy();
    await change(copy);
    return (await aLog(copy).verify(last)).found;
  };
  expect(anchors.length).toBeGreaterThan(3);
  expect(
    await verifyWith((it) => it.put({ ...at(1), e: String(at(1).e).replace('"lane":', '"lane": ') })),
  ).toEqual([{ entry: 'anchor:2', wrong: 'changed' }]);
  // Who holds no key of the brand can hash, and cannot seal.
  const text = JSON.stringify({ ...JSON.parse(String(at(-1 + anchors.length).e)), heads: [] });
  const forged = { ...anchors.at(-1)!, e: text, h: hashOf(text) };
  expect(await verifyWith((it) => it.put(forged))).toEqual([
    { entry: `anchor:${anchors.length}`, wrong: 'unsealed' },
    { entry: `anchor ${last}`, wrong: 'missing' },
  ]);
  expect(await verifyWith((it) => it.remove(at(1)))).toContainEqual({ entry: 'anchor:2', wrong: 'missing' });
  // Entries and the anchors that hold them, cut off together: only who kept the last anchor can tell.
  const cut = await verifyWith(async (it) => {
    await it.remove(anchors.at(-1)!);
    await it.remove(anchors.at(-2)!);
    for (const row of rows().filter(({ pk }) => pk.includes('2026-11-13'))) await it.remove(row);
  });
  expect(cut).toEqual([{ entry: `anchor ${last}`, wrong: 'missing' }]);
  expect((await store.verify('2026-11-10', '2026-11-14', last)).whole).toBe(true);
});

test('an anchor is made when something is new and when a day has ended, and not again', async () => {
  const log = aLog();
  expect(await log.store.anchor()).toBeUndefined();
  await log.append(aRead('s1'));
  expect(await log.store.anchor()).toMatchObject({ n: 1 });
  expect(await log.store.anchor()).toBeUndefined();
  log.setClock(Date.parse('2026-11-11T23:59:59.990Z'));
  expect(await log.store.anchor()).toBeUndefined();
  await log.append(aRead('s2'));
  log.setClock(Date.parse('2026-11-12T00:00:05.000Z'));
  expect(await log.store.anchor()).toMatchObject({ n: 2 });
  const [entry] = log.rows().filter(({ e }) => String(e).includes('s2'));
  await log.table.remove(entry!);
  expect((await log.verify()).found).toEqual([{ entry: nameOf(entry!), wrong: 'missing' }]);
});

test('days without any look are held fast by the next one', async () => {
  const log = aLog();
  await log.append(aRead('s1'));
  await log.store.anchor();
  log.pass(DAY);
  await log.append(aRead('s1'));
  log.pass(2 * DAY);
  expect(await log.store.anchor()).toMatchObject({ n: 2 });
  const lost = log.rows().at(-1)!;
  await log.table.remove(lost);
  expect((await log.verify()).found).toEqual([{ entry: nameOf(lost), wrong: 'missing' }]);
});
