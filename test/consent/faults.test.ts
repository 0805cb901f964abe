// Laws 1, 2 and 10: what people say of consent is not lost and not done twice, whatever fails while it is taken in.
import { beforeAll, expect, test, vi } from 'vitest';
import { toIso } from '../../lib/platform/clock.ts';
import { type Count, enumerate, isWhole, report } from '../laws/enumerate.ts';
import { anEventOf } from '../laws/oracle/an-event.ts';
import { NOW } from '../laws/oracle/histories.ts';
import type { Story } from '../laws/stories.ts';

const ago = (hours: number) => toIso(NOW - hours * 3_600_000);
const said = (ids: string[], hours: number, type: string) =>
  anEventOf(ids, ago(hours), { type, properties: { purpose: 'analytics marketing' } });
const visit = (ids: string[], hours: number) =>
  anEventOf(ids, ago(hours), {
    type: 'page_viewed',
    properties: { url: 'https://shop.example/p/1' },
    context: { campaign: { channel: 'wecom' } },
  });
const order = (ids: string[], hours: number) =>
  anEventOf(ids, ago(hours), {
    type: 'order_paid',
    properties: { order_id: 'o1', paid_amount: 9_999, currency: 'CNY' },
  });

const stories: readonly Story[] = [
  {
    name: 'a withdrawal comes after the order whose visit it takes back',
    isLong: true,
    steps: [
      { send: [[visit(['member_id:1'], 30), visit(['member_id:1'], 50), order(['member_id:1'], 20)]] },
      { send: [[said(['member_id:1'], 40, 'consent_withdrawn')]] },
    ],
  },
  {
    name: 'two turn out to be one, of whom one said no',
    isLong: true,
    steps: [
      { send: [[said(['member_id:1'], 50, 'consent_withdrawn')], [visit(['phone:1'], 40)]] },
      { send: [[visit(['member_id:1', 'phone:1'], 20)]] },
    ],
  },
];
const counts: Count[] = [];

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {}); // what fails by plan is logged
});

test.each(stories)('$name: whatever fails at any point', { timeout: 300_000 }, async (story) => {
  counts.push(await enumerate(story, 'consent/faults'));
});

test('that was every fault at every point, and many pairs', () => {
  if (!isWhole()) return;
  const { schedules, struck } = report('faults-consent', counts);
  expect(schedules).toBeGreaterThan(300);
  expect(struck).toBeGreaterThan(0.9 * schedules);
});
