import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Event, type Fault, fault, source } from '../events/event.ts';
import { eventId } from '../events/id.ts';
import type { Brand } from '../platform/brand.ts';
import { DAY, toIso } from '../platform/clock.ts';
import { ConflictError, RejectedError } from '../platform/errors.ts';
import { keys } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';
import { dayNumber, isoDay, openCalendar } from '../tags/calendar.ts';

/** The source of what came out of our own queue and could not be read. */
const QUEUE = { channel: 'queue', account: 'events' } as const;

/** How many rows one page may have: each may hold a body. */
const MOST = 100;

const row = z.object({
  sk: z.string(),
  day: z.string(),
  reason: z.string(),
  message: z.string(),
  receivedAt: z.string(),
  source,
  /** JSON: what a vendor sent may hold numbers that the table would not keep as they are. */
  body: z.string(),
  replayedAt: z.string().optional(),
});

/** A fault in quarantine, with what happened to it since. */
export interface Kept {
  /** `YYYY-MM-DD~<fault>`: what the API calls it. */
  readonly id: string;
  readonly fault: Fault;
  readonly replayedAt?: string;
}

const keptOf = (item: unknown): Kept => {
  const { sk: id, day, body, replayedAt, ...rest } = row.parse(item);
  return { id: `${day}~${id}`, fault: fault.parse({ ...rest, id, body: JSON.parse(body) }), replayedAt };
};

/** A message of our own queue that is none: kept whole, so that a later version may read it. */
export function unreadable(body: string, now: number): Fault {
  return {
    id: createHash('sha256').update(body).digest('base64url').slice(0, 16),
    reason: 'unreadable',
    message: 'a message of the queue is not what this version reads; replay it with the version that does',
    receivedAt: toIso(now),
    source: QUEUE,
    body: { queued: body },
  };
}

/**
 * An event whose signature was used before, with another body: it does not say who wrote this one. A person who knows
 * better replays it.
 *
 * @param body the digest of the body that it came in: two bodies may give their events the same id
 */
export function replayed(event: Event, body: string): Fault {
  return {
    id: eventId(event.source, ['nonce_replayed', body, event.id]),
    reason: 'nonce_replayed',
    message: 'the query of this request had come with another body before; replay it if it was the sender',
    receivedAt: event.receivedAt,
    source: event.source,
    body: { queued: JSON.stringify({ events: [event], faults: [] }) },
  };
}

const rowOf = (it: Fault, { timezone, retention }: Pick<Brand, 'timezone' | 'retention'>) => {
  const at = Date.parse(it.receivedAt);
  const day = isoDay(openCalendar(timezone).brandDay(at));
  const { id, body, source: from, ...rest } = it;
  return {
    ...keys.quarantine(day, id),
    ...rest,
    day,
    source: { ...from },
    body: JSON.stringify(body),
    ttl: Math.floor((at + retention.quarantineDays * DAY) / 1000),
  };
};

/** Puts faults into quarantine; putting one again changes nothing, nor what has become of it. */
export async function putFaults(
  table: Table,
  faults: readonly Fault[],
  brand: Pick<Brand, 'timezone' | 'retention'>,
): Promise<void> {
  for (const it of faults) {
    try {
      await table.put(rowOf(it, brand), { kind: 'absent' });
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
  }
}

const idForm = /^(\d{4}-\d\d-\d\d)~([A-Za-z0-9_-]{16})$/;

/** What could not be taken, until it is replayed or its time is over. */
export function quarantineStore(table: Table, brand: Pick<Brand, 'timezone' | 'retention'>) {
  const place = (id: string) => {
    const [, day, name] = idForm.exec(id) ?? [];
    if (day === undefined || name === undefined)
      throw new RejectedError('bad_id', 'an id in quarantine looks like 2026-11-11~AbCdEfGh01234567', 404);
    return keys.quarantine(day, name);
  };
  return {
    /** @throws RejectedError 404 */
    async get(id: string): Promise<Kept> {
      const item = await table.get(place(id));
      if (!item)
        throw new RejectedError('not_found', 'no such fault in quarantine: its time may be over', 404);
      return keptOf(item);
    },

    /** Says that it was replayed: a fact beside the fault, which stays until its time is over. */
    async markReplayed(id: string, at: string): Promise<void> {
      const item = await table.get(place(id));
      if (item) await table.put({ ...item, replayedAt: at });
    },

    /**
     * A page of faults, the newest brand-day first, within a day by id; from `after` on, which is the last id of the
     * page before. Days older than the retention are not looked at.
     */
    async list(today: number, limit: number, after?: string): Promise<{ items: Kept[]; next?: string }> {
      const most = Math.min(Math.max(1, limit), MOST);
      const newest = openCalendar(brand.timezone).brandDay(today);
      const start = after === undefined ? undefined : idForm.exec(after);
      if (start === null) throw new RejectedError('bad_cursor', 'the cursor is not one that a page gave');
      const items: Kept[] = [];
      let position = start?.[2];
      const from = start?.[1] === undefined ? newest : Math.min(newest, dayNumber(start[1]));
      for (let day = from; day >= newest - brand.retention.quarantineDays; day--) {
        const { pk } = keys.quarantine(isoDay(day), '');
        for (let more = true; more; ) {
          const page = await table.page(pk, { limit: most - items.length, after: position });
          items.push(...page.items.map(keptOf));
          position = page.next;
          more = page.next !== undefined && items.length < most;
        }
        position = undefined;
        if (items.length >= most) return { items, next: items.at(-1)?.id };
      }
      return { items };
    },
  };
}
export type QuarantineStore = ReturnType<typeof quarantineStore>;
