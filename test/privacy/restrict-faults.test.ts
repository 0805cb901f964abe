// Laws 1, 2 and 10: a restriction and its end are not lost and not done twice, whatever fails while they are taken in.
import { beforeAll, expect, test, vi } from 'vitest';
import { toIso } from '../../lib/platform/clock.ts';
import { restrictionEvent } from '../../lib/privacy/restriction.ts';
import { type Count, enumerate, isWhole, report } from '../laws/enumerate.ts';
import { anEventOf } from '../laws/oracle/an-event.ts';
import { NOW } from '../laws/oracle/histories.ts';
import type { Story } from '../laws/stories.ts';
import { anId } from '../profile/a-profile.ts';

const ago = (hours: number) => toIso(NOW - hours * 3_600_000);
const visit = (ids: string[], hours: number) =>
  anEventOf(ids, ago(hours), {
    type: 'page_viewed',
    properties: { url: 'https://shop.example/p/1' },
    context: { campaign: { channel: 'wecom' } },
  });
const order = (ids: string[], hours: number, id: string) =>
  anEventOf(ids, ago(hours), {
    type: 'order_paid',
    properties: { order_id: id, paid_amount: 9_999, currency: 'CNY' },
  });
const restriction = (hours: number, isRestricted: boolean) =>
  restrictionEvent(anId('member_id:1'), isRestricted, ago(hours));

const stories: readonly Story[] = [
  {
    name: 'a restriction takes off tags and credits of who had bought, and then two are joined',
    isLong: true,
    steps: [
      { send: [[visit(['member_id:1'], 50), order(['member_id:1'], 20, 'o1')]] },
      { send: [[restriction(40, true)]] },
      { send: [[order(['member_id:1', 'phone:1'], 10, 'o2')]] },
    ],
  },
  {
    name: 'a restriction is lifted, and all that happened meanwhile counts',
    isLong: true,
    steps: [
      { send: [[restriction(60, true)], [visit(['member_id:1'], 50), order(['member_id:1'], 20, 'o1')]] },
      { send: [[restriction(5, false)]] },
    ],
  },
];
const counts: Count[] = [];

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {}); // what fails by plan is logged
});

test.each(stories)('$name: whatever fails at any point', { timeout: 300_000 }, async (story) => {
  counts.push(await enumerate(story, 'privacy/restrict-faults'));
});

test('that was every fault at every point, and many pairs', () => {
  if (!isWhole()) return;
  const { schedules, struck } = report('faults-restrict', counts);
  expect(schedules).toBeGreaterThan(200);
  expect(struck).toBeGreaterThan(0.9 * schedules);
});
