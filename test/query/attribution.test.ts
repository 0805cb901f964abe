// Scope: the report over the API: what it covers if nobody says, and what it refuses.
import { expect, test } from 'vitest';
import type { Report } from '../../lib/attribution/report.ts';
import { modelName } from '../../lib/platform/brand-words.ts';
import { aBrand, anEvent, anOrder, aVisit, day } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aCaller } from './a-caller.ts';

async function aShop() {
  const world = aWorld({ brand: aBrand({ rules: [] }) });
  const wecom = { context: { campaign: { channel: 'wecom', name: 'spring' } } };
  const video = { context: { campaign: { channel: 'channels-video' } } };
  await world.take(aVisit(0, wecom), aVisit(1, video), anOrder(2, 'o1', 10_001));
  await world.take(anOrder(3, 'o2', 500, { ids: ['member_id:m2'] }));
  await world.take(
    anOrder(3, 'o3', 700, { ids: ['member_id:m3'], properties: { currency: 'USD' } }),
    anOrder(40, 'o4', 900, { ids: ['member_id:m4'] }),
  );
  await world.attribute();
  world.setClock(day(5));
  return { world, ...(await aCaller(world)) };
}

test('unless somebody says otherwise it covers thirty brand-days to today, by channel, in the brand’s first model', async () => {
  const { ask } = await aShop();
  const report = await ask('/attribution');
  expect(report).toMatchObject({
    model: 'first',
    from: '2026-04-07',
    to: '2026-05-06',
    by: 'channel',
    currency: 'CNY',
    totals: { conversions: 2, ppm: 2_000_000, gross: 10_501, refunded: 0, net: 10_501 },
    otherCurrencies: { USD: 1 },
  });
  expect(report.rows).toEqual([
    { name: 'wecom', ppm: 1_000_000, gross: 10_001, refunded: 0, net: 10_001, closes: 0, assists: 1 },
    { name: '(unattributed)', ppm: 1_000_000, gross: 500, refunded: 0, net: 500, closes: 0, assists: 0 },
    { name: 'channels-video', ppm: 0, gross: 0, refunded: 0, net: 0, closes: 1, assists: 0 },
  ]);
});

test('by campaign, in the model, days and currency that are asked for', async () => {
  const { ask } = await aShop();
  const linear = await ask('/attribution?model=linear&by=campaign&from=2026-05-03&to=2026-05-03');
  expect(linear.totals).toMatchObject({ conversions: 1, gross: 10_001 });
  expect(linear.rows.map(({ name, gross }: { name: string; gross: number }) => [name, gross])).toEqual([
    ['spring', 5_001],
    ['(no campaign)', 5_000],
    ['(unattributed)', 0],
  ]);
  expect((await ask('/attribution?currency=usd')).totals).toMatchObject({ conversions: 1, gross: 700 });
  expect((await ask('/attribution?to=2026-06-20')).totals).toMatchObject({ conversions: 1, gross: 900 });
});

test('several models in one request, compared where they are two', async () => {
  const { ask } = await aShop();
  const two = await ask('/attribution?model=last,composite');
  expect(two).toMatchObject({ model: 'last', models: ['last', 'composite'] });
  expect(two.comparison.gains).toMatchObject([{ name: 'wecom' }]);
  expect(two.comparison.losses).toMatchObject([{ name: 'channels-video' }]);
  const all = await ask('/attribution?model=all&by=staff');
  expect(all.models).toEqual(modelName.options);
  for (const model of modelName.options) {
    const sum = all.rows.reduce(
      (so: number, row: Report['rows'][number]) => so + row.models![model]!.gross,
      0,
    );
    expect(sum).toBe(all.totals.gross);
  }
});

test('a conversion explains each factor of the composite model, and stands beside the person’s others', async () => {
  const { world, ask } = await aShop();
  await world.take(
    anEvent('qr_code_scanned', 4, { properties: { scene: 'store-7' } }),
    aVisit(4.1),
    anOrder(4.5, 'o5', 900, { properties: { customer_tier: 'vip' } }),
  );
  await world.attribute();
  const { conversions } = await ask('/profiles/member_id/m1/conversions');
  const [{ id }, { id: before }] = conversions;
  const order = await ask(`/conversions/${id}`);
  expect(order.others).toMatchObject([
    { id: before, reference: 'o1', net: { amount: 10_001, currency: 'CNY' } },
  ]);
  expect(order.othersCount).toBe(1);
  expect(order.excluded.map((it: { reason: string }) => it.reason)).toEqual(
    expect.arrayContaining(['earlier_journey', 'direct']),
  );
  expect(order.models.composite).toMatchObject([
    { ppm: 1_000_000, factors: { position: 0.4, customer: 'vip', scene: 'default', tier: 1.2 } },
  ]);

  const first = await ask(`/conversions/${before}`);
  const [wecom, video] = first.models.composite;
  expect(wecom.explanation.multiples.decay * video.explanation.multiples.decay).toBeCloseTo(1, 9);
  expect(wecom.explanation.withoutPpm.position + video.explanation.withoutPpm.position).toBe(1_000_000);
  expect(wecom.explanation.withoutPpm.decay).toBe(500_000);
  expect(wecom.ppm).not.toBe(500_000);
  expect(first.models.linear[0].explanation).toBeUndefined();
});

test('an instant stands for the brand-day that it lies in', async () => {
  const { ask } = await aShop();
  const report = await ask('/attribution?from=2026-05-02T16:00:00Z&to=2026-05-03T23:59:59%2B08:00');
  expect([report.from, report.to]).toEqual(['2026-05-03', '2026-05-03']);
});

test.each([
  ['model=best', 'model: give `all`, or with commas between some of first, last,'],
  ['model=linear,best', 'model: give `all`'],
  ['from=2026-13-01', 'from: give a brand-day'],
  ['from=2026-05-07', '`from` has to be a day before `to`'],
  ['from=2026-05-03&to=2026-05-02', '`from` has to be a day before `to`'],
  ['from=2001-01-01', 'is not 1 to 1830 days'],
  ['by=shop', 'by: Invalid option: expected one of "channel"|"campaign"'],
  ['currency=yuan', 'currency: give a currency by ISO 4217, such as CNY'],
  ['group=channel', 'group: no parameter here; there are: from, to, by, currency, goal, model'],
])('?%s is refused, and says what to give', async (query, message) => {
  const { askInVain } = await aShop();
  const refused = await askInVain(`/attribution?${query}`);
  expect(refused.status).toBe(400);
  expect(refused.message).toContain(message);
});
