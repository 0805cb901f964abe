// Calls the functions of schedules, tick by tick, while the clock runs on by itself.
import { randomUUID } from 'node:crypto';
import { HOUR, toIso } from '../../lib/platform/clock.ts';
import type { VirtualClock } from './clock.ts';
import type { Functions } from './functions.ts';
import type { SchedulePlan } from './plan.ts';
import { type Ticks, ticksOf } from './schedule.ts';

export interface Schedule extends SchedulePlan {
  readonly ticks: Ticks;
}

export interface Ticker {
  readonly schedules: readonly Schedule[];
  /** Calls a schedule's function now and waits for it. @returns whether it succeeded */
  fire(schedule: Schedule): Promise<boolean>;
  /** Stands still while somebody else moves the clock. */
  pause(): void;
  resume(): void;
}

export interface TickerPlace {
  readonly functions: Pick<Functions, 'invoke'>;
  readonly clock: VirtualClock;
  readonly region: string;
  readonly account: string;
}

/** A schedule whose last call still runs skips a tick: whatever was due then still is at the next. */
export function openTicker(plans: readonly SchedulePlan[], place: TickerPlace): Ticker {
  const { functions, clock } = place;
  const schedules = plans.map((plan) => ({ ...plan, ticks: ticksOf(plan.expression, plan.timezone) }));
  const running = new Set<Schedule>();
  const timers = new Map<Schedule, NodeJS.Timeout>();

  async function fire(schedule: Schedule): Promise<boolean> {
    const result = await functions.invoke(schedule.functionArn, scheduledEvent(schedule, clock.now(), place));
    return result.ok;
  }

  function wait(schedule: Schedule, after: number): void {
    const next = schedule.ticks(after + 1);
    if (next === undefined) return;
    const look = () => {
      const left = next - clock.now();
      // Node's timers end at 24 days: what lies further off is waited for in pieces.
      if (left > 0) timers.set(schedule, setTimeout(look, Math.min(left, HOUR)).unref());
      else {
        wait(schedule, next);
        if (running.has(schedule)) return;
        running.add(schedule);
        void fire(schedule).finally(() => running.delete(schedule));
      }
    };
    look();
  }

  const pause = () => {
    for (const timer of timers.values()) clearTimeout(timer);
    timers.clear();
  };
  return {
    schedules,
    fire,
    pause,
    resume() {
      pause();
      for (const schedule of schedules) wait(schedule, clock.now());
    },
  };
}

/** What a function gets: the schedule's own input with its context attributes filled in, or the default event. */
function scheduledEvent(schedule: Schedule, at: number, { region, account }: TickerPlace): unknown {
  const id = randomUUID();
  if (schedule.input !== undefined)
    return JSON.parse(
      schedule.input
        .replaceAll('<aws.scheduler.scheduled-time>', toIso(at))
        .replaceAll('<aws.scheduler.schedule-arn>', schedule.arn)
        .replaceAll('<aws.scheduler.execution-id>', id)
        .replaceAll('<aws.scheduler.attempt-number>', '1'),
    );
  return {
    version: '0',
    id,
    'detail-type': 'Scheduled Event',
    source: 'aws.scheduler',
    account,
    time: toIso(at),
    region,
    resources: [schedule.arn],
    detail: '{}',
  };
}
