// Scope: what telling orders again costs, in reads and writes of the table.
import { expect, test } from 'vitest';
import type { Key, Table } from '../../lib/platform/table.ts';
import type { MemoryTable } from '../platform/memory.ts';
import { aBrand, anOrder, aVisit } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';

const visit = (at: number, channel: string, ids: string[]) =>
  aVisit(at, { ids, context: { campaign: { channel } } });

/** What one late touch of one person reads and writes in a brand of so many. */
async function aLateTouch(people: number) {
  const seen: { readonly verb: string; readonly pk: string; readonly sk: string }[] = [];
  let isCounting = false;
  const noted = <T>(verb: string, { pk, sk }: Key, work: () => T): T => {
    if (isCounting) seen.push({ verb, pk, sk });
    return work();
  };
  const through = (rows: MemoryTable): Table => ({
    ...rows,
    get: (key) => noted('get', key, () => rows.get(key)),
    put: (item, guard) => noted('put', item, () => rows.put(item, guard)),
    remove: (key, guard) => noted('remove', key, () => rows.remove(key, guard)),
    query: (pk, range) => noted('query', { pk, sk: range?.from ?? '' }, () => rows.query(pk, range)),
    page: (pk, range) => noted('page', { pk, sk: range.from ?? '' }, () => rows.page(pk, range)),
    scan: (...asked) => noted('scan', { pk: '', sk: '' }, () => rows.scan(...asked)),
  });
  const world = aWorld({ brand: aBrand({ rules: [] }), through });
  for (let i = 0; i < people; i++) {
    const ids = [`member_id:m${i}`];
    await world.take(visit(1, 'wecom', ids), visit(2, 'video', ids), anOrder(4, `o${i}`, 100, { ids }));
  }
  await world.attribute();
  isCounting = true;
  await world.take(visit(3, 'store', ['member_id:m0']));
  await world.attribute();
  const [profile] = [...new Set(seen.filter(({ pk }) => pk.startsWith('P#')).map(({ pk }) => pk.slice(2)))];
  return { seen, profile: profile ?? '', table: world.rows };
}

test('one late touch costs reads and writes of that person alone, however many others there are', async () => {
  const [few, many] = [await aLateTouch(2), await aLateTouch(40)];
  const verbs = ({ seen }: typeof few) => seen.map(({ verb, pk }) => `${verb} ${pk.slice(0, 2)}`).sort();
  expect(verbs(many)).toEqual(verbs(few));
  for (const { seen, profile } of [few, many]) {
    expect(seen.filter(({ verb }) => verb === 'scan')).toEqual([]);
    for (const { pk, sk } of seen.filter((it) => /^[PAVT]#/.test(it.pk)))
      expect(`${pk} ${sk}`).toContain(profile);
    const of = (verb: string, prefix: string) =>
      seen.filter((it) => it.verb === verb && it.pk.startsWith(prefix)).length;
    // The profile once by whoever folds and once by whoever shares; the order, and its line in its day's list.
    expect(of('get', 'P#')).toBeLessThanOrEqual(5);
    expect(of('put', 'P#')).toBeLessThanOrEqual(4);
    expect(of('put', 'V#')).toBe(1);
  }
});
