import type { DeadLetter, DeadLetters } from '../../lib/platform/dead-letters.ts';

export interface MemoryLetters extends DeadLetters {
  /** Bodies of all that are there, hidden or not, in the order in which they were sent. */
  bodies(): string[];
}

interface Row {
  readonly id: string;
  readonly body: string;
  /** Until when it is hidden, by the queue's own clock. */
  hidden: number;
}

/** Dead letters in memory, for tests. They pass the same contract as those in SQS (`dead-letters-contract.ts`). */
export function memoryLetters(now: () => number = () => 0): MemoryLetters {
  const rows = new Map<string, Row>();
  let sent = 0;
  const seen = () => [...rows.values()].filter(({ hidden }) => hidden <= now());
  return {
    async send(bodies) {
      for (const body of bodies) {
        const id = `letter${++sent}`;
        rows.set(id, { id, body, hidden: Number.NEGATIVE_INFINITY });
      }
    },
    async count() {
      const waiting = seen().length;
      return { waiting, taken: rows.size - waiting };
    },
    async take(hiddenMs) {
      return seen()
        .slice(0, 10)
        .map((row): DeadLetter => {
          row.hidden = now() + hiddenMs;
          return { id: row.id, body: row.body, handle: row.id };
        });
    },
    async remove(letters) {
      for (const { handle } of letters) rows.delete(handle);
    },
    async release(letters, hiddenMs = 0) {
      for (const { handle } of letters) {
        const row = rows.get(handle);
        if (row && row.hidden > now()) row.hidden = now() + hiddenMs;
      }
    },
    bodies: () => [...rows.values()].map(({ body }) => body),
  };
}
