import { expect, test } from 'vitest';
import type { Item } from '../../lib/platform/table.ts';
import { memoryQueue, memoryTable } from './memory.ts';
import { queueContract } from './queue-contract.ts';
import { tableContract } from './table-contract.ts';

tableContract('the table in memory', async () => memoryTable());

queueContract('the queue in memory', async () => {
  const queue = memoryQueue();
  return { queue, bodies: () => queue.bodies };
});

test('two tables with the same rows have the same snapshot, whatever the order of writing', async () => {
  const rows: Item[] = [
    { pk: 'P#2', sk: '@', b: 1, a: { y: null, x: new Uint8Array([1, 2]) } },
    { pk: 'P#1', sk: 'J#1', list: [true] },
    { pk: 'P#1', sk: '@' },
  ];
  const one = memoryTable();
  const two = memoryTable();
  for (const row of rows) await one.put(row);
  for (const { pk, sk, ...rest } of rows.toReversed()) await two.put({ ...rest, sk, pk });
  expect(one.snapshot()).toBe(two.snapshot());
  expect(one.rows().map((row) => row.pk + row.sk)).toEqual(['P#1@', 'P#1J#1', 'P#2@']);
  await two.put({ pk: 'P#2', sk: '@', b: 2 });
  expect(one.snapshot()).not.toBe(two.snapshot());
});

test('a copy goes its own way', async () => {
  const table = memoryTable();
  await table.put({ pk: 'P#1', sk: '@', v: 1 });
  const copy = table.copy();
  await copy.put({ pk: 'P#1', sk: '@', v: 2 });
  await copy.put({ pk: 'P#2', sk: '@', v: 1 });
  await copy.put({ pk: 'P#1', sk: 'J#1', v: 1 });
  expect(table.rows()).toEqual([{ pk: 'P#1', sk: '@', v: 1 }]);
  expect(copy.rows()).toHaveLength(3);
});
