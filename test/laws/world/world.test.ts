import { describe, expect, test } from 'vitest';
import { ConflictError } from '../../../lib/platform/errors.ts';
import { disorderly, orderly } from './mailbox.ts';
import { pairs, schedules, singles } from './schedules.ts';
import type { Io } from './world.ts';
import { World, type WorldFunction, type WorldOptions } from './world.ts';

type Names = 'events' | 'conversions';
const key = { pk: 'P#1', sk: '@' };

/** Right: the ids that were counted stand in the row that is put on the version read; then everything is announced. */
const careful: WorldFunction<Names> =
  ({ table, queues }) =>
  async (messages) => {
    for (;;) {
      const row = await table.get(key);
      const v = Number(row?.v ?? 0);
      const known = Array.isArray(row?.ids) ? row.ids : [];
      const ids = [...new Set([...known, ...messages.map(({ body }) => body)])];
      try {
        await table.put({ ...key, v: v + 1, ids, n: ids.length }, { kind: 'version', version: v });
        await queues.conversions.send(messages.map(({ body }) => body));
        return [];
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
      }
    }
  };

/** Wrong: marks a message as seen, then counts it. A crash in between loses it. */
const markThenCount: WorldFunction<Names> =
  ({ table }) =>
  async (messages) => {
    for (const { body } of messages) {
      try {
        await table.put({ pk: `E#${body}`, sk: '@' }, { kind: 'absent' });
      } catch (error) {
        if (error instanceof ConflictError) continue;
        throw error;
      }
      await table.put({ ...key, n: Number((await table.get(key))?.n ?? 0) + 1 });
    }
    return [];
  };

/** Wrong: counts a message, then marks it as seen. A crash in between counts it twice. */
const countThenMark: WorldFunction<Names> =
  ({ table }) =>
  async (messages) => {
    for (const { body } of messages) {
      if (await table.get({ pk: `E#${body}`, sk: '@' })) continue;
      await table.put({ ...key, n: Number((await table.get(key))?.n ?? 0) + 1 });
      await table.put({ pk: `E#${body}`, sk: '@' });
    }
    return [];
  };

const collect: WorldFunction<Names> =
  ({ table }) =>
  async (messages) => {
    for (const { body } of messages) await table.put({ pk: 'V#1', sk: body });
    return [];
  };

async function ran(events: WorldFunction<Names>, options: Partial<WorldOptions<Names>> = {}) {
  const world = new World<Names>({ functions: { events, conversions: collect }, ...options });
  await world.send('events', 'a', 'b', 'c');
  await world.run();
  return world;
}
const counted = async (world: World<Names>) => (await world.table.get(key))?.n;
const announced = (world: World<Names>) =>
  world.table
    .rows()
    .filter((row) => row.pk === 'V#1')
    .map((row) => row.sk);

describe('an undisturbed world', () => {
  test('delivers every message, and what a function sends to the next one', async () => {
    const world = await ran(careful);
    expect(await counted(world)).toBe(3);
    expect(announced(world)).toEqual(['a', 'b', 'c']);
    expect(world.points.map(({ by, does }) => `${by}: ${does}`)).toEqual([
      'events 1: get P#1 @',
      'events 1: put P#1 @',
      'events 1: send 3 to conversions',
      'events 1: acknowledge 3',
      'conversions 1: put V#1 a',
      'conversions 1: put V#1 b',
      'conversions 1: put V#1 c',
      'conversions 1: acknowledge 3',
    ]);
  });

  test('gives a message again as long as the function says so', async () => {
    let calls = 0;
    const world = await ran((io) => async (messages) => {
      await careful(io)(messages);
      return ++calls < 3 ? messages.filter(({ body }) => body === 'b').map(({ id }) => id) : [];
    });
    expect(calls).toBe(3);
    expect(await counted(world)).toBe(3);
  });

  test('says so when it does not come to rest', async () => {
    const never: WorldFunction<Names> = () => async (messages) => messages.map(({ id }) => id);
    await expect(ran(never)).rejects.toThrow('does not come to rest');
  });

  test('has a clock that stands until it is set', async () => {
    const seen: number[] = [];
    const world = new World({
      functions: {
        tick:
          ({ now }: Io) =>
          async () => {
            seen.push(now());
            return [];
          },
      },
      now: 5,
    });
    await world.send('tick', 't');
    await world.run();
    world.now = 9;
    await world.sendAgain('tick');
    await world.run();
    expect(seen).toEqual([5, 9]);
  });
});

describe('a fault', () => {
  const put = 1;
  test('crash before: nothing was written, everything comes again', async () => {
    const world = await ran(careful, { plan: [{ at: put, kind: 'crash-before' }] });
    expect((await world.table.get(key))?.v).toBe(1);
    expect(announced(world)).toEqual(['a', 'b', 'c']);
    expect(world.queues.conversions.sent).toHaveLength(3);
  });

  test('crash after and lost reply: written, and everything comes again', async () => {
    for (const kind of ['crash-after', 'lost-reply'] as const) {
      const world = await ran(careful, { plan: [{ at: put, kind }] });
      expect((await world.table.get(key))?.v).toBe(2);
      expect(await counted(world)).toBe(3);
    }
  });

  test('throttle: an error, nothing written; of what was being sent, half went', async () => {
    const world = await ran(careful, { plan: [{ at: put, kind: 'throttle' }] });
    expect((await world.table.get(key))?.v).toBe(1);
    const sending = await ran(careful, { plan: [{ at: 2, kind: 'throttle' }] });
    expect(sending.queues.conversions.sent).toEqual(['a', 'a', 'b', 'c']);
  });

  test('a lost acknowledgement brings the messages again', async () => {
    const world = await ran(careful, { plan: [{ at: 3, kind: 'crash-before' }] });
    expect((await world.table.get(key))?.v).toBe(2);
    expect(await counted(world)).toBe(3);
  });

  test('a crash ends the invocation, even one that catches every error and tries for ever', async () => {
    const written: string[] = [];
    const stubborn: WorldFunction<Names> =
      ({ table }) =>
      async (messages) => {
        for (;;) {
          try {
            await table.put({ ...key, n: messages.length });
            return [];
          } catch {
            written.push('went on after an error');
          }
        }
      };
    const crashed = await ran(stubborn, { plan: [{ at: 0, kind: 'crash-after' }] });
    expect(written).toEqual([]);
    expect(crashed.points.map((point) => point.by)).toEqual(['events 1', 'events 2', 'events 2']);
    await ran(stubborn, { plan: [{ at: 0, kind: 'lost-reply' }] });
    expect(written).toHaveLength(1);
  });

  test('a lost refusal is an error of its own kind, not a conflict that the caller could read', async () => {
    let seen: unknown;
    const world = new World<Names>({
      functions: {
        events:
          ({ table }) =>
          async () => {
            await table.put({ ...key, n: 1 }, { kind: 'absent' }).catch((error: unknown) => {
              seen = error;
            });
            return [];
          },
        conversions: collect,
      },
      plan: [{ at: 0, kind: 'lost-reply' }],
    });
    await world.table.put({ ...key, n: 0 });
    await world.send('events', 'a');
    await world.run();
    expect(seen).toBeInstanceOf(Error);
    expect(seen).not.toBeInstanceOf(ConflictError);
  });
});
describe('a container', () => {
  /** Remembers how often it was called, and fails on its first call if it is told to. */
  const remembering =
    (seen: number[]): WorldFunction<Names> =>
    ({ table }) => {
      let calls = 0;
      return async (messages) => {
        seen.push(++calls);
        await table.put({ ...key, n: messages.length });
        return [];
      };
    };

  test('remembers from one invocation to the next, also after one that failed', async () => {
    const seen: number[] = [];
    await ran(remembering(seen), { batch: { events: 1 }, plan: [{ at: 0, kind: 'throttle' }] });
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  test('is gone when one crashes', async () => {
    const seen: number[] = [];
    await ran(remembering(seen), { batch: { events: 1 }, plan: [{ at: 2, kind: 'crash-before' }] });
    expect(seen).toEqual([1, 2, 1, 2]);
  });

  test('works at one batch at a time', async () => {
    const seen: number[] = [];
    await ran(remembering(seen), { batch: { events: 1 }, workers: 3, seed: 5 });
    expect(seen.toSorted()).toEqual([1, 1, 2]);
  });
});

describe('all schedules', () => {
  test('are each I/O point with each fault that matters there, and all pairs near each other', async () => {
    const { points } = await ran(careful);
    const reads = points.filter((point) => !point.writes).length;
    const one = reads * 2 + (points.length - reads) * 4;
    expect([...singles(points)]).toHaveLength(one);
    expect([...pairs(points, 6)]).toHaveLength(one * 6 * 4);
    expect([...schedules(points, 6)]).toHaveLength(one * 25);
  });

  test('a fold that is put on the version read survives every one of them', async () => {
    const { points } = await ran(careful);
    for (const plan of schedules(points)) {
      const world = await ran(careful, { plan });
      expect(await counted(world), world.story).toBe(3);
      expect(announced(world), world.story).toEqual(['a', 'b', 'c']);
    }
  });

  test.each([
    ['marked, then counted: events are lost', markThenCount, Math.min, 2],
    ['counted, then marked: events count twice', countThenMark, Math.max, 4],
  ] as const)('%s, and single faults are enough to show it', async (_, wrong, worst, expected) => {
    const { points } = await ran(wrong);
    const seen: number[] = [];
    for (const plan of singles(points)) seen.push(Number(await counted(await ran(wrong, { plan }))));
    expect(worst(...seen)).toBe(expected);
  });
});

describe('two workers at once', () => {
  const together = (events: WorldFunction<Names>, seed: number) =>
    ran(events, { seed, workers: 2, batch: { events: 1 }, disorder: disorderly });
  const seeds = Array.from({ length: 200 }, (_, seed) => seed);

  test('lose an update that is put without looking, for some order of their reads and writes', async () => {
    const results = new Set<unknown>();
    for (const seed of seeds) results.add(await counted(await together(markThenCount, seed)));
    expect(results).toContain(2);
    expect(results).toContain(3);
  });

  test('never lose one that is put on the version read', async () => {
    let conflicts = 0;
    for (const seed of seeds) {
      const world = await together(careful, seed);
      expect(await counted(world), world.story).toBe(3);
      expect(announced(world)).toEqual(['a', 'b', 'c']);
      conflicts += world.points.filter((point) => point.does.startsWith('put P#')).length > 3 ? 1 : 0;
    }
    expect(conflicts).toBeGreaterThan(10);
  });

  test('with faults too: a crash of one does not hold up the other', async () => {
    for (const seed of seeds)
      for (const kind of ['crash-before', 'crash-after'] as const) {
        const world = await ran(careful, {
          seed,
          workers: 2,
          batch: { events: 1 },
          plan: [{ at: seed % 12, kind }],
        });
        expect(await counted(world), world.story).toBe(3);
      }
  });
});

describe('chance', () => {
  test('the same seed is the same run, another seed another one', async () => {
    const story = async (seed: number, workers: number) =>
      (await ran(careful, { seed, workers, batch: { events: 2 }, disorder: disorderly })).story;
    for (const workers of [1, 2, 3]) {
      expect(await story(7, workers)).toBe(await story(7, workers));
      expect(
        new Set(await Promise.all([1, 2, 3, 4, 5, 6].map((seed) => story(seed, workers)))).size,
      ).toBeGreaterThan(2);
    }
  });

  test('what fails can go to the dead-letter queue, and comes back when it is asked to', async () => {
    const world = await ran(careful, {
      batch: { events: 1 },
      disorder: { ...orderly, park: 1 },
      plan: [{ at: 1, kind: 'crash-before' }],
    });
    expect(await counted(world)).toBe(2);
    expect(world.redrive()).toBe(1);
    await world.run();
    expect(await counted(world)).toBe(3);
    expect(world.redrive()).toBe(0);
  });

  test('a disorderly queue repeats, delays and reorders, and loses nothing', async () => {
    const orders = new Set<string>();
    let repeated = 0;
    for (let seed = 0; seed < 100; seed++) {
      const order: string[] = [];
      const world = await ran(
        () => async (messages) => {
          order.push(messages.map(({ body }) => body).join('+'));
          return [];
        },
        { seed, disorder: disorderly },
      );
      expect(new Set(order.join('+').split('+'))).toEqual(new Set(['a', 'b', 'c']));
      expect(world.queues.events.ready).toBe(0);
      orders.add(order.join(' '));
      if (order.join('+').length > 5) repeated++;
    }
    expect(orders.size).toBeGreaterThan(20);
    expect(repeated).toBeGreaterThan(20);
  });
});
