import type { Dice } from './random.ts';

/** Lets several invocations run at once, one I/O at a time, in an order that the dice decide. */
export interface Turns {
  /** Joins: from now on `turn` waits until this invocation is drawn. Call `leave` when it has ended. */
  join(): { turn(): Promise<void>; leave(): void };
  /** Waits until every invocation stands at its next I/O or has ended. */
  settle(): Promise<void>;
  /** How many stand at an I/O. */
  readonly waiting: number;
  /** Lets one of them do its I/O. */
  draw(): void;
}

/** So many rounds of the event loop without an I/O and without an end: the invocation waits for something else. */
const PATIENCE = 1_000_000;

export function turns(thrown: Dice): Turns {
  const waiting: { by: object; go: () => void }[] = [];
  const running = new Set<object>();
  return {
    join() {
      const by = {};
      running.add(by);
      return {
        turn: () => new Promise((go) => waiting.push({ by, go })),
        leave() {
          running.delete(by);
          for (let i = waiting.length - 1; i >= 0; i--) if (waiting[i]!.by === by) waiting.splice(i, 1);
        },
      };
    },
    async settle() {
      for (let round = 0; ; round++) {
        await new Promise((done) => setImmediate(done));
        if ([...running].every((by) => waiting.some((it) => it.by === by))) return;
        if (round > PATIENCE) throw new Error('an invocation neither ends nor reads or writes');
      }
    },
    get waiting() {
      return waiting.length;
    },
    draw() {
      thrown.take(waiting).go();
    },
  };
}
