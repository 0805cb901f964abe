// Scope: what tags tell apart: holders against others, told from a look at every profile.
import { expect, test } from 'vitest';
import { toIso } from '../../lib/platform/clock.ts';
import { addEffect, emptyEffect } from '../../lib/tags/effect.ts';
import { meanOf, shareDifference, shareOf, showEffect } from '../../lib/tags/effect-shown.ts';
import type { EffectTally, Group } from '../../lib/tags/effect-tally.ts';
import { aBrand, active, anOrder, aVisit, buyer, day, stage } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aSurveyor } from './a-survey.ts';

const vip = { tag: 'vip', when: 'events("coupon_issued").any()' };
const PEOPLE = 40;

/**
 * Forty people, known from the first day on. Visitors of the tenth day are active as the eleventh begins: every second
 * one. Of these all but every tenth order on the twelfth, for 100 or 300; of the others one in five, for 100.
 */
async function aShop(k = 1) {
  const world = aWorld({ brand: aBrand({ rules: [buyer, active, stage, vip], privacy: { k } }) });
  world.setClock(day(20));
  for (let i = 0; i < PEOPLE; i++) {
    const ids = [`member_id:m${i}`];
    const isActive = i % 2 === 0;
    const orders = isActive ? i % 10 !== 0 : i % 5 === 0;
    await world.take(
      aVisit(0, { ids }),
      ...(isActive ? [aVisit(9, { ids })] : []),
      ...(orders ? [anOrder(11, `o${i}`, isActive && i % 4 === 0 ? 300 : 100, { ids })] : []),
      ...(orders ? [anOrder(11.1, `o${i}`, isActive && i % 4 === 0 ? 300 : 100, { ids })] : []), // told twice
    );
  }
  await world.take(
    aVisit(12, { ids: ['member_id:late'] }),
    anOrder(12, 'late', 5_000, { ids: ['member_id:late'] }),
  );
  await world.tick();
  return { world, ...(await aSurveyor(world)) };
}

const SPAN = 'from=2026-05-11&to=2026-05-14';

async function reportOf(path: string, { post, work, ask }: Awaited<ReturnType<typeof aShop>>) {
  const { status, result } = await post(path, '');
  expect(status).toBe(202);
  await work();
  return ask(result);
}

test('holders against others: how many converted, what they spent, and how sure that is', async () => {
  const { effect, ...state } = await reportOf(`/tags/active/effect?${SPAN}`, await aShop());
  expect(state).toMatchObject({ status: 'done', from: '2026-05-11', to: '2026-05-14', goal: 'order' });
  expect(effect.holders).toMatchObject({ profiles: 20, converted: 16, rate: { value: 0.8 } });
  expect(effect.others).toMatchObject({ profiles: 20, converted: 4, rate: { value: 0.2 } });
  const spend = Array.from({ length: PEOPLE }, (_, i) => i)
    .filter((i) => i % 2 === 0 && i % 10 !== 0)
    .reduce((sum, i) => sum + (i % 4 === 0 ? 300 : 100), 0);
  expect(effect.holders.perConversion).toBeCloseTo(spend / 16, 9);
  expect(effect.holders.perProfile.value).toBeCloseTo(spend / 20, 9);
  expect(effect.difference.rate.value).toBeCloseTo(0.6, 9);
  expect(effect.difference.rate.from).toBeGreaterThan(0.2);
  expect(effect).not.toHaveProperty('retire');
});

test('its size by day, who entered and left, and who else holds it', async () => {
  const { effect } = await reportOf(`/tags/active/effect?from=2026-05-08&to=2026-05-20`, await aShop());
  const days = Object.fromEntries(effect.days.map(({ day, ...it }: { day: string }) => [day, it]));
  expect(days['2026-05-08']).toEqual({ members: '<1', entered: '<1', left: 40 });
  expect(days['2026-05-10']).toEqual({ members: 20, entered: 20, left: '<1' });
  expect(days['2026-05-13']).toEqual({ members: 21, entered: 1, left: '<1' });
  expect(days['2026-05-17']).toEqual({ members: 1, entered: '<1', left: 20 });
  expect(days['2026-05-20']).toEqual({ members: '<1', entered: '<1', left: 1 });
  const whole = await reportOf(`/tags/active/effect?${SPAN}`, await aShop());
  expect(whole.effect.overlap).toContainEqual({ tag: 'buyer', members: 21, both: 17 });
});

test('one part or seven, delivered once or again: the same report', async () => {
  const shop = await aShop();
  const { result, id } = await shop.post(`/tags/active/effect?${SPAN}`, '');
  await shop.work(2);
  const { effect } = await shop.ask(result);
  for (const of of [1, 7]) {
    const other = await shop.ask(`/tags/active/effect/${await shop.again(id, of)}`);
    expect(other.effect).toEqual(effect);
  }
});

test('all tags at once: those that separate nothing are listed, with the reason', async () => {
  const { tags, retire } = await reportOf(`/effect?${SPAN}`, await aShop());
  expect(tags.map(({ tag }: { tag: string }) => tag)).toEqual(['active', 'buyer', 'stage', 'vip']);
  // Nobody had bought as the first day began, so that `buyer` and `stage` had no holders either.
  expect(retire).toEqual(['buyer', 'stage', 'vip'].map((tag) => ({ tag, reason: 'few' })));
});

test('groups below k are not counted out, and neither is what would tell them', async () => {
  const { effect } = await reportOf(`/tags/active/effect?${SPAN}`, await aShop(10));
  expect(effect.others).toEqual({ profiles: 20, converted: '<10' });
  expect(effect).not.toHaveProperty('difference');
  expect(
    JSON.stringify(effect.days)
      .match(/(?<=:)\d+/g)
      ?.every((count) => Number(count) >= 10),
  ).toBe(true);
});

test('when the rules change meanwhile the report is outdated, and says so', async () => {
  const shop = await aShop();
  const { result } = await shop.post('/effect', '');
  await shop.world.putRule({ tag: 'buyer', when: 'false' });
  shop.world.setClock(toIso(shop.world.clock() + 10_000));
  await shop.work();
  expect(await shop.ask(result)).toMatchObject({ status: 'outdated' });
});

test.each([
  ['/tags/nobody/effect', 404],
  ['/tags/active/effect?goal=none', 400],
  ['/tags/active/effect?from=2026-05-11&to=2026-05-10', 400],
  ['/tags/active/effect?from=2026-01-01&to=2026-05-10', 400],
  ['/tags/active/effect?to=2026-05-30', 400],
  ['/tags/active/effect?days=3', 400],
])('%s is refused with %i', async (path, status) => {
  const { post } = await aShop();
  expect(await post(path, '')).toMatchObject({ status });
});

test('Wilson’s and Newcombe’s intervals are as published', () => {
  const near = ({ from, to }: { from: number; to: number }, lower: number, upper: number) => {
    expect(from).toBeCloseTo(lower, 4);
    expect(to).toBeCloseTo(upper, 4);
  };
  near(shareOf(81, 263), 0.2553, 0.3662); // Newcombe 1998a, table I, method 3
  near(shareOf(0, 20), 0, 0.1611);
  near(shareDifference(shareOf(56, 70), shareOf(48, 80)), 0.0524, 0.3339); // Newcombe 1998b, table II, method 10
  near(shareDifference(shareOf(9, 10), shareOf(3, 10)), 0.1705, 0.809);
});

const group = (profiles: number, converted: number, spend = 0, squares = '0'): Group => ({
  ...{ profiles, converted, conversions: converted, spend, squares },
});

test('the mean’s interval is exact where sums outgrow a number', () => {
  const big = 10 ** 12 + 1;
  const { value, from, to } = meanOf(group(2, 2, 2 * big, String(2n * BigInt(big) ** 2n)));
  expect([value, from, to]).toEqual([big, big, big]);
});

test('a tag that makes no difference among many is listed; one of which nobody can tell is not', () => {
  const many: EffectTally = {
    ...emptyEffect(0),
    all: group(20_000, 2_000),
    tags: { same: { true: group(10_000, 1_000) }, other: { true: group(10_000, 1_900) } },
  };
  expect(showEffect('same', many, 10).retire).toBe('no_difference');
  expect(showEffect('other', many, 10).retire).toBeUndefined();
  const few: EffectTally = { ...emptyEffect(0), all: group(40, 20), tags: { same: { true: group(20, 10) } } };
  expect(showEffect('same', few, 10).retire).toBeUndefined();
  const all: EffectTally = { ...emptyEffect(0), all: group(40, 20), tags: { all: { true: group(39, 20) } } };
  expect(showEffect('all', all, 10).retire).toBe('everybody');
});

test('a tag whose values tell people apart stays, also where everybody has one of them', () => {
  const tally: EffectTally = {
    ...emptyEffect(0),
    all: group(2_000, 1_000),
    tags: { tier: { gold: group(1_000, 900), silver: group(1_000, 100) } },
  };
  const shown = showEffect('tier', tally, 10);
  expect(shown.retire).toBeUndefined();
  expect(shown.values?.gold?.difference?.rate.value).toBeCloseTo(0.8, 9);
});

test('tallies add up in any order, to the last digit', () => {
  const one: EffectTally = { ...emptyEffect(1), all: group(1, 1, 10 ** 12, String(10n ** 24n)) };
  const two: EffectTally = {
    ...emptyEffect(1),
    all: group(1, 1, 7, '49'),
    tags: { a: { x: group(1, 1, 7, '49') } },
  };
  const sum = (...list: EffectTally[]) => {
    const all = emptyEffect(1);
    for (const it of list) addEffect(all, it);
    return all;
  };
  expect(sum(one, two)).toEqual(sum(two, one));
  expect(sum(one, two).all.squares).toBe(String(10n ** 24n + 49n));
});
