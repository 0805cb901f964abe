// The clock of a run: starts anywhere, runs on in real time, and can be walked forward through what falls due.
import { DAY, HOUR, MINUTE, SECOND, toIso } from '../../lib/platform/clock.ts';
import type { Ticks } from './schedule.ts';

export interface VirtualClock {
  now(): number;
  /** The offset to the real time, shared with the sandboxes. */
  readonly buffer: SharedArrayBuffer;
  /** Sets the clock; never back. */
  jump(to: number): void;
}

/** @param start the instant that it is now; the real one unless given */
export function openClock(start?: number): VirtualClock {
  const buffer = new SharedArrayBuffer(8);
  const offset = new BigInt64Array(buffer);
  if (start !== undefined) Atomics.store(offset, 0, BigInt(Math.round(start - Date.now())));
  const now = () => Date.now() + Number(Atomics.load(offset, 0));
  return {
    now,
    buffer,
    jump(to) {
      if (to > now()) Atomics.add(offset, 0, BigInt(Math.round(to - now())));
    },
  };
}

const LENGTHS: Record<string, number> = { ms: 1, s: SECOND, m: MINUTE, h: HOUR, d: DAY };

/** A length such as 31d, 36h, 90m, 10s, 500ms or a number of milliseconds. @returns undefined if it is none */
export function lengthOf(text: string | number): number | undefined {
  if (typeof text === 'number') return text >= 0 ? text : undefined;
  const [, amount, unit = 'ms'] = /^(\d+)(ms|s|m|h|d)?$/.exec(text) ?? [];
  return amount === undefined ? undefined : Number(amount) * LENGTHS[unit]!;
}

/** What falls due at an instant, and a name that tells it from others. */
export interface Due {
  readonly at: number;
  readonly id: string;
}

/** What the walk needs to know and may do. */
export interface Walk<Schedule extends { readonly ticks: Ticks }> {
  readonly clock: VirtualClock;
  readonly schedules: readonly Schedule[];
  /** Calls the schedule's function and waits for it. */
  fire(schedule: Schedule): Promise<boolean>;
  /** Resolves when nothing is ready or in flight but messages that wait for their next attempt. */
  quiet(): Promise<void>;
  /** The first entry of the due index at or before `until`, but for the ones that are passed over. */
  due(until: number, passed: ReadonlySet<string>): Promise<Due | undefined>;
  /** When the next of the messages that failed may be received again. */
  nextRetry(): number | undefined;
  /** Makes the messages whose wait is over by now visible at once. */
  retry(now: number): Promise<void>;
  /** Removes what has expired by now. */
  expire(now: number): Promise<void>;
}

export interface Walked {
  readonly now: string;
  /** How often a schedule's function was called, and how often it failed. */
  readonly fired: number;
  readonly failed: number;
  /** Entries of the due index that two ticks did not move. */
  readonly stuck: readonly string[];
}

/** After so many calls that failed, what is due is left to the last one: walking on would only fail entry by entry. */
const FAILURES = 3;

/** A schedule that ticks more often only asks what is due: between two entries of the due index it would find nothing. */
const OFTEN = HOUR;

/**
 * Walks the clock to `to`, stopping at every instant at which something would have happened: the first tick after
 * each entry of the due index, each tick of a schedule that ticks once an hour or less, each next attempt of a
 * message that failed. A month of a quiet brand is a handful of stops and not 44,640 empty ticks. At the end every
 * frequent schedule fires once more at `to`.
 *
 * @throws RangeError if `to` lies behind the clock
 */
export async function walk<Schedule extends { readonly ticks: Ticks }>(
  { clock, schedules, fire, quiet, due, nextRetry, retry, expire }: Walk<Schedule>,
  to: number,
): Promise<Walked> {
  if (to < clock.now())
    throw new RangeError(`the clock never moves back: it is ${toIso(clock.now())}, asked for ${toIso(to)}`);
  let fired = 0;
  let failed = 0;
  const fireAll = async (which: readonly Schedule[]) => {
    for (const schedule of which) {
      fired += 1;
      if (!(await fire(schedule))) failed += 1;
    }
    await quiet();
  };
  const often = schedules.filter(({ ticks }) => gapOf(ticks, clock.now()) < OFTEN);
  const seldom = schedules.filter((it) => !often.includes(it));
  const next = new Map(seldom.map((it) => [it, it.ticks(clock.now() + 1)]));

  // No tick comes twice, however much was left over from it.
  const lastTick = new Map<Schedule, number>();
  const tickFor = (it: Schedule, entry: Due): number =>
    it.ticks(Math.max(entry.at, clock.now(), (lastTick.get(it) ?? 0) + 1)) ?? Number.POSITIVE_INFINITY;

  const stuck = new Set<string>();
  let last: string | undefined;
  let idleTicks = 0;
  await quiet();
  for (;;) {
    const entry = often.length > 0 && failed < FAILURES ? await due(to, stuck) : undefined;
    const ticks = new Map(entry ? often.map((it) => [it, tickFor(it, entry)]) : []);
    const stops = [...ticks.values(), nextRetry(), ...next.values()].filter(
      (at): at is number => at !== undefined && at <= to,
    );
    if (stops.length === 0) break;
    const stop = Math.max(clock.now(), Math.min(...stops));
    clock.jump(stop);
    await retry(stop);

    const reached = [...ticks].filter(([, at]) => at <= stop).map(([it]) => it);
    for (const it of reached) lastTick.set(it, ticks.get(it) ?? stop);
    const slow = seldom.filter((it) => (next.get(it) ?? Number.POSITIVE_INFINITY) <= stop);
    for (const it of slow) next.set(it, it.ticks(stop + 1));
    await fireAll([...reached, ...slow]);
    if (reached.length === 0 || !entry) continue;
    // An entry that two ticks left where it was would stop the walk for ever: it is passed over, and reported.
    idleTicks = entry.id === last ? idleTicks + 1 : 1;
    last = entry.id;
    if (idleTicks >= 2 && (await due(to, stuck))?.id === entry.id) stuck.add(entry.id);
  }
  clock.jump(to);
  await expire(clock.now());
  await retry(clock.now());
  await fireAll(often);
  return { now: toIso(clock.now()), fired, failed, stuck: [...stuck] };
}

function gapOf(ticks: Ticks, from: number): number {
  const first = ticks(from);
  const second = first === undefined ? undefined : ticks(first + 1);
  return first === undefined || second === undefined ? Number.POSITIVE_INFINITY : second - first;
}
