/**
 * What can go wrong at one I/O point.
 *
 * - `crash-before`: the process ends; nothing was written.
 * - `crash-after`: written, then the process ends.
 * - `lost-reply`: written, but the caller gets an ordinary error; it may try again or give up.
 * - `throttle`: not written (of several bodies that are sent, the first half is), an ordinary error.
 */
export type FaultKind = 'crash-before' | 'crash-after' | 'lost-reply' | 'throttle';

export interface Fault {
  /** The I/O point, counted from 0 over everything that happens in a run. */
  readonly at: number;
  readonly kind: FaultKind;
}

/** One read or write that a run came to. */
export interface Point {
  readonly at: number;
  /** Which invocation did it: `events 3` is the third of the function on the queue `events`. */
  readonly by: string;
  /** What it did: `put P#1 @`. */
  readonly does: string;
  /** A read changes nothing: before and after are the same. */
  readonly writes: boolean;
  /** What went wrong there by plan. */
  readonly fault?: FaultKind;
}

/** The process ended. No code of an invocation runs on after it. */
export class Crash extends Error {
  constructor(at: number) {
    super(`crash at I/O point ${at}`);
    this.name = 'Crash';
  }
}

/** All the I/O points of a run, and the plan of what goes wrong at which. */
export interface Faults {
  readonly points: readonly Point[];
  /** Counts one point and says what goes wrong there. */
  next(by: string, does: string, writes: boolean): { at: number; kind: FaultKind | undefined };
}

export function faults(plan: readonly Fault[] = []): Faults {
  const points: Point[] = [];
  const byPoint = new Map(plan.map(({ at, kind }) => [at, kind]));
  return {
    points,
    next(by, does, writes) {
      const at = points.length;
      const kind = byPoint.get(at);
      points.push({ at, by, does, writes, fault: kind });
      return { at, kind };
    },
  };
}

/** The connection of one invocation to everything outside it; all its I/O goes through here. */
export interface Line {
  /** Does one read or write, or what the plan makes of it. `partly` is what is done of it when it is throttled. */
  io<T>(
    does: string,
    writes: boolean,
    perform: () => Promise<T>,
    partly?: () => Promise<unknown>,
  ): Promise<T>;
  /** Rejects with the crash when the invocation has crashed, and never resolves. */
  readonly crashed: Promise<never>;
  readonly dead: boolean;
}

/**
 * Opens the line of one invocation.
 *
 * @param turn waits until the invocation may go on; absent: at once
 */
export function openLine(by: string, run: Faults, turn?: () => Promise<void>): Line {
  let dead = false;
  let die: (crash: Crash) => void = () => {};
  const crashed = new Promise<never>((_, reject) => {
    die = reject;
  });
  crashed.catch(() => {}); // whoever races against it hears it; nobody has to
  const crash = (at: number): Promise<never> => {
    dead = true;
    die(new Crash(at));
    return never();
  };

  return {
    crashed,
    get dead() {
      return dead;
    },
    async io(does, writes, perform, partly) {
      if (dead) return never();
      if (turn) {
        await turn();
        if (dead) return never();
      }
      const { at, kind } = run.next(by, does, writes);
      if (kind === undefined) return perform();
      if (kind === 'crash-before') return crash(at);
      if (kind === 'throttle') {
        await partly?.();
        throw new Error(`throttled at I/O point ${at}: ${does}`);
      }
      await perform().catch(() => {}); // a refusal is a reply too, and is lost as any other
      if (kind === 'crash-after') return crash(at);
      throw new Error(`the reply was lost at I/O point ${at}: ${does}`);
    },
  };
}

/** What a dead process waits for. */
const never = () => new Promise<never>(() => {});
