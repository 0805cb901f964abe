import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chunks } from '../../lib/capture/chunks.ts';
import { openNonces } from '../../lib/capture/nonces.ts';
import { type Event, eventsMessage } from '../../lib/events/event.ts';
import { MINUTE } from '../../lib/platform/clock.ts';

const event = (note: string, n: number): Event => ({
  id: `event_${String(n).padStart(10, '0')}`,
  type: 'visit',
  occurredAt: '2025-10-09T08:53:20.000Z',
  receivedAt: '2025-10-09T08:53:20.000Z',
  source: { channel: 'generic', account: 'pos' },
  identifiers: [{ kind: 'member_id', scope: 'brand', value: 'M1' }],
  properties: { note },
  context: { timeSource: 'sender', verified: 'signed' },
});

test('however events are cut into messages, none is lost, none moves, and each message is small enough', () =>
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 300, unit: 'grapheme' }), { maxLength: 40 }),
      fc.integer({ min: 3000, max: 9000 }),
      (notes, most) => {
        const events = notes.map(event);
        const bodies = chunks(events, [], most);
        expect(bodies.flatMap((body) => eventsMessage.parse(JSON.parse(body)).events)).toEqual(events);
        for (const body of bodies) expect(Buffer.byteLength(body)).toBeLessThanOrEqual(most);
      },
    ),
    { numRuns: 50 },
  ));

test('nothing to say is no message', () => expect(chunks([], [], 1000)).toEqual([]));

test('several small events are one message', () =>
  expect(chunks([event('a', 1), event('b', 2)], [], 10_000)).toHaveLength(1));

test('a query is good for one request while its signature may still be in its window', () => {
  const nonces = openNonces();
  const take = (query: string, at: number) => nonces.take({ query }, at);
  expect([take('a', 0), take('a', 5 * MINUTE), take('b', 0)]).toEqual([true, false, true]);
  expect(take('a', 11 * MINUTE)).toBe(true);
  nonces.release({ query: 'a' });
  expect(take('a', 11 * MINUTE)).toBe(true);
});
