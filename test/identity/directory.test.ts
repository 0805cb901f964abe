// Scope: where an identifier belongs, also where two workers ask at once.
import { expect, test } from 'vitest';
import { directory, placeIn } from '../../lib/identity/directory.ts';
import { nameOf } from '../../lib/identity/graph.ts';
import { protector } from '../../lib/identity/protect.ts';
import type { Table } from '../../lib/platform/table.ts';
import { memoryTable } from '../platform/memory.ts';
import { anId, day } from '../profile/a-profile.ts';
import { SECRET } from '../profile/a-world.ts';
import { aSighting, graphOf } from './a-graph.ts';

const protect = protector(SECRET);
const member = anId('member_id:m1');

test('what nobody claimed is nowhere; what is claimed is where it was claimed', async () => {
  const table = memoryTable();
  const mine = directory(table, protect);
  expect(await mine.find(member)).toBeUndefined();
  expect(await mine.claim(member, { cluster: 'c1' })).toEqual({ cluster: 'c1' });
  expect(await directory(table, protect).find(member)).toEqual({ cluster: 'c1' });
});

test('of two who claim at once one wins, and both are told who', async () => {
  const table = memoryTable();
  const claims = ['c1', 'c2'].map((cluster) => directory(table, protect).claim(member, { cluster }));
  const [a, b] = await Promise.all(claims);
  expect(a).toEqual(b);
  expect(await directory(table, protect).find(member)).toEqual(a);
});

test('a claim that was written and whose answer was lost is ours when it is made again', async () => {
  const table = memoryTable();
  let lost = true;
  const flaky: Table = {
    ...table,
    async put(item, guard) {
      await table.put(item, guard);
      if (lost && item.pk.startsWith('I#')) {
        lost = false;
        throw new Error('the answer was lost');
      }
    },
  };
  const mine = directory(flaky, protect);
  await expect(mine.claim(member, { cluster: 'c1' })).rejects.toThrow('lost');
  expect(await mine.claim(member, { cluster: 'c1' })).toEqual({ cluster: 'c1' });
});

test('a place is read from the table once and remembered', async () => {
  const table = memoryTable();
  await directory(table, protect).claim(member, { cluster: 'c1' });
  let reads = 0;
  const counted: Table = {
    ...table,
    async get(key) {
      reads++;
      return table.get(key);
    },
  };
  const mine = directory(counted, protect);
  for (let i = 0; i < 3; i++) await mine.find(member);
  expect(reads).toBe(1);
  for (let i = 0; i < 3; i++) await mine.find(anId('member_id:unknown'));
  expect(reads).toBe(4); // that nobody has it may be otherwise the next moment
});

test('a phone’s place does not name the phone, and two brands’ tables name it differently', async () => {
  const phone = protect.protect(anId('phone:+8613800138000'));
  const table = memoryTable();
  await directory(table, protect).claim(phone, { cluster: 'c1' });
  expect(table.snapshot()).not.toContain('13800138000');
  expect(table.snapshot()).not.toContain(phone.value);
  const other = protector('another secret that is long enough, too');
  expect(other.digest(other.protect(anId('phone:+8613800138000')))).not.toBe(protect.digest(phone));
});

test('the scopes of a kind are known, each once', async () => {
  const table = memoryTable();
  const mine = directory(table, protect);
  for (const id of ['wechat_openid@wx2:a', 'wechat_openid@wx1:b', 'wechat_openid@wx1:c', 'device_id@x:d'])
    await mine.claim(anId(id), { cluster: 'c1' });
  expect(await mine.scopes('wechat_openid')).toEqual(['wx1', 'wx2']);
  expect(await mine.scopes('member_id')).toEqual([]);
});

test('pointing writes what is otherwise and nothing else', async () => {
  const table = memoryTable();
  let writes = 0;
  const counted: Table = {
    ...table,
    async put(item, guard) {
      writes++;
      await table.put(item, guard);
    },
  };
  const mine = directory(counted, protect);
  const event = aSighting(1, 'member_id:m1', 'device_id:d1');
  const graph = graphOf(event);
  const names = event.identifiers.map(nameOf);
  await mine.point(graph, 'c1', names);
  expect(writes).toBe(2);
  await mine.point(graph, 'c1', names);
  expect(writes).toBe(2);

  const device = anId('device_id:d1');
  expect(await mine.find(device)).toEqual({ cluster: 'c1', beside: { at: day(1), event: event.id } });
  expect(await mine.find(device)).toEqual(placeIn(graph, 'c1', nameOf(device)));
  await mine.point(graph, 'c2', names);
  expect(writes).toBe(4);
  expect((await directory(table, protect).find(device))?.cluster).toBe('c2');
});
