import { beforeEach, describe, expect, test } from 'vitest';
import type { Queue } from '../../lib/platform/queue.ts';
import { MESSAGE_BYTES } from '../../lib/platform/sqs.ts';

/** What every `Queue` must do, whatever it stands on. `open` gives an empty queue for each test. */
export function queueContract(
  name: string,
  open: () => Promise<{ queue: Queue; bodies: () => readonly string[] }>,
): void {
  describe(`${name}: sending`, () => {
    let queue: Queue;
    let bodies: () => readonly string[];
    beforeEach(async () => {
      ({ queue, bodies } = await open());
    });
    const sorted = () => [...bodies()].sort();

    test('each body is one message, however many', async () => {
      const sent = Array.from({ length: 25 }, (_, i) => `{"n":${String(i).padStart(2, '0')},"text":"私域"}`);
      await queue.send(sent);
      expect(sorted()).toEqual(sent);
    });

    test('whatever people write arrives as they wrote it', async () => {
      const said = { text: '好 😀 👩‍👧 \ufffe \uffff \u0000 \ud800' };
      await queue.send([JSON.stringify(said)]);
      expect(bodies().map((body) => JSON.parse(body))).toEqual([said]);
    });

    test('nothing to send is nothing sent', async () => {
      await queue.send([]);
      expect(bodies()).toEqual([]);
    });

    test('the same body twice is two messages', async () => {
      await queue.send(['same', 'same']);
      await queue.send(['same']);
      expect(bodies()).toEqual(['same', 'same', 'same']);
    });

    test('bodies as large as are ever sent arrive whole, beside small ones', async () => {
      const large = (name: string) => name.repeat(MESSAGE_BYTES / name.length);
      const sent = ['small', large('a'), large('b'), large('c'), large('d'), 'small too'];
      await queue.send(sent);
      expect(sorted()).toEqual(sent.sort());
    });

    test('a body that no queue takes is an error and is not queued', async () => {
      await expect(queue.send(['x'.repeat(1024 * 1024 + 1)])).rejects.toThrow();
      expect(bodies()).toEqual([]);
    });
  });
}
