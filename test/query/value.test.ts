// Scope: what somebody is worth in four layers, over HTTP: now, at a past instant, and beside rules that read it.
import { expect, test } from 'vitest';
import { toIso } from '../../lib/platform/clock.ts';
import { defaultValue } from '../../lib/tags/value-default.ts';
import { aBrand, anOrder, aVisit, day } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aCaller } from './a-caller.ts';

const VALUE = '/profiles/member_id/m1/value';
const worthy = { tag: 'worthy', when: 'value("base") >= 20' };

test('the breakdown agrees with the tag that reads it, and says when it changes', async () => {
  const world = aWorld({ brand: aBrand({ rules: [worthy], value: defaultValue }) });
  const { ask } = await aCaller(world);
  world.setClock(day(3));
  await world.take(anOrder(1, 'o1', 100_000), aVisit(2));
  const { layers, ...now } = await ask(VALUE);
  // 10 of money, 5 of one order, 20 of a recent one; a visit reads for 2, and stays for 1.
  expect([layers.base.value, layers.potential.value, layers.spread.value, layers.loyalty.value]).toEqual([
    35, 2, 0, 1,
  ]);
  expect(now).toMatchObject({ at: day(3), value: 14 });
  expect(layers.base.parts.money).toMatchObject({ points: 10, most: 50, leaves: [{ value: 100_000 }] });
  const shown = await ask('/profiles/member_id/m1/tags/worthy/explain');
  expect(shown).toMatchObject({ value: true, nextChangeAt: layers.base.nextChangeAt });
  world.setClock(toIso(Date.parse(layers.base.nextChangeAt) - 1));
  expect((await ask(VALUE)).layers.base.value).toBe(35);
  world.setClock(layers.base.nextChangeAt);
  expect((await ask(VALUE)).layers.base.value).toBe(15);
  await world.tick();
  expect((await ask('/profiles/member_id/m1')).tags).toEqual({});
});

test('at a past instant it is what it was, and what came after counts for nothing', async () => {
  const world = aWorld({ brand: aBrand({ rules: [], value: defaultValue }) });
  const { ask, askInVain } = await aCaller(world);
  world.setClock(day(3));
  await world.take(anOrder(1, 'o1', 100_000));
  const { at, ...then } = await ask(VALUE);
  world.setClock(day(9));
  await world.take(anOrder(8, 'o2', 700_000));
  const { note, ...again } = await ask(`${VALUE}?at=${at}`);
  expect(again).toEqual({ at, ...then });
  expect(note).toContain('known today');
  expect((await ask(VALUE)).layers.base.value).toBe(80);
  expect((await askInVain(`${VALUE}?at=${day(10)}`)).status).toBe(400);
  expect((await askInVain('/profiles/member_id/nobody/value')).status).toBe(404);
});
