import { beforeAll, expect, test, vi } from 'vitest';
import { type Count, enumerate, isWhole, mustBeTrueOf, report } from './enumerate.ts';
import { isDeep } from './runs.ts';
import { journalStories } from './stories.ts';

// Laws 1 and 2 of the journal: nothing lost, nothing twice, whatever fails.

const FILE = 'faults-journal';
const counts: Count[] = [];

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {}); // what fails by plan is logged
});

test.each(journalStories())('$name: as a sequential reader tells it', (story) => mustBeTrueOf(story, FILE));

test.each(journalStories())(
  '$name: whatever fails at any point, and whatever fails within six points after it',
  {
    timeout: 1_200_000,
  },
  async (story) => {
    counts.push(await enumerate(story, FILE));
  },
);

test('that was every fault at every point, and all pairs', () => {
  if (!isWhole()) return;
  const { schedules, struck } = report(FILE, counts);
  expect(schedules).toBeGreaterThanOrEqual(isDeep() ? 16_000 : 9_000);
  expect(struck).toBeGreaterThan(0.9 * schedules);
});
