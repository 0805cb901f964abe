// Scope: groups as an analyst is told of them, over the API.
import { expect, test } from 'vitest';
import { z } from 'zod';
import { DAY, toIso } from '../../lib/platform/clock.ts';
import { toldOnce } from '../../lib/privacy/told-store.ts';
import { memoryTable } from '../platform/memory.ts';
import { aBrand, anOrder, buyer, stage } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aCaller } from '../query/a-caller.ts';

test('what one more person changes is not told on the same day; on the next it is told anew', async () => {
  const world = aWorld({ brand: aBrand({ rules: [buyer, stage] }) });
  for (let i = 0; i < 95; i++) await world.take(anOrder(1, `o${i}`, 100, { ids: [`member_id:m${i}`] }));
  const { ask } = await aCaller(world);
  const groups = async () => await ask('/groups', { as: 'analyst' });
  const before = await groups();
  expect(before).toMatchObject({
    k: 10,
    groups: [{ tag: 'buyer' }, { tag: 'stage', values: { fresh: expect.anything() } }],
  });
  for (let i = 0; i < 40; i++) await world.take(anOrder(1, `u${i}`, 100, { ids: [`member_id:u${i}`] }));
  expect(await groups()).toEqual(before);
  world.setClock(toIso(world.clock() + DAY));
  const after = await groups();
  expect(after.day > before.day).toBe(true);
  expect(after.groups).not.toEqual(before.groups);
});

test('two that ask first at once are told the same', async () => {
  const table = memoryTable();
  const asked = { table, name: 'x', until: 1, shape: z.object({ n: z.int() }) };
  const told = await Promise.all([1, 2, 3].map((n) => toldOnce(asked, async () => ({ n }))));
  expect(new Set(told.map(({ n }) => n)).size).toBe(1);
  expect(await toldOnce(asked, async () => ({ n: 9 }))).toEqual(told[0]);
});
