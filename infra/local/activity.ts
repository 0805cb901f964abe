// Whether anything is still under way in a run.
import { setTimeout as sleep } from 'node:timers/promises';
import type { QueuePlan } from './plan.ts';
import type { QueueCounts } from './sqs.ts';

export interface Activity {
  readonly idle: boolean;
  /** Messages that are ready, delayed or in hand, dead letters left out. */
  readonly messages: number;
  /** Of these, the ones that failed and wait for their next attempt. */
  readonly waiting: number;
  readonly invocations: number;
  readonly requests: number;
  readonly queues: Readonly<Record<string, QueueCounts>>;
  readonly deadLetters: Readonly<Record<string, number>>;
}

/** What can be asked at any moment. */
export interface Gauges {
  readonly queues: readonly QueuePlan[];
  counts(queue: string): QueueCounts;
  waiting(): number;
  invocations(): number;
  requests(): number;
}

/** Something is still under way. */
export class NotIdleError extends Error {
  readonly activity: Activity;

  constructor(activity: Activity, timeoutMs: number) {
    super(`not idle after ${timeoutMs} ms: ${JSON.stringify(activity)}`);
    this.name = 'NotIdleError';
    this.activity = activity;
  }
}

/**
 * What goes on at this moment, all of it read at once: a message leaves its queue only when all that follows from
 * it has been sent, so there is no instant at which work is nowhere.
 */
export function activityOf({ queues, counts, waiting, invocations, requests }: Gauges): Activity {
  const deadLetters = queues.filter(({ arn }) => queues.some(({ redrive }) => redrive?.to === arn));
  const alive = queues
    .filter((queue) => !deadLetters.includes(queue))
    .map(({ name }) => [name, counts(name)] as const);
  const messages = alive.reduce((sum, [, it]) => sum + it.ready + it.delayed + it.inFlight, 0);
  return {
    idle: messages + invocations() + requests() === 0,
    messages,
    waiting: waiting(),
    invocations: invocations(),
    requests: requests(),
    queues: Object.fromEntries(alive),
    deadLetters: Object.fromEntries(deadLetters.map(({ name }) => [name, counts(name).ready])),
  };
}

/** How often activity is looked at. */
const LOOK_MS = 10;

/** Resolves with the first activity that `reached` is content with. @throws NotIdleError after `timeoutMs` */
export async function until(
  activity: () => Activity,
  reached: (now: Activity) => boolean,
  timeoutMs: number,
): Promise<Activity> {
  for (const end = performance.now() + timeoutMs; ; await sleep(LOOK_MS)) {
    const now = activity();
    if (reached(now)) return now;
    if (performance.now() > end) throw new NotIdleError(now, timeoutMs);
  }
}
