// Scope: a payment that is first told without its amount, then with it, by whichever sender: one conversion, one order.
import { expect, test } from 'vitest';
import type { Event } from '../../lib/events/event.ts';
import { aBrand, anEvent } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';

const frequent = { tag: 'frequent', when: 'rfm().f >= 2' };
const bought = { tag: 'bought', when: 'rfm().r == 5' };
const brand = aBrand({ rules: [frequent, bought] });

const pending = (order: string, days: number) =>
  anEvent('order_paid', days, { properties: { order_id: order, amount_pending: true } });
const paid = (order: string, days: number) =>
  anEvent('order_paid', days, { properties: { order_id: order, paid_amount: 9_900, currency: 'CNY' } });

async function told(...events: readonly Event[]) {
  const world = aWorld({ brand });
  world.setClock(
    events
      .map(({ occurredAt }) => occurredAt)
      .sort()
      .at(-1) ?? '',
  );
  await world.takeEach(...events);
  await world.attribute();
  const rows = world.rowsOf('A#');
  return {
    conversions: world.rowsOf('V#').length,
    orders: rows.reduce((sum, row) => sum + Number(row.orders), 0),
    money: rows.map((row) => row.money).filter((it) => Object.keys(Object(it)).length > 0),
    tags: await world.tags('member_id:m1'),
  };
}

test.each([
  ['the amount later', [pending('o1', 1), paid('o1', 1.01)]],
  ['the amount on another day', [pending('o1', 1), paid('o1', 2)]],
  ['the amount dated before', [paid('o1', 1), pending('o1', 1.01)]],
  ['told in the other order', [paid('o1', 1.01), pending('o1', 1)]],
] as const)('%s: one conversion, one order, one purchase in RFM', async (_name, events) => {
  expect(await told(...events)).toEqual({
    conversions: 1,
    orders: 1,
    money: [{ CNY: 9_900 }],
    tags: { bought: true },
  });
});

test('two orders are two, each told twice', async () => {
  const events = [pending('o1', 1), paid('o1', 1.01), pending('o2', 2), paid('o2', 2.01)];
  expect(await told(...events)).toMatchObject({ conversions: 2, orders: 2, tags: { frequent: true } });
});

test('an order whose amount nobody ever tells is a conversion and recent, and counts as no order yet', async () => {
  expect(await told(pending('o1', 1))).toMatchObject({ conversions: 1, orders: 0, tags: { bought: true } });
});
