import { z } from 'zod';
import { instant } from '../events/event.ts';
import { DAY } from '../platform/clock.ts';
import { keys } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';
import { requestStore } from './request-store.ts';

/** How far the sweeps of dead letters are. */
const state = z.object({
  v: z.int(),
  /** When the newest sweep began that came to its end: what was a dead letter before has been looked at. */
  wholeAt: instant.optional(),
  /** When the one began that is under way. */
  begunAt: instant.optional(),
  /** The queues that it has looked through. */
  done: z.array(z.string()).default([]),
  /** How many letters it holds of queues that it has not reached the end of. */
  held: z.record(z.string(), z.int()).default({}),
  /** Until when somebody is at it. */
  until: instant.optional(),
});
export type SweepState = z.infer<typeof state>;

/** Longer than a request takes that goes well. */
const NOTES_DAYS = 90;

const EVENT = 'E#';
const MESSAGE = 'M#';

/** What is known of the sweeps of dead letters: when they were, and what they took. */
export function sweptStore(table: Table) {
  const requests = requestStore(table);
  return {
    async get(): Promise<SweepState> {
      return state.parse((await table.get(keys.sweep())) ?? { v: 0 });
    },

    /** @throws ConflictError if it is not as it was read */
    async put({ v, ...it }: SweepState): Promise<SweepState> {
      await table.put({ ...keys.sweep(), ...it, v: v + 1 }, { kind: 'version', version: v });
      return { v: v + 1, ...it };
    },

    /** Notes what is about to be taken out for a request. Noting it again changes nothing. */
    async note(request: string, message: string, events: readonly string[], now: number): Promise<void> {
      const ttl = Math.floor((now + NOTES_DAYS * DAY) / 1000);
      for (const what of [MESSAGE + message, ...events.map((it) => EVENT + it)])
        await table.put({ ...keys.swept(request, what), ttl });
    },

    /** Says in a request's row that all dead letters were looked through for it, and what was taken out. Whoever proves it removes the notes. */
    async tell(request: string): Promise<void> {
      let [messages, events] = [0, 0];
      for await (const { sk } of table.query(keys.swept(request, '').pk))
        sk.startsWith(MESSAGE) ? messages++ : events++;
      const { it, version } = await requests.get(request);
      if (it.status === 'settling' && !it.deadLetters)
        await requests.put({ ...it, deadLetters: { messages, events } }, version);
    },
  };
}
export type SweptStore = ReturnType<typeof sweptStore>;
