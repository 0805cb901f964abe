// Scope: a brand that is deployed with other attribution settings, on the real stack: told again, switched at once.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { demo } from '../../infra/brands/demo.ts';
import { checkBrand } from '../../infra/brands/load.ts';
import { type Run, startRun } from '../../infra/local/brand-run.ts';
import { DAY, HOUR, toIso } from '../../lib/platform/clock.ts';
import { type Visitor, visitorOf } from './visitor.ts';

const clockAt = Date.parse('2026-11-11T10:00:00+08:00');
const range = { from: '2026-11-01', to: '2026-11-11', model: 'all' };
let data: string;
let run: Run | undefined;
let visitor: Visitor;
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'siyu-settings-'));
  run = await startRun({ brand: 'demo', data, clockAt });
  visitor = visitorOf(run);
});
afterAll(async () => {
  await run?.stop();
  await rm(data, { recursive: true, force: true });
});

const order = (id: string) =>
  visitor.tell(
    {
      type: 'order.paid',
      timestamp: toIso(clockAt - HOUR),
      data: { order_id: id, amount: 10_000, currency: 'CNY', member_id: id },
    },
    `order-${id}`,
  );
const visit = (member: string, source: string, days: number) =>
  visitor.track('page', {
    messageId: `${member}-${source}`,
    userId: member,
    timestamp: toIso(clockAt - days * DAY),
    properties: { url: `https://shop.example.com/?utm_source=${source}` },
  });
const channels = async () => {
  const { rows, totals, settings } = await visitor.report(range);
  const earned = rows.filter(({ models }) => models?.linear?.ppm).map(({ name }) => name);
  return { earned: earned.sort(), gross: totals.gross, settings };
};

test('orders are told by the settings that they came under', async () => {
  for (const member of ['M-1', 'M-2']) {
    await visit(member, 'douyin', 6);
    await visit(member, 'edm', 1);
    await order(member);
  }
  await visitor.settled();
  expect(await channels()).toMatchObject({ earned: ['douyin', 'edm'], gross: 20_000 });
});

test('after a deployment with a shorter look-back the next order has all of them told again', async () => {
  const before = await channels();
  await run?.stop();
  run = undefined;
  const shorter = checkBrand(
    { ...demo, attribution: { lookbackDays: 3 } },
    'the brand that looks back shorter',
  );
  run = await startRun({ brand: shorter, data });
  visitor = visitorOf(run);
  expect(await channels()).toEqual(before);

  await order('M-3');
  await visitor.settled();
  const now = await channels();
  expect(now).toMatchObject({ earned: ['(unattributed)', 'edm'], gross: 30_000 });
  expect(now.settings?.current).not.toBe(before.settings?.current);
  expect(now.settings?.next).toBeUndefined();
});
