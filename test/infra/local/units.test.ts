import { expect, test } from 'vitest';
import { indexUnits, itemBytes, readUnits, writeUnits } from '../../../infra/local/units.ts';

test.each([
  ['text in UTF-8, with the name', { pk: { S: '私域' } }, 8],
  ['bytes, not their base64', { b: { B: Buffer.alloc(10).toString('base64') } }, 11],
  ['two digits a byte, and one', { n: { N: '12345' } }, 5],
  ['zeros at the end are no digits', { n: { N: '1000000' } }, 3],
  ['a minus', { n: { N: '-1' } }, 4],
  ['zero', { n: { N: '0' } }, 2],
  ['a flag', { f: { BOOL: true } }, 2],
  ['a list of two', { l: { L: [{ S: 'ab' }, { NULL: true }] } }, 9],
  ['a map of one', { m: { M: { k: { S: 'v' } } } }, 7],
  ['a set', { s: { SS: ['a', 'bc'] } }, 4],
])('%s', (_, item, bytes) => {
  expect(itemBytes(item)).toBe(bytes);
});

test('reading is charged by begun 4 KB, nothing found like 4 KB, stale half', () => {
  expect([0, 4096, 4097].map((bytes) => readUnits(bytes, true))).toEqual([1, 1, 2]);
  expect([0, 4096, 4097].map((bytes) => readUnits(bytes, false))).toEqual([0.5, 0.5, 1]);
});

test('writing is charged by begun KB of the larger of before and after', () => {
  const item = (bytes: number) => ({ a: { S: 'x'.repeat(bytes - 1) } });
  expect(writeUnits(undefined, item(1024))).toBe(1);
  expect(writeUnits(item(1025), item(10))).toBe(2);
  expect(writeUnits(item(10), undefined)).toBe(1);
  expect(writeUnits(undefined, undefined)).toBe(1);
});

const index = { name: 'due', hash: 'w', range: 'due', attributes: ['pk', 'sk', 'w', 'due'] };
const row = (due?: string, text = '') => ({
  pk: { S: 'p' },
  sk: { S: 's' },
  text: { S: text },
  ...(due === undefined ? {} : { w: { S: 'W' }, due: { S: due } }),
});

test.each([
  ['appears', row(), row('1'), 1],
  ['goes', row('1'), row(), 1],
  ['goes with its item', row('1'), undefined, 1],
  ['moves: a delete and a put', row('1'), row('2'), 2],
  ['stays while what it does not hold changes', row('1'), row('1', 'other'), 0],
  ['was never there', row(), row(), 0],
] as const)('an index entry that %s', (_, before, after, units) => {
  expect(indexUnits(index, before, after)).toBe(units);
});

test('an index that holds all is written when anything changes', () => {
  expect(indexUnits({ ...index, attributes: undefined }, row('1'), row('1', 'x'.repeat(3000)))).toBe(3);
});
