import { beforeAll, expect, test, vi } from 'vitest';
import { type Count, enumerate, isWhole, mustBeTrueOf, report } from './enumerate.ts';
import { isDeep } from './runs.ts';
import { undoStories } from './stories.ts';

// Laws 1, 2 and 5: what people decide on who is who is not lost and not done twice, whatever fails.

const FILE = 'faults-undo';
const counts: Count[] = [];

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {}); // what fails by plan is logged
});

test.each(undoStories())('$name: as a sequential reader tells it', (story) => mustBeTrueOf(story, FILE));

test.each(undoStories())(
  '$name: whatever fails at any point, and whatever fails within six points after it',
  {
    timeout: 1_200_000,
  },
  async (story) => {
    counts.push(await enumerate(story, FILE));
  },
);

test('that was every fault at every point, and many pairs', () => {
  if (!isWhole()) return;
  const { schedules, struck } = report(FILE, counts);
  expect(schedules).toBeGreaterThanOrEqual(isDeep() ? 10_000 : 2_000);
  expect(struck).toBeGreaterThan(0.9 * schedules);
});
