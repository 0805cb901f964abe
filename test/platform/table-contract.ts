import { beforeEach, describe, expect, test } from 'vitest';
import { ConflictError } from '../../lib/platform/errors.ts';
import { CONVERSION, END, keys, SEGMENT } from '../../lib/platform/keys.ts';
import type { Item, Page, Range, Table } from '../../lib/platform/table.ts';

const KB = 1024;

/** What every `Table` must do, whatever it stands on. `open` gives an empty table for each test. */
export function tableContract(name: string, open: () => Promise<Table>): void {
  let table: Table;
  beforeEach(async () => {
    table = await open();
  });
  const all = async (rows: AsyncIterable<Item>) => {
    const list: Item[] = [];
    for await (const row of rows) list.push(row);
    return list;
  };
  const sks = async (pk: string, range?: Range) => (await all(table.query(pk, range))).map((row) => row.sk);

  describe(`${name}: rows`, () => {
    test('a row that was never put is undefined', async () => {
      expect(await table.get({ pk: 'P#1', sk: '@' })).toBeUndefined();
    });

    test('a row comes back as it was put, whatever it holds', async () => {
      const row: Item = {
        ...keys.profile('1'),
        text: '私域 🎋',
        empty: '',
        whole: 9_007_199_254_740_991,
        negative: -12_345_678_901_234,
        fraction: 0.1,
        tiny: 1.5e-20,
        huge: 2 ** 70 + 2 ** 20,
        yes: true,
        no: false,
        nothing: null,
        list: [1, 'two', [3, { four: null }], false],
        map: { deep: { deeper: { list: [] }, empty: {} } },
      };
      await table.put(row);
      expect(await table.get(keys.profile('1'))).toEqual(row);
    });

    test('binary values come back byte by byte', async () => {
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
      await table.put({ ...keys.profile('1'), state: bytes, parts: [bytes.subarray(250)] });
      const row = await table.get(keys.profile('1'));
      expect(binary(row?.state)).toEqual([...bytes]);
      expect(Array.isArray(row?.parts) && binary(row.parts[0])).toEqual([250, 251, 252, 253, 254, 255]);
    });

    test('a put replaces the whole row', async () => {
      await table.put({ pk: 'P#1', sk: '@', old: 1, both: 1 });
      await table.put({ pk: 'P#1', sk: '@', both: 2, new: 2 });
      expect(await table.get({ pk: 'P#1', sk: '@' })).toEqual({ pk: 'P#1', sk: '@', both: 2, new: 2 });
    });

    test('what a caller does to a row after putting or getting it does not reach the table', async () => {
      const list = [1];
      const bytes = Buffer.from([1]);
      await table.put({ pk: 'P#1', sk: '@', list, bytes });
      list.push(2);
      bytes[0] = 9;
      const first = await table.get({ pk: 'P#1', sk: '@' });
      if (Array.isArray(first?.list)) first.list.push(3);
      const [queried] = await all(table.query('P#1'));
      if (Array.isArray(queried?.list)) queried.list.push(4);
      const again = await table.get({ pk: 'P#1', sk: '@' });
      expect(again?.list).toEqual([1]);
      expect(binary(again?.bytes)).toEqual([1]);
    });

    test('removing takes the row away, and removing it again is not an error', async () => {
      await table.put({ pk: 'P#1', sk: '@' });
      await table.put({ pk: 'P#1', sk: 'J#1' });
      await table.remove({ pk: 'P#1', sk: '@' });
      await table.remove({ pk: 'P#1', sk: '@' });
      expect(await sks('P#1')).toEqual(['J#1']);
    });

    test('what no row can hold is refused and nothing is written', async () => {
      const wrongs: Item[] = [
        { pk: '', sk: '@' },
        { pk: 'P#1', sk: '' },
        { pk: 'P#1', sk: '@', value: Number.NaN },
        { pk: 'P#1', sk: '@', value: Number.POSITIVE_INFINITY },
        { pk: 'P#1', sk: '@', value: 'x'.repeat(400 * KB) },
        { pk: 'P#1', sk: '@', w: 'W#0', due: 5 },
      ];
      for (const wrong of wrongs) await expect(table.put(wrong)).rejects.toThrow();
      expect(await table.get({ pk: 'P#1', sk: '@' })).toBeUndefined();
    });
  });

  describe(`${name}: guards`, () => {
    const key = { pk: 'P#1', sk: '@' };
    const put = (v: number, guard: Parameters<Table['put']>[1], by = 'me') =>
      table.put({ ...key, v, by }, guard);
    const held = async () => (await table.get(key))?.by;

    test('absent: the first put wins, the second is a conflict and changes nothing', async () => {
      await put(1, { kind: 'absent' }, 'first');
      await expect(put(2, { kind: 'absent' }, 'second')).rejects.toThrow(ConflictError);
      expect(await held()).toBe('first');
    });

    test('version 0: only where no row is', async () => {
      await put(1, { kind: 'version', version: 0 }, 'first');
      await expect(put(1, { kind: 'version', version: 0 }, 'second')).rejects.toThrow(ConflictError);
      expect(await held()).toBe('first');
    });

    test('version: only on exactly the version that was read', async () => {
      await expect(put(2, { kind: 'version', version: 1 }, 'nothing there')).rejects.toThrow(ConflictError);
      expect(await held()).toBeUndefined();
      await put(1, { kind: 'version', version: 0 }, 'first');
      await put(2, { kind: 'version', version: 1 }, 'second');
      await expect(put(2, { kind: 'version', version: 1 }, 'late')).rejects.toThrow(ConflictError);
      await expect(put(4, { kind: 'version', version: 3 }, 'early')).rejects.toThrow(ConflictError);
      expect(await held()).toBe('second');
    });

    test('newer: a lower or equal version changes nothing', async () => {
      await put(5, { kind: 'newer' }, 'five');
      await expect(put(4, { kind: 'newer' }, 'four')).rejects.toThrow(ConflictError);
      await expect(put(5, { kind: 'newer' }, 'five again')).rejects.toThrow(ConflictError);
      expect(await held()).toBe('five');
      await put(12, { kind: 'newer' }, 'twelve');
      expect(await held()).toBe('twelve');
    });

    test('newer: a row without a version is never overwritten', async () => {
      await table.put({ ...key, by: 'hand' });
      await expect(put(5, { kind: 'newer' })).rejects.toThrow(ConflictError);
      expect(await held()).toBe('hand');
    });

    test('unversioned: over a row without a version, or none; never over one that has one', async () => {
      await table.put({ ...key, by: 'first' }, { kind: 'unversioned' });
      await table.put({ ...key, by: 'again' }, { kind: 'unversioned' });
      expect(await held()).toBe('again');
      await put(1, { kind: 'unversioned' }, 'versioned');
      await expect(table.put({ ...key, by: 'late' }, { kind: 'unversioned' })).rejects.toThrow(ConflictError);
      expect(await held()).toBe('versioned');
    });

    test('no guard: the put always happens', async () => {
      await put(5, undefined, 'five');
      await put(1, undefined, 'one');
      expect(await held()).toBe('one');
    });

    test('removing with a version happens only on that version', async () => {
      await expect(table.remove(key, { kind: 'version', version: 1 })).rejects.toThrow(ConflictError);
      await put(2, undefined);
      await expect(table.remove(key, { kind: 'version', version: 1 })).rejects.toThrow(ConflictError);
      expect(await held()).toBe('me');
      await table.remove(key, { kind: 'version', version: 2 });
      expect(await held()).toBeUndefined();
    });

    test('of two writers that read the same version one wins', async () => {
      await put(1, undefined);
      const outcomes = await Promise.allSettled(
        ['a', 'b', 'c'].map((by) => put(2, { kind: 'version', version: 1 }, by)),
      );
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    });
  });

  describe(`${name}: sums`, () => {
    const key = { pk: 'N#1', sk: '@' };

    test('adding to a row that is not there makes it, with what is set beside', async () => {
      await table.add(key, { visits: 2, 'r wechat-oa/main bad_signature': 1 }, { ttl: 5, size: '大' });
      const row = { ...key, visits: 2, 'r wechat-oa/main bad_signature': 1, ttl: 5, size: '大' };
      expect(await table.get(key)).toEqual(row);
    });

    test('adding changes what is named, and nothing else', async () => {
      await table.put({ ...key, count: 5, name: 'as it was', list: [1] });
      await table.add(key, { count: 3, less: -1 });
      await table.add(key, { count: 1 }, { name: 'another' });
      expect(await table.get(key)).toEqual({ ...key, count: 9, less: -1, name: 'another', list: [1] });
      expect(await table.get({ pk: 'N#2', sk: '@' })).toBeUndefined();
    });

    test('of many who add at once each counts', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, i) => table.add(key, { n: 1, [`of ${i % 2}`]: i })));
      expect(await table.get(key)).toEqual({ ...key, n: 20, 'of 0': 90, 'of 1': 100 });
    });

    test('what is no number is not added to, and nothing of the call is written', async () => {
      await table.put({ ...key, name: 'Li', n: 1 });
      const wrongs: Record<string, number>[] = [{ n: 1, name: 1 }, { pk: 1 }];
      for (const wrong of wrongs) await expect(table.add(key, wrong)).rejects.toThrow();
      await expect(table.add(key, { n: 1 }, { n: 5 })).rejects.toThrow();
      await expect(table.add(key, { n: 1 }, { sk: 'x' })).rejects.toThrow();
      expect(await table.get(key)).toEqual({ ...key, name: 'Li', n: 1 });
    });
  });

  describe(`${name}: queries`, () => {
    test('a partition comes in sort-key order, or newest first, and without its neighbours', async () => {
      for (const sk of ['b', '@', 'J#2', 'J#10', 'a', 'Z']) await table.put({ pk: 'P#1', sk });
      await table.put({ pk: 'P#10', sk: 'b' });
      await table.put({ pk: 'P#', sk: 'b' });
      const ordered = ['@', 'J#10', 'J#2', 'Z', 'a', 'b'];
      expect(await sks('P#1')).toEqual(ordered);
      expect(await sks('P#1', { newestFirst: true })).toEqual(ordered.toReversed());
      expect(await sks('P#2')).toEqual([]);
    });

    test('both ends of a range are in it, in either direction', async () => {
      for (const sk of ['a', 'b', 'c', 'd', 'e']) await table.put({ pk: 'P#1', sk });
      expect(await sks('P#1', { from: 'b', to: 'd' })).toEqual(['b', 'c', 'd']);
      expect(await sks('P#1', { from: 'b', to: 'd', newestFirst: true })).toEqual(['d', 'c', 'b']);
      expect(await sks('P#1', { from: 'bb', to: 'cc' })).toEqual(['c']);
      expect(await sks('P#1', { from: 'bb', to: 'cc', newestFirst: true })).toEqual(['c']);
      expect(await sks('P#1', { from: 'd' })).toEqual(['d', 'e']);
      expect(await sks('P#1', { to: 'b' })).toEqual(['a', 'b']);
      expect(await sks('P#1', { from: 'f', to: 'g' })).toEqual([]);
    });

    test('the segments and the conversions of a profile are found by their prefixes', async () => {
      await table.put({ ...keys.profile('1') });
      for (const sequence of [10, 2, 1]) await table.put({ ...keys.segment('1', sequence) });
      for (const conversion of ['zz', '00', '🎋']) await table.put({ ...keys.conversion('1', conversion) });
      expect(await sks('P#1', { from: SEGMENT, to: SEGMENT + END })).toEqual(
        [1, 2, 10].map((sequence) => keys.segment('1', sequence).sk),
      );
      expect(await sks('P#1', { from: keys.segment('1', 2).sk, to: SEGMENT + END })).toHaveLength(2);
      expect(await sks('P#1', { from: CONVERSION, to: `${CONVERSION}zz` })).toEqual(['C#00', 'C#zz']);
    });

    test('keys are ordered by their UTF-8 bytes', async () => {
      const ordered = [' ', '0', 'A', 'a', 'é', '私', '\ue000', '\uffee'];
      for (const sk of ordered.toReversed()) await table.put({ pk: 'P#1', sk });
      expect(await sks('P#1')).toEqual(ordered);
      await table.put({ pk: 'P#2', sk: '🎋' });
      await table.put({ pk: 'P#2', sk: '\uffee' });
      expect(await sks('P#2', { to: '\u{10ffff}' })).toEqual(['\uffee', '🎋']);
    });

    test('more than a page of data comes whole, in either direction, each row once', async () => {
      const big = 'x'.repeat(150 * KB);
      const names = Array.from({ length: 20 }, (_, i) => keys.segment('1', i).sk);
      for (const sk of names) await table.put({ pk: 'P#1', sk, big });
      expect(await sks('P#1')).toEqual(names);
      expect(await sks('P#1', { newestFirst: true })).toEqual(names.toReversed());
      const page = await table.page('P#1', { limit: 100 });
      expect(page.items.length).toBeLessThan(20);
      expect(page.next).toBe(page.items.at(-1)?.sk);
    });

    test.each([1, 3, 7, 8])('pages of %i rows follow each other without gap or repetition', async (limit) => {
      const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
      for (const sk of ['0', ...names, 'z']) await table.put({ pk: 'P#1', sk });
      for (const newestFirst of [false, true]) {
        const seen: string[] = [];
        let page: Page = { items: [] };
        do {
          page = await table.page('P#1', { from: 'a', to: 'g', newestFirst, limit, after: page.next });
          expect(page.items.length).toBeLessThanOrEqual(limit);
          seen.push(...page.items.map((row) => row.sk));
        } while (page.next !== undefined);
        expect(seen).toEqual(newestFirst ? names.toReversed() : names);
      }
    });

    test('a page goes on behind a row that has been removed in between', async () => {
      for (const sk of ['a', 'b', 'c']) await table.put({ pk: 'P#1', sk });
      const { next } = await table.page('P#1', { limit: 2 });
      await table.remove({ pk: 'P#1', sk: 'b' });
      const rest = await table.page('P#1', { limit: 2, after: next });
      expect(rest.items.map((row) => row.sk)).toEqual(['c']);
    });
  });

  describe(`${name}: what is due`, () => {
    const at = (minute: number) => new Date(Date.UTC(2026, 10, 11, 0, minute)).toISOString();
    const due = async (shard: string, minute: number, limit = 100) =>
      (await table.due(shard, at(minute), limit)).map((it) => [it.key.pk, it.due]);

    test('the soonest comes first, up to and including the instant, no more than asked for', async () => {
      for (const minute of [30, 10, 40, 20])
        await table.put({ ...keys.profile(String(minute)), w: keys.due(0), due: at(minute), state: 'x' });
      await table.put({ ...keys.profile('other'), w: keys.due(1), due: at(0) });
      expect(await due('W#0', 30)).toEqual([10, 20, 30].map((minute) => [`P#${minute}`, at(minute)]));
      expect(await due('W#0', 60, 2)).toEqual([10, 20].map((minute) => [`P#${minute}`, at(minute)]));
      expect(await due('W#0', 9)).toEqual([]);
      expect(await due('W#1', 9)).toEqual([['P#other', at(0)]]);
      expect(await due('W#3', 60)).toEqual([]);
    });

    test('a row stands in the index while it says so, at the time that it says last', async () => {
      const key = keys.profile('1');
      await table.put({ ...key });
      expect(await due('W#0', 60)).toEqual([]);
      await table.put({ ...key, w: 'W#0', due: at(5) });
      await table.put({ ...key, w: 'W#0', due: at(7) });
      expect(await due('W#0', 60)).toEqual([['P#1', at(7)]]);
      await table.put({ ...key, w: 'W#2', due: at(7) });
      expect(await due('W#0', 60)).toEqual([]);
      expect(await table.due('W#2', at(7), 1)).toEqual([{ key, due: at(7) }]);
      await table.put({ ...key, due: at(7) });
      expect(await due('W#2', 60)).toEqual([]);
      await table.put({ ...key, w: 'W#2', due: at(7) });
      await table.remove(key);
      expect(await due('W#2', 60)).toEqual([]);
    });

    test('several rows may be due at one instant', async () => {
      for (const id of ['a', 'b', 'c']) await table.put({ ...keys.profile(id), w: 'W#0', due: at(5) });
      expect((await due('W#0', 5)).map(([pk]) => pk).sort()).toEqual(['P#a', 'P#b', 'P#c']);
      expect(await due('W#0', 5, 2)).toHaveLength(2);
    });
  });

  describe(`${name}: scans`, () => {
    const scanned = async (segment: number, of: number) => {
      const rows: Item[] = [];
      let page: Page = { items: [] };
      do {
        page = await table.scan(segment, of, page.next);
        rows.push(...page.items);
      } while (page.next !== undefined);
      return rows;
    };

    test.each([1, 2, 4, 7])('%i segments cover every row exactly once', async (of) => {
      const put: string[] = [];
      for (let i = 0; i < 40; i++) {
        const key = { pk: `P#${i % 13}`, sk: `s${i}` };
        put.push(`${key.pk} ${key.sk}`);
        await table.put({ ...key, n: i });
      }
      const segments = await Promise.all(Array.from({ length: of }, (_, segment) => scanned(segment, of)));
      expect(
        segments
          .flat()
          .map((row) => `${row.pk} ${row.sk}`)
          .sort(),
      ).toEqual(put.sort());
    });

    test('a segment of more than one page comes whole', async () => {
      const big = 'x'.repeat(190 * KB);
      for (let i = 0; i < 15; i++) await table.put({ pk: `P#${i % 2}`, sk: `s${i}`, big });
      const first = await table.scan(0, 1);
      expect(first.next).toBeDefined();
      expect(new Set((await scanned(0, 1)).map((row) => row.sk)).size).toBe(15);
    });
  });
}

const binary = (value: unknown) => (value instanceof Uint8Array ? [...value] : value);
