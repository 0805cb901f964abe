// The whole way of an event in one process, over a metered table: capture, profile, attribution, tags. No network.
import { randomBytes } from 'node:crypto';
import { onConversions } from '../lib/attribution/consume.ts';
import { conversionStore } from '../lib/attribution/store.ts';
import { capture } from '../lib/capture/capture.ts';
import type { SentRequest } from '../lib/channels/sign.ts';
import { directory } from '../lib/identity/directory.ts';
import { protector } from '../lib/identity/protect.ts';
import type { Brand } from '../lib/platform/brand.ts';
import { keyring } from '../lib/platform/keyring.ts';
import { sealedTable } from '../lib/platform/sealed.ts';
import type { Item, Table } from '../lib/platform/table.ts';
import { readHistory } from '../lib/profile/history.ts';
import { onEvents } from '../lib/profile/on-events.ts';
import { refreshDue } from '../lib/profile/refresh.ts';
import { profileStore } from '../lib/profile/store.ts';
import { openCalendar } from '../lib/tags/calendar.ts';
import { compileRules } from '../lib/tags/rulebook.ts';
import { memoryQueue, memoryTable } from '../test/platform/memory.ts';
import { type Call, metered } from './metered.ts';
import { received } from './requests.ts';

/** What one batch of messages, one tick or one batch of conversions asked of the table. */
export interface Counted {
  readonly calls: readonly Call[];
}

export interface PipelineOptions {
  readonly brand: Brand;
  /** Read as it is by whoever brings it; without it rows are sealed, as functions seal them. */
  readonly store?: Table;
  readonly onPut?: (item: Item) => void;
  /** Without the meter, where only time counts. @default true */
  readonly counts?: boolean;
}

export function openPipeline({ brand, store, onPut = () => {}, counts = true }: PipelineOptions) {
  let now = 0;
  const clock = () => now;
  const rows = store ?? memoryTable();
  const meter = metered(rows);
  const metering = counts ? meter : rows;
  const opened = store ? metering : sealedTable(metering, keyring(memoryTable(), randomBytes), randomBytes);
  const table: Table = {
    ...opened,
    async put(item, guard) {
      await opened.put(item, guard);
      onPut(item);
    },
  };
  const secrets = {
    get: async (name: string) => brand.local?.secrets[name.slice(`siyu/${brand.name}/`.length)],
  };
  const keeper = protector('a key of thirty-two letters or more, for a bench');
  const calendar = openCalendar(brand.timezone);
  const rules = {
    brand,
    book: compileRules(
      brand.rules.map((rule) => ({ ...rule, version: 1 })),
      brand,
    ),
  };
  const profiles = profileStore(table);
  const conversions = memoryQueue();
  const deps = {
    table,
    profiles,
    conversions,
    now: clock,
    done: new Map<string, number>(),
    directory: directory(table, keeper),
    protector: keeper,
    rules: async () => rules,
  };
  let announced = 0;
  const messages = (bodies: readonly string[]) => bodies.map((body, i) => ({ id: String(i), body }));

  async function counted(work: () => Promise<unknown>): Promise<Counted> {
    meter.reset();
    await work();
    return { calls: meter.calls };
  }

  return {
    /** The clock goes on to an instant; it never goes back. */
    at(instant: number): void {
      now = Math.max(now, instant);
    },
    /** Requests → the bodies of the messages that they become. @throws if one was refused */
    async capture(requests: readonly SentRequest[]): Promise<readonly string[]> {
      const queue = memoryQueue();
      const nonces = { take: () => true, release: () => {} };
      for (const request of requests) {
        const tell = () => {};
        const reply = await capture(received(request), { brand, secrets, queue, now: clock, nonces, tell });
        if (reply.status !== 200) throw new Error(`capture answered ${reply.status}: ${reply.body}`);
      }
      return queue.bodies;
    },
    /** One batch of messages of the events queue. @throws if one has to come again */
    events: (bodies: readonly string[]): Promise<Counted> =>
      counted(async () => {
        const failed = await onEvents(messages(bodies), deps);
        if (failed.length > 0) throw new Error(`${failed.length} of ${bodies.length} messages failed`);
      }),
    /** Whatever was announced since the last time, as one batch of the conversions queue. */
    conversions: (): Promise<Counted> =>
      counted(async () => {
        const bodies = conversions.bodies.slice(announced);
        announced = conversions.bodies.length;
        const failed = await onConversions(messages(bodies), {
          store: conversionStore(table, clock),
          history: (cluster: string, since?: number) => readHistory(profiles, cluster, since, brand.consent),
          brand,
          calendar,
        });
        if (failed.length > 0) throw new Error(`${failed.length} conversions failed`);
      }),
    /** What the schedule does every minute. */
    tick: (): Promise<Counted> => counted(() => refreshDue(async () => rules, deps)),
  };
}
export type Pipeline = ReturnType<typeof openPipeline>;
