// The time of a running stack: ticks while it passes by itself, walks through what falls due when it is told to.
import { type Clock, toIso } from '../../lib/platform/clock.ts';
import { DUE_INDEX, openTable } from '../../lib/platform/dynamo.ts';
import { partitions } from '../../lib/platform/keys.ts';
import type { Table } from '../../lib/platform/table.ts';
import type { Due, VirtualClock, Walked } from './clock.ts';
import { walk } from './clock.ts';
import type { DynamoEngine } from './dynamodb.ts';
import { EXPIRY_DELAY_MS, expire } from './expiry.ts';
import { keepTime } from './kept-clock.ts';
import type { TablePlan } from './plan.ts';
import type { Source } from './sources.ts';
import type { Ticker } from './ticker.ts';

export interface TimelinePlace {
  readonly clock: VirtualClock;
  readonly ticker: Ticker;
  readonly sources: readonly Source[];
  readonly tables: readonly TablePlan[];
  readonly engine: Pick<DynamoEngine, 'client'>;
  /** Resolves when nothing is ready or in flight but messages that wait for their next attempt. */
  readonly quiet: () => Promise<void>;
  /** The folder that keeps the clock between runs. */
  readonly data?: string;
}

export interface Timeline {
  readonly now: Clock;
  /** Walks forward through what falls due; one walk at a time. @throws RangeError if `to` lies behind the clock */
  walkTo(to: number): Promise<Walked>;
  stop(): Promise<void>;
}

/** Sets the schedules ticking. */
export function openTimeline(place: TimelinePlace): Timeline {
  const { clock, ticker, sources, tables, engine, quiet, data } = place;
  const open = ({ name }: TablePlan) => openTable(name, engine.client);
  const indexed = tables.find(({ indexes }) => indexes.some(({ name }) => name === DUE_INDEX));

  const keep = () => {
    if (data !== undefined) keepTime(data, clock.now());
  };
  async function expireAll(from: number, now: number): Promise<void> {
    if (now - from <= EXPIRY_DELAY_MS) return;
    for (const table of tables)
      if (table.expires !== undefined) await expire(open(table), table.expires, now);
  }
  async function walkAlone(to: number): Promise<Walked> {
    ticker.pause();
    const from = clock.now();
    try {
      return await walk(
        {
          clock,
          schedules: ticker.schedules,
          fire: ticker.fire,
          quiet,
          due: async (until, passed) => indexed && firstDue(open(indexed), until, passed),
          nextRetry: () => earliest(sources.map((source) => source.nextRetry())),
          retry: async (now) => {
            await Promise.all(sources.map((source) => source.retry(now)));
          },
          expire: (now) => expireAll(from, now),
        },
        to,
      );
    } finally {
      ticker.resume();
      keep();
    }
  }

  let walking: Promise<unknown> = Promise.resolve();
  ticker.resume();
  return {
    now: clock.now,
    walkTo(to) {
      const next = walking.then(() => walkAlone(to));
      walking = next.catch(() => {});
      return next;
    },
    async stop() {
      ticker.pause();
      keep();
    },
  };
}

/** The soonest entry of the due index, over all its partitions, but for those that are passed over. */
async function firstDue(table: Table, until: number, passed: ReadonlySet<string>): Promise<Due | undefined> {
  const found = await Promise.all(
    partitions.due().map((shard) => table.due(shard, toIso(until), passed.size + 1)),
  );
  return found
    .flat()
    .map(({ key, due }) => ({ at: Date.parse(due), id: `${key.pk} ${due}` }))
    .filter(({ id }) => !passed.has(id))
    .sort((a, b) => a.at - b.at)[0];
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((at) => at !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
