import type { Event, Fault } from '../events/event.ts';

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
 */
export function chunks(events: readonly Event[], faults: readonly Fault[], most: number): string[] {
  const bodies: string[] = [];
  let parts = { events: [] as string[], faults: [] as string[] };
  let bytes = FRAME_BYTES;
  const close = () => {
    if (parts.events.length + parts.faults.length > 0)
      bodies.push(`{"events":[${parts.events.join(',')}],"faults":[${parts.faults.join(',')}]}`);
    parts = { events: [], faults: [] };
    bytes = FRAME_BYTES;
  };
  const add = (to: 'events' | 'faults', value: Event | Fault) => {
    const text = JSON.stringify(value);
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
