// Scope: of two bodies that come with one query, which is taken, wherever and however often they come.
import { expect, test } from 'vitest';
import { isFirst } from '../../lib/arrivals/nonce-store.ts';
import { signedOnce } from '../../lib/capture/nonces.ts';
import { signedOnce as shape } from '../../lib/events/event.ts';
import { DAY } from '../../lib/platform/clock.ts';
import { memoryTable } from '../platform/memory.ts';

const main = { channel: 'wechat-oa', account: 'main' };
const said = (nonce: string, body: string, source = main) => signedOnce(source, nonce, Buffer.from(body));

test('the first body that is asked for is taken, however often it comes; another one is not', async () => {
  const table = memoryTable();
  const asked = ['mine', 'mine', 'forged', 'mine', 'forged'];
  const taken: boolean[] = [];
  for (const body of asked) taken.push(await isFirst(said('1:n', body), table, 0));
  expect(taken).toEqual([true, true, false, true, false]);
});

test('of many that ask at once with bodies of their own one is taken', async () => {
  const table = memoryTable();
  const asked = Array.from({ length: 10 }, (_, i) => isFirst(said('1:n', `body ${i}`), table, 0));
  expect((await Promise.all(asked)).filter(Boolean)).toHaveLength(1);
});

test('another query and another account have their own', async () => {
  const table = memoryTable();
  const other = { channel: 'wechat-oa', account: 'other' };
  expect(await isFirst(said('1:n', 'a'), table, 0)).toBe(true);
  expect(await isFirst(said('2:n', 'b'), table, 0)).toBe(true);
  expect(await isFirst(said('1:n', 'c', other), table, 0)).toBe(true);
});

test('what is kept names nobody, and longer than a message may wait in a dead-letter queue', async () => {
  const table = memoryTable();
  await isFirst(said('1760000000:secret-nonce', 'the body of 13800138000'), table, 5_000);
  expect(table.rows()).toMatchObject([{ sk: '@', ttl: 5 + (15 * DAY) / 1000 }]);
  expect(table.snapshot()).not.toMatch(/secret-nonce|13800138000/);
  shape.parse(said('1760000000:secret-nonce', 'x'));
});

test('a table that fails is no answer', async () => {
  const put = () => Promise.reject(new Error('no table today'));
  await expect(isFirst(said('1:n', 'a'), { ...memoryTable(), put }, 0)).rejects.toThrow('no table today');
});
