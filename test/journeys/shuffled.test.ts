// Scope: any order, on the whole way: HTTP, queues, several workers at once.
import { expect, test } from 'vitest';
import { type Run, startRun } from '../../infra/local/brand-run.ts';
import { sendersOf } from '../../infra/local/demo-accounts.ts';
import { openDice } from '../../infra/local/demo-dice.ts';
import { requestsOf, type Step, sendAll } from '../../infra/local/demo-send.ts';
import { storyOf } from '../../infra/local/demo-story.ts';
import { digestAt } from '../../infra/local/digest.ts';
import { DAY } from '../../lib/platform/clock.ts';

const clockAt = Date.parse('2026-11-11T12:00:00+08:00');

async function tell(run: Run, steps: readonly Step[], slice: number): Promise<void> {
  for (let from = 0; from < steps.length; from += slice) {
    const part = steps.slice(from, from + slice);
    await sendAll(run.url, requestsOf(part, sendersOf(run.brand), run.clock.now()), () => {});
  }
}

function shuffled<T>(list: readonly T[], seed: string): T[] {
  const dice = openDice(seed);
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    const j = dice.between(0, i);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

test('a week of a brand told at once in any order, half of it twice, leave the table that telling it day by day leaves', async () => {
  const run = await startRun({ brand: 'demo', clockAt });
  let steps: readonly Step[];
  let digest: unknown;
  try {
    steps = storyOf(run.brand, sendersOf(run.brand), clockAt).steps.filter(
      ({ at }) => at > clockAt - 7 * DAY,
    );
    expect(steps.length).toBeGreaterThan(200);
    await tell(run, steps, 60);
    await run.idle();
    await run.clock.walkTo(clockAt + DAY);
    digest = await digestAt(run.url);
  } finally {
    await run.stop();
  }
  const other = await startRun({ brand: 'demo', clockAt });
  try {
    const twice = [...steps, ...steps.slice(0, steps.length / 2)];
    await tell(other, shuffled(twice, 'other order'), 400);
    await other.idle();
    await other.clock.walkTo(clockAt + DAY);
    expect(await digestAt(other.url)).toEqual(digest);
  } finally {
    await other.stop();
  }
}, 180_000); // a machine that does other things too
