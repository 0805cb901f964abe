import type { Event, EventsMessage, Fault } from '../events/event.ts';
import { sendable } from '../platform/sendable.ts';

/**
 * Events or faults of one message. A batch of the profile function is up to a hundred messages, and every event may be
 * another person's: more in each, and an import would be more work at once than its time allows.
 */
const PARTS = 25;

/** `{"events":[],"faults":[]}` and room for commas. */
const FRAME_BYTES = 64;

/**
 * Messages of the `events` queue, in order, as few as fit: each body is an `eventsMessage` of at most `most` bytes
 * and 25 events or faults.
 * One event or fault is always far below that (`EVENT_BYTES`, `FAULT_BYTES`).
 *
 * @param beside what the request was beside them: the tally stands in the first message, which is there for its sake
 *   if need be; the nonce in each
 */
export function chunks(
  events: readonly Event[],
  faults: readonly Fault[],
  most: number,
  { tally, nonce }: Pick<EventsMessage, 'tally' | 'nonce'> = {},
): string[] {
  const bodies: string[] = [];
  const each = nonce ? `,"nonce":${JSON.stringify(nonce)}` : '';
  let once = tally ? `,"tally":${JSON.stringify(tally)}` : '';
  const frame = () => FRAME_BYTES + Buffer.byteLength(each) + Buffer.byteLength(once);
  let parts = { events: [] as string[], faults: [] as string[] };
  let bytes = frame();
  const close = () => {
    if (parts.events.length + parts.faults.length > 0 || once !== '') {
      bodies.push(
        `{"events":[${parts.events.join(',')}],"faults":[${parts.faults.join(',')}]${each}${once}}`,
      );
      once = '';
    }
    parts = { events: [], faults: [] };
    bytes = frame();
  };
  const add = (to: 'events' | 'faults', value: Event | Fault) => {
    const text = sendable(JSON.stringify(value)); // as long as it will be on its way
    const size = Buffer.byteLength(text) + 1;
    if (bytes + size > most || parts.events.length + parts.faults.length === PARTS) close();
    parts[to].push(text);
    bytes += size;
  };
  for (const event of events) add('events', event);
  for (const fault of faults) add('faults', fault);
  close();
  return bodies;
}
