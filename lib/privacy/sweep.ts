import { directory } from '../identity/directory.ts';
import { nameOf } from '../identity/graph.ts';
import type { Protector } from '../identity/protect.ts';
import { type Clock, HOUR, MINUTE, toIso } from '../platform/clock.ts';
import type { DeadLetter, DeadLetters, Handle } from '../platform/dead-letters.ts';
import { ConflictError } from '../platform/errors.ts';
import { logError } from '../platform/log.ts';
import type { Table } from '../platform/table.ts';
import { profileStore } from '../profile/store.ts';
import { naming } from '../quarantine/remove.ts';
import { type JudgeDeps, judges, type Taken, type Waiting } from './letters.ts';
import { addressOf, type Personal, queues } from './queues.ts';
import { SETTLING_MS } from './request.ts';
import { requestStore } from './request-store.ts';
import { type SweepState, type SweptStore, sweptStore } from './swept.ts';

/** The dead letters of one queue. */
export interface Swept {
  readonly name: string;
  readonly holds: Personal;
  readonly letters: DeadLetters;
}

/** The queues whose dead letters are looked through, at the addresses that are given. */
export const queuesAt = (
  given: Readonly<Record<string, string | undefined>>,
  open: (url: string) => DeadLetters,
): Swept[] =>
  Object.entries(queues).flatMap(([name, holds]) => {
    const url = given[addressOf(name)];
    return holds === 'nothing' || url === undefined ? [] : [{ name, holds, letters: open(url) }];
  });

export interface SweepDeps {
  readonly table: Table;
  readonly protector: Protector;
  readonly queues: readonly Swept[];
  /** The live queue of events, where raw bodies may wait of whom nobody knows yet; absent: none ever do. */
  readonly live?: Pick<DeadLetters, 'count'>;
  readonly now: Clock;
  /** Letters, by id, that this instance has judged and found nothing in: again only when somebody's erasure is to be proven. */
  readonly judged: Set<string>;
}

/** How long one run takes letters: with what it still has to do then it ends within the function's time. */
const RUN_MS = 2 * MINUTE;
/** How long a letter that is taken stays hidden: longer than the function runs, and over when the next run comes after a crash. */
const HIDDEN_MS = 8 * MINUTE;
/** How long a sweep of more letters than one run can take may go on; no longer do they stay hidden. */
const SWEEP_MS = 2 * HOUR;
/** How far apart runs are (`infra/sweep.ts`). */
const TICK_MS = 10 * MINUTE;
/** How often dead letters are looked at when nobody's erasure is to be proven: a message may become one days after. */
const OFTEN_MS = HOUR;
/** So many of a queue SQS gives into hands (120,000), and then none, as if there were no more. */
const MOST_HELD = 100_000;
/** How many letters an instance remembers. */
const MOST_JUDGED = 100_000;

/** What a run did; nothing, if it was not its turn. */
export interface Run {
  readonly looked: number;
  readonly changed: number;
  /** Whether every queue has been looked through to its end since the sweep began. */
  readonly whole: boolean;
}

/**
 * Takes whoever was erased out of dead letters, by the laws that what comes late would meet if it were sent back. Every letter
 * that was there when a sweep began is looked at once; a sweep that one run cannot end is gone on with by the next. A letter
 * that changes is sent anew, to the same queue, before the old one is removed: a crash in between leaves both, which means
 * nothing to who reads them and is seen by the next sweep.
 *
 * An erasure that has settled is proven only after a whole sweep, so it begins at once. Without
 * one a look every hour is enough: it costs one request a queue where there are no dead letters.
 *
 * @throws Error if a queue could not be looked through, or a sweep does not come to its end
 */
export async function sweep(deps: SweepDeps): Promise<Run | undefined> {
  const store = sweptStore(deps.table);
  const now = deps.now(); // one instant: whoever is to be proven from then on is looked for by this sweep, or not by it at all
  const state = await store.get();
  if (state.until !== undefined && Date.parse(state.until) > now) return undefined; // somebody is at it, or crashed just now
  const waiting = await provableAt(now, deps);
  const sweeping = begun(state, waiting, now);
  const leased = sweeping && (await lease(sweeping, store, now));
  if (!leased) return undefined;
  const look = openLook(leased, waiting, deps, store);
  const left = deps.queues.filter(({ name }) => !leased.done.includes(name));
  const results = await Promise.all(left.map((queue) => attempt(queue, look)));
  const done = [...leased.done, ...left.flatMap(({ name }, i) => (results[i] === 'whole' ? [name] : []))];
  const whole = deps.queues.every(({ name }) => done.includes(name));
  if (whole) await tellAll(waiting, leased, store);
  await store.put(ended(leased, { done, held: Object.fromEntries(look.held), whole }));
  if (results.includes('failed')) throw new Error('some dead letters could not be looked through');
  const isOverdue = waiting.some(({ since }) => since + SWEEP_MS <= now); // at every call: one error in two hours is no alarm
  if (!whole && (isOverdue || isLate(state, now)))
    throw new Error('a sweep of dead letters does not come to its end');
  return { looked: look.looked, changed: look.changed, whole };
}

/** Each erasure that had settled when the sweep began. */
async function tellAll(waiting: readonly Since[], { begunAt = '' }: SweepState, store: SweptStore) {
  for (const { request, since } of waiting) if (since <= Date.parse(begunAt)) await store.tell(request);
}

const isLate = ({ begunAt }: SweepState, now: number): boolean =>
  begunAt !== undefined && Date.parse(begunAt) + SWEEP_MS <= now;

/** The sweep that is gone on with, or a new one if it is time for one. */
function begun(state: SweepState, waiting: readonly Since[], now: number): SweepState | undefined {
  if (state.begunAt !== undefined && !isLate(state, now)) return state;
  const last = state.wholeAt === undefined ? Number.NEGATIVE_INFINITY : Date.parse(state.wholeAt);
  if (waiting.length === 0 && last + OFTEN_MS > now && state.begunAt === undefined) return undefined;
  return { ...state, begunAt: toIso(now), done: [], held: {} };
}

/** Nobody else sweeps until the run is over or has crashed for certain. Undefined: somebody else was first. */
async function lease(state: SweepState, store: SweptStore, now: number): Promise<SweepState | undefined> {
  try {
    return await store.put({ ...state, until: toIso(now + HIDDEN_MS) });
  } catch (error) {
    if (error instanceof ConflictError) return undefined;
    throw error;
  }
}

function ended(
  { v, wholeAt, begunAt }: SweepState,
  { done, held, whole }: Pick<SweepState, 'done' | 'held'> & { whole: boolean },
): SweepState {
  if (!whole) return { v, done, held, ...(wholeAt && { wholeAt }), ...(begunAt && { begunAt }) };
  return { v, done: [], held: {}, ...(begunAt && { wholeAt: begunAt }) };
}

/** An erasure that has settled, and since when. */
interface Since extends Waiting {
  readonly since: number;
}

/**
 * Those that may be proven. While events wait to be read, what is among them in a vendor's own form may come to quarantine
 * after the last look there: nobody's erasure is proven then, but for two hours at most, for a busy brand's queue is never empty.
 */
async function provableAt(now: number, deps: SweepDeps): Promise<Since[]> {
  const all = await waitingAt(now, deps);
  const backlog = all.length > 0 && deps.live ? (await deps.live.count()).waiting : 0;
  return backlog === 0 ? all : all.filter(({ since }) => since + SWEEP_MS <= now);
}

async function waitingAt(now: number, { table, protector }: SweepDeps): Promise<Since[]> {
  const waiting: Since[] = [];
  for await (const it of requestStore(table).recent(now)) {
    const { id, status, settledAt = '', progress, asked, deadLetters } = it;
    const since = Date.parse(settledAt) + SETTLING_MS;
    if (status !== 'settling' || deadLetters || !(since <= now)) continue;
    const { at = asked.at, cluster = '', of = [] } = progress ?? {};
    const named = naming(of.map((it) => protector.reveal(it)));
    waiting.push({ request: id, at, cluster, names: new Set(of.map(nameOf)), named, since });
  }
  return waiting;
}

/** What one run has at hand, and how far it is. */
interface Look {
  readonly deps: SweepDeps;
  readonly judging: JudgeDeps;
  readonly store: SweptStore;
  readonly state: SweepState;
  /** When it takes no more. */
  readonly until: number;
  readonly held: Map<string, number>;
  looked: number;
  changed: number;
}

/** Places and clusters are read anew in each run: what an instance remembers may be older than an erasure. */
function openLook(state: SweepState, waiting: readonly Waiting[], deps: SweepDeps, store: SweptStore): Look {
  const { table, protector } = deps;
  const judging = {
    ...{ table, protector, waiting, directory: directory(table, protector) },
    ...{ profiles: profileStore(table), tenures: new Map() },
  };
  const until = deps.now() + RUN_MS;
  return { deps, judging, store, state, until, held: new Map(), looked: 0, changed: 0 };
}

async function attempt(queue: Swept, look: Look): Promise<'whole' | 'cut' | 'failed'> {
  try {
    return (await lookThrough(queue, look)) ? 'whole' : 'cut';
  } catch (error) {
    logError('dead letters', error, { queue: queue.name });
    look.held.set(queue.name, look.state.held[queue.name] ?? 0);
    return 'failed';
  }
}

/**
 * Looks at every letter of a queue once: those that stay as they are are held until its end is reached, so that none comes
 * twice. @returns false if there are more than this run can take, or somebody else has some in hands, so that they cannot be seen
 */
async function lookThrough(queue: Swept, look: Look): Promise<boolean> {
  const { deps, state, judging } = look;
  const { name, letters } = queue;
  const ours = state.held[name] ?? 0;
  const { waiting, taken } = await letters.count();
  if (taken > ours) {
    look.held.set(name, ours);
    return false;
  }
  if (waiting + taken === 0 && judging.waiting.length === 0) return true;
  const held: Handle[] = []; // and no bodies: of so many there is no room
  try {
    if (await takeAll(queue, held, look)) return true;
    look.held.set(name, ours + held.length);
    const end = Date.parse(state.begunAt ?? '') + SWEEP_MS;
    const runs = 1 + Math.ceil(Math.max(0, waiting - held.length) / Math.max(1, held.length));
    await letters.release(held.splice(0), Math.max(0, Math.min(end - deps.now(), 2 * runs * TICK_MS)));
    return false;
  } finally {
    await letters.release(held);
  }
}

/** Takes letters and holds those that stay as they are. @returns whether there are no more; otherwise time is up */
async function takeAll({ name, holds, letters }: Swept, held: Handle[], look: Look): Promise<boolean> {
  const ours = look.state.held[name] ?? 0;
  while (look.deps.now() < look.until) {
    if (ours + held.length >= MOST_HELD) throw new Error('there are more dead letters than SQS hands out');
    const some = await letters.take(HIDDEN_MS);
    if (some.length === 0) return true;
    const seen = await Promise.allSettled(some.map((it) => seeTo(it, holds, letters, look)));
    const stay = some.filter((_, i) => seen[i]?.status === 'rejected' || seen[i]?.value === true);
    held.push(...stay.map(({ handle }) => ({ handle })));
    const failed = seen.find((it) => it.status === 'rejected');
    if (failed) throw failed.reason;
  }
  return false;
}

/** @returns whether the letter stays as it is */
async function seeTo(
  letter: DeadLetter,
  holds: Personal,
  letters: DeadLetters,
  look: Look,
): Promise<boolean> {
  const { deps, judging, store } = look;
  look.looked++;
  const isLasting = holds === 'events' || holds === 'hints'; // until somebody is erased; a row may go at any time
  if (isLasting && judging.waiting.length === 0 && deps.judged.has(letter.id)) return true;
  const judged = await judges[holds](letter.body, judging);
  if (!judged) {
    if (deps.judged.size >= MOST_JUDGED) deps.judged.clear();
    deps.judged.add(letter.id);
    return true;
  }
  for (const [request, events] of perRequest(judged.taken))
    await store.note(request, letter.id, events, deps.now());
  if (judged.body !== undefined) await letters.send([judged.body]);
  await letters.remove([letter]);
  look.changed++;
  return false;
}

const perRequest = (taken: readonly Taken[]): Map<string, string[]> =>
  new Map(
    [...Map.groupBy(taken, ({ request }) => request)].map(([request, all]) => [
      request,
      all.flatMap(({ event }) => event ?? []),
    ]),
  );
