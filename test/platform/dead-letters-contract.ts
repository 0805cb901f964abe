import { beforeEach, describe, expect, test } from 'vitest';
import { MINUTE } from '../../lib/platform/clock.ts';
import type { DeadLetter, DeadLetters } from '../../lib/platform/dead-letters.ts';

/** What all `DeadLetters` must do, whatever they stand on. `open` gives an empty queue for each test. */
export function deadLettersContract(name: string, open: () => Promise<DeadLetters>): void {
  describe(name, () => {
    let letters: DeadLetters;
    beforeEach(async () => {
      letters = await open();
    });
    const bodiesOf = (some: readonly DeadLetter[]) => some.map(({ body }) => body).sort();

    /** Takes until there are no more. */
    async function takeAll(): Promise<DeadLetter[]> {
      const all: DeadLetter[] = [];
      for (;;) {
        const some = await letters.take(MINUTE);
        if (some.length === 0) return all;
        all.push(...some);
      }
    }

    test('what is there is taken once, ten at a time at most, and then it is hidden', async () => {
      const sent = Array.from({ length: 12 }, (_, i) => `{"n":${String(i).padStart(2, '0')}}`);
      await letters.send(sent);
      expect(await letters.count()).toEqual({ waiting: 12, taken: 0 });
      const first = await letters.take(MINUTE);
      expect(first.length).toBeLessThanOrEqual(10);
      expect(bodiesOf([...first, ...(await takeAll())])).toEqual(sent);
      expect(await letters.count()).toEqual({ waiting: 0, taken: 12 });
    });

    test('what is let go is there again, with the same id; what is removed never is', async () => {
      await letters.send(['{"a":1}', '{"b":1}', '{"c":1}']);
      const all = await takeAll();
      const [removed, ...others] = all;
      if (removed) await letters.remove([removed]);
      await letters.release(others);
      const again = await takeAll();
      expect(again.map(({ id, body }) => [id, body]).sort()).toEqual(
        others.map(({ id, body }) => [id, body]).sort(),
      );
      expect(await letters.count()).toEqual({ waiting: 0, taken: 2 });
    });

    test('what is let go later stays hidden', async () => {
      await letters.send(['{"a":1}']);
      await letters.release(await takeAll(), 10 * MINUTE);
      expect(await takeAll()).toEqual([]);
    });

    test('removing and letting go again changes nothing', async () => {
      await letters.send(['{"a":1}', '{"b":1}']);
      const all = await takeAll();
      const [first, second] = all;
      if (!first || !second) throw new Error('two were sent');
      await letters.remove([first]);
      await letters.remove([first]);
      await letters.release([second]);
      await letters.release([second]);
      expect(bodiesOf(await takeAll())).toEqual([second.body]);
    });

    test('nothing to remove or to let go is nothing done', async () => {
      await letters.remove([]);
      await letters.release([]);
      expect(await letters.count()).toEqual({ waiting: 0, taken: 0 });
    });
  });
}
