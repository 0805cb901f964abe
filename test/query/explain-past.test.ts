// Scope: why somebody had a tag at a past instant, by the rule that was in force then.
import { describe, expect, test } from 'vitest';
import { DAY, HOUR } from '../../lib/platform/clock.ts';
import type { Rules } from '../../lib/profile/person.ts';
import { changeAfter, personAt } from '../../lib/tags/past.ts';
import { compileRules } from '../../lib/tags/rulebook.ts';
import { aBrand, active, anOrder, aVisit, buyer, day, dice, START } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aCaller } from './a-caller.ts';

const fan = { tag: 'fan', when: 'hasTag("active") && events("page_viewed").count() >= 3' };
const EXPLAIN = '/profiles/member_id/m1/tags';

test('a history without late events: told afterwards as it was told then, at any instant', async () => {
  const world = aWorld({ brand: aBrand({ rules: [buyer, active, fan] }) });
  const { ask } = await aCaller(world);
  const roll = dice(11);
  const said = new Map<string, unknown>();
  for (let step = 0; step < 30; step++) {
    const now = step * 0.4 + roll(100) / 1_000;
    world.setClock(day(now));
    if (step === 0 || roll(3) === 0)
      await world.take(roll(4) === 0 ? anOrder(now, `o${step}`, 100) : aVisit(now));
    await world.tick();
    for (const tag of ['active', 'buyer', 'fan'])
      said.set(`${tag} ${day(now)}`, await ask(`${EXPLAIN}/${tag}/explain`));
  }
  world.setClock(day(100));
  for (const [asked, then] of said) {
    const [tag, at] = asked.split(' ');
    const { note, changedAt: _, ...why } = await ask(`${EXPLAIN}/${tag}/explain?at=${at}`);
    expect(why, asked).toEqual(then);
    expect(note).toContain('known today');
  }
});

test('the rule is the one that was in force then, with its version; so are the rules that it reads', async () => {
  const world = aWorld({ brand: aBrand({ rules: [active, fan] }) });
  const { ask, askInVain } = await aCaller(world);
  world.setClock(day(0));
  await world.tick(); // the file as it was first deployed
  await world.take(aVisit(1, { id: 'visit-a' }), aVisit(2), aVisit(3));
  world.setClock(day(10));
  await world.putRule({ tag: 'active', when: 'events("page_viewed").within("2d").any()' });
  world.setClock(day(20));
  await world.putRule({ tag: 'active', when: 'events("page_viewed").any()' });
  await world.putRule({ tag: 'visitor', when: 'events("page_viewed").any()' });
  world.setClock(day(30));
  const versionAt = async (at: number, tag = 'active') => {
    const { version, value, rule } = await ask(`${EXPLAIN}/${tag}/explain?at=${day(at)}`);
    return [version, value, rule.includes('2d')];
  };
  expect(await versionAt(5)).toEqual([1, true, false]);
  expect(await versionAt(9.999)).toEqual([1, false, false]); // its week is over, by the rule of then
  expect(await versionAt(10)).toEqual([2, false, true]);
  expect(await versionAt(19)).toEqual([2, false, true]);
  expect(await versionAt(20)).toEqual([3, true, false]);
  expect(await versionAt(5, 'fan')).toEqual([1, true, false]); // by the `active` of then
  expect(await versionAt(15, 'fan')).toEqual([1, false, false]);
  expect(await versionAt(25, 'fan')).toEqual([1, true, false]);
  expect(await askInVain(`${EXPLAIN}/visitor/explain?at=${day(15)}`)).toMatchObject({ status: 404 });
  expect(await askInVain(`${EXPLAIN}/visitor/explain?at=${day(40)}`)).toMatchObject({ status: 400 });
  expect(await askInVain(`${EXPLAIN}/active/explain?at=yesterday`)).toMatchObject({ status: 400 });
});

test('before a brand had rules the first count, and a brand that changed its file remembers what it said', async () => {
  const first = aWorld({ brand: aBrand({ rules: [buyer] }) });
  first.setClock(day(10));
  await first.tick();
  await first.take(anOrder(1, 'o1', 100));
  const changed = { ...buyer, when: 'events("order_paid").count() >= 2' };
  const second = aWorld({ brand: aBrand({ rules: [changed] }), rows: first.rows });
  second.setClock(day(20));
  await second.tick();
  second.setClock(day(30));
  const { ask } = await aCaller(second);
  const at = async (days: number) => {
    const { version, value } = await ask(`${EXPLAIN}/buyer/explain?at=${day(days)}`);
    return [version, value];
  };
  expect(await at(0.5)).toEqual([1, false]);
  expect(await at(5)).toEqual([1, true]);
  expect(await at(19.9)).toEqual([1, true]);
  expect(await at(20)).toEqual([2, false]);
});

test('a brand-day is its end, and what came later is not behind it', async () => {
  const world = aWorld();
  world.setClock(day(10));
  await world.take(aVisit(0, { id: 'first' }), aVisit(1, { id: 'second' }), aVisit(5, { id: 'third' }));
  const { ask } = await aCaller(world);
  const why = await ask(`${EXPLAIN}/active/explain?at=2026-05-02`);
  expect(why.at).toBe('2026-05-02T15:59:59.999Z');
  expect(why.events.map(({ id }: { id: string }) => id.replace(/_+$/, ''))).toEqual(['first', 'second']);
});

describe('what happened next', () => {
  const rules = [
    { ...active, version: 1 },
    { ...buyer, version: 1 },
  ];
  const brand = aBrand({ rules: [] });
  const of: Rules = { brand, book: compileRules(rules, brand) };

  test.each([1, 2, 3])('is the very millisecond at which the tag is another (%i)', (seed) => {
    const roll = dice(seed);
    const events = Array.from({ length: 6 }, (_, i) => {
      const at = roll(40) + roll(24) / 24;
      return roll(3) === 0 ? anOrder(at, `o${i}`, 1) : aVisit(at);
    }).sort((a, b) => (a.occurredAt < b.occurredAt ? -1 : 1));
    const now = START + 60 * DAY;
    for (const tag of ['active', 'buyer'])
      for (let days = 0; days < 45; days += 3) {
        const at = START + days * DAY + 1_800_000;
        const heldAt = (time: number) => personAt(events, time, of).tags.get(tag)?.value;
        const change = changeAfter(tag, events, at, now, of);
        for (let time = at; time < (change ?? now); time += 6 * HOUR) expect(heldAt(time)).toBe(heldAt(at));
        expect(heldAt((change ?? now) - 1)).toBe(heldAt(at));
        if (change !== undefined) expect(heldAt(change)).not.toBe(heldAt(at));
      }
  });
});

test('without the evidence that is shown of a past instant the answer was another', async () => {
  const brand = aBrand({ rules: [active, buyer, fan] });
  const all = [
    aVisit(1, { id: 'one' }),
    aVisit(2, { id: 'two' }),
    aVisit(3, { id: 'three' }),
    anOrder(4, 'o', 1, { id: 'bought' }),
  ];
  const whole = aWorld({ brand });
  whole.setClock(day(50));
  await whole.take(...all, aVisit(40));
  const { ask } = await aCaller(whole);
  for (const tag of ['active', 'buyer', 'fan']) {
    const path = `${EXPLAIN}/${tag}/explain?at=${day(6)}`;
    const { value, events } = await ask(path);
    expect(value).toBe(true);
    const shown = new Set(events.map(({ id }: { id: string }) => id));
    const left = all.filter(({ id }) => !shown.has(id));
    expect(left.length).toBeLessThan(all.length);
    const less = aWorld({ brand });
    less.setClock(day(50));
    await less.take(...left, aVisit(40));
    expect((await (await aCaller(less)).ask(path)).value).toBe(false);
  }
});
