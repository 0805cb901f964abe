import type { Event, Fault } from '../events/event.ts';

/** `{"events":[],"faults":[]}` and room for commas. */
const FRAME_BYTES = 64;

/**
 * Messages of the `events` queue, in order, as few as fit: each body is an `eventsMessage` of at most `most` bytes.
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
    if (bytes + size > most) close();
    parts[to].push(text);
    bytes += size;
  };
  for (const event of events) add('events', event);
  for (const fault of faults) add('faults', fault);
  close();
  return bodies;
}
