import { expect, test } from 'vitest';
import { MINUTE } from '../../../lib/platform/clock.ts';
import { deadLettersContract } from '../../platform/dead-letters-contract.ts';
import { disorderly, mailbox, orderly } from './mailbox.ts';
import { dice } from './random.ts';

// The dead letters of the worlds that the laws are asked of are dead letters as SQS has them.

deadLettersContract('dead letters of a mailbox', async () => mailbox(dice(1), disorderly).dead);

/** A queue whose only message has failed, and its clock. */
async function failed() {
  const clock = { now: 0 };
  const queue = mailbox(dice(1), { ...orderly, park: 1 }, { name: 'events ', now: () => clock.now });
  await queue.send(['a']);
  const delivery = queue.deliver(10);
  delivery.acknowledge(new Set(delivery.messages.map(({ id }) => id)));
  return { queue, clock };
}

test('what failed for good is a dead letter under its own id, and comes back with all that was put beside it', async () => {
  const { queue } = await failed();
  expect(queue.dead.letters).toEqual([{ id: 'events m1', body: 'a' }]);
  await queue.dead.send(['b']);
  expect(queue.letters).toEqual(['a', 'b']);
  expect(queue.redrive()).toBe(2);
  expect(queue.dead.letters).toEqual([]);
  expect(queue.deliver(10).messages.map(({ body }) => body)).toEqual(['a', 'b']);
});

test('what somebody took and forgot is seen again when its time is over', async () => {
  const { queue, clock } = await failed();
  const [letter] = await queue.dead.take(MINUTE);
  expect(letter?.body).toBe('a');
  expect(await queue.dead.take(MINUTE)).toEqual([]);
  clock.now += MINUTE;
  expect((await queue.dead.take(MINUTE)).map(({ body }) => body)).toEqual(['a']);
});
