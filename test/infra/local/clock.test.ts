import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lengthOf, openClock, walk } from '../../../infra/local/clock.ts';
import { ticksOf } from '../../../infra/local/schedule.ts';
import { DAY, HOUR, MINUTE } from '../../../lib/platform/clock.ts';

const START = Date.parse('2026-11-11T00:00:30.000Z');

/** A clock that stands still between jumps, so that what a walk does can be told to the millisecond. */
function standing(start: number) {
  let now = start;
  return {
    now: () => now,
    buffer: new SharedArrayBuffer(8),
    jump: (to: number) => {
      now = Math.max(now, to);
    },
  };
}

/** A stack that wakes what is due, `atOnce` entries a tick, and puts an entry in again after each of its `gaps`. */
function world(entries: readonly { at: number; gaps: readonly number[] }[], atOnce: number) {
  const clock = standing(START);
  let waiting = entries.map(({ at, gaps }, i) => ({ id: String(i), at, gaps: [...gaps] }));
  const woken: string[] = [];
  const minute = { ticks: ticksOf('rate(1 minute)', 'UTC') };
  const tick = () => {
    const due = waiting
      .filter(({ at }) => at <= clock.now())
      .sort((a, b) => a.at - b.at || Number(a.id) - Number(b.id));
    for (const entry of due.slice(0, atOnce)) {
      woken.push(`${entry.id} ${clock.now()}`);
      const gap = entry.gaps.shift();
      if (gap === undefined) waiting = waiting.filter((it) => it !== entry);
      else entry.at = clock.now() + gap;
    }
  };
  return {
    woken,
    tick,
    clock,
    minute,
    walk: (to: number) =>
      walk(
        {
          clock,
          schedules: [minute],
          fire: async () => {
            tick();
            return true;
          },
          quiet: async () => {},
          due: async (until, passed) =>
            waiting
              .filter(({ id, at }) => at <= until && !passed.has(`${id} ${at}`))
              .map(({ id, at }) => ({ id: `${id} ${at}`, at }))
              .sort((a, b) => a.at - b.at)[0],
          nextRetry: () => undefined,
          retry: async () => {},
          expire: async () => {},
        },
        to,
      ),
  };
}

test('a walk wakes each entry at the very tick at which a clock that ticks every minute would', async () => {
  const entry = fc.record({
    at: fc.integer({ min: START - HOUR, max: START + 3 * DAY }),
    gaps: fc.array(fc.integer({ min: 1, max: 2 * DAY }), { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { maxLength: 8 }),
      fc.integer({ min: 1, max: 3 }),
      async (entries, atOnce) => {
        // A whole minute, so that the last call at the end of the walk is a tick like any other.
        const to = START + 30_000 + 3 * DAY;
        const walked = world(entries, atOnce);
        const { stuck } = await walked.walk(to);

        const ticked = world(entries, atOnce);
        for (let at = START + 30_000; at <= to; at += MINUTE) {
          ticked.clock.jump(at);
          ticked.tick();
        }
        expect(stuck).toEqual([]);
        // The walk's own last call may wake what the tick at `to` had no room for.
        expect(walked.woken.slice(0, ticked.woken.length)).toEqual(ticked.woken);
      },
    ),
    {
      numRuns: 60,
      examples: [
        [
          [
            { at: START, gaps: [] },
            { at: START, gaps: [] },
          ],
          1,
        ],
      ],
    },
  );
});

test('a quiet month is one call', async () => {
  const { fired } = await world([], 1).walk(START + 31 * DAY);
  expect(fired).toBe(1);
});

test('a daily schedule is called every day, whatever is due', async () => {
  const at: string[] = [];
  const clock = standing(START);
  await walk(
    {
      clock,
      schedules: [{ ticks: ticksOf('cron(30 3 * * ? *)', 'UTC') }],
      fire: async () => at.push(new Date(clock.now()).toISOString()) > 0,
      quiet: async () => {},
      due: async () => undefined,
      nextRetry: () => undefined,
      retry: async () => {},
      expire: async () => {},
    },
    START + 3 * DAY,
  );
  expect(at).toEqual(['2026-11-11T03:30:00.000Z', '2026-11-12T03:30:00.000Z', '2026-11-13T03:30:00.000Z']);
});

test('a function that keeps failing does not keep the walk from its end', async () => {
  const clock = standing(START);
  let calls = 0;
  const walked = await walk(
    {
      clock,
      schedules: [{ ticks: ticksOf('rate(1 minute)', 'UTC') }],
      fire: async () => {
        calls += 1;
        return false;
      },
      quiet: async () => {},
      due: async (_, passed) => ({ id: `entry ${passed.size}`, at: START + passed.size }),
      nextRetry: () => undefined,
      retry: async () => {},
      expire: async () => {},
    },
    START + DAY,
  );
  expect([walked.failed, calls, clock.now()]).toEqual([4, 4, START + DAY]);
});

test('a clock may start anywhere and never goes back', () => {
  const clock = openClock(START);
  expect(clock.now() - START).toBeLessThan(MINUTE);
  clock.jump(START + DAY);
  clock.jump(START);
  expect(clock.now()).toBeGreaterThanOrEqual(START + DAY);
});

test.each([
  ['31d', 31 * DAY],
  ['36h', 36 * HOUR],
  ['90m', 90 * MINUTE],
  ['500', 500],
  [1500, 1500],
  ['a while', undefined],
  ['-1d', undefined],
  [-1, undefined],
])('%s is a length of %s ms', (text, ms) => {
  expect(lengthOf(text)).toBe(ms);
});
