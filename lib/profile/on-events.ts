import { z } from 'zod';
import type { Arrival } from '../arrivals/counts.ts';
import { isFirst } from '../arrivals/nonce-store.ts';
import { arrivalStore } from '../arrivals/store.ts';
import { type Event, type EventsMessage, eventsMessage } from '../events/event.ts';
import { isStatement } from '../identity/graph.ts';
import type { Group } from '../identity/groups.ts';
import type { Protector } from '../identity/protect.ts';
import { DAY } from '../platform/clock.ts';
import { ConflictError } from '../platform/errors.ts';
import { keys } from '../platform/keys.ts';
import { logError } from '../platform/log.ts';
import type { Message } from '../platform/sqs.ts';
import type { Table } from '../platform/table.ts';
import { noteRequests } from '../privacy/said.ts';
import { putFaults, replayed, unreadable } from '../quarantine/store.ts';
import type { Rules } from './person.ts';
import { keepingAt } from './retention.ts';
import { groupsOf, type SettleDeps, settle } from './settle.ts';

export interface OnEventsDeps extends SettleDeps {
  readonly protector: Protector;
  /** The rules in force. */
  readonly rules: () => Promise<Rules>;
}

/** How many profiles are worked on at once. */
const CONCURRENCY = 8;

/**
 * Folds a batch of messages into the profiles they speak of: one read and one write a person. Answers the ids of the
 * messages that must come again; a message is done only when all that follows from each of its events is written.
 *
 * What arrived is counted at the end, an event for the first message that brought it and a message when it is done.
 * Nothing waits for these counts: where they cannot be written they are too low.
 */
export async function onEvents(messages: readonly Message[], deps: OnEventsDeps): Promise<string[]> {
  const rules = await deps.rules();
  const failed = new Set<string>();
  const carriers = new Map<string, string[]>(); // event → the messages that brought it
  const events = new Map<string, Event>();
  const arrivals = new Map<string, Arrival>(); // by message
  const { isKept } = keepingAt(deps.now(), rules);
  const attempt = async (ids: readonly string[], work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      logError('a batch of events', error, { messages: ids.length });
      for (const id of ids) failed.add(id);
    }
  };

  for (const message of messages) {
    await attempt([message.id], async () => {
      const content = await contentOf(message.body, deps);
      await putFaults(deps.table, content.faults, rules.brand);
      const first: Event[] = [];
      const expired: Event[] = [];
      arrivals.set(message.id, { ...content, events: first, expired });
      for (const event of content.events) {
        carriers.set(event.id, [...(carriers.get(event.id) ?? []), message.id]);
        if (events.has(event.id)) continue;
        const it = await settled(event, deps);
        if (!isStatement(it) && !isKept(it)) {
          expired.push(it);
          continue;
        }
        events.set(event.id, it);
        if (!isStatement(it)) first.push(event);
      }
    });
  }

  let groups: readonly Group[] = [];
  await attempt([...carriers.values()].flat(), async () => {
    const sorted = await groupsOf([...events.values()], rules, deps);
    for (const { of, showing } of sorted.shown) carriers.set(showing.id, carriers.get(of) ?? []);
    groups = sorted.groups;
  });
  const work = groups.values();
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (const group of work) {
        await attempt(
          group.events.flatMap((event) => carriers.get(event.id) ?? []),
          () => settle(group, rules, deps),
        );
      }
    }),
  );
  await attempt([...carriers.values()].flat(), () => noteRequests(events.values(), rules.brand, deps));
  await attempt([], () => {
    const done = [...arrivals].filter(([id]) => !failed.has(id)).map(([, arrival]) => arrival);
    return arrivalStore(deps.table, rules.book.calendar).add(done);
  });
  return [...failed];
}

/**
 * What a message says. If it is none of ours it is a fault as a whole; if its query had come with another body before,
 * somebody else may have written this one, and what it says of events is for a person to look at.
 */
async function contentOf(body: string, { table, now }: OnEventsDeps): Promise<EventsMessage> {
  const content = parse(body);
  if (!content) return { events: [], faults: [unreadable(body, now())] };
  const { nonce, events, faults } = content;
  if (!nonce || (await isFirst(nonce, table, now()))) return content;
  return {
    ...content,
    events: [],
    faults: [...faults, ...events.map((event) => replayed(event, nonce.body))],
  };
}

const parse = (body: string): EventsMessage | undefined => {
  try {
    return eventsMessage.parse(JSON.parse(body));
  } catch {
    return undefined;
  }
};

/** An event as it is stored: personal identifiers encrypted, and a time that a repetition cannot move. */
async function settled(event: Event, { protector, table, now }: OnEventsDeps): Promise<Event> {
  const identifiers = event.identifiers.map((id) => protector.protect(id));
  if (event.context.timeSource === 'sender') return { ...event, identifiers };
  return { ...event, identifiers, occurredAt: await firstSeenAt(event, table, now()) };
}

/** Longer than any sender tries again, and than anything stays in a dead-letter queue. */
const FIRST_SEEN_DAYS = 90;

const firstSeen = z.object({ at: z.string() });

/**
 * When an event whose sender gave no time was first seen: a sender that tries again gives another time of receipt,
 * and the event must stay where it is.
 */
async function firstSeenAt(event: Event, table: Table, now: number): Promise<string> {
  try {
    const ttl = Math.floor((now + FIRST_SEEN_DAYS * DAY) / 1000);
    await table.put({ ...keys.firstSeen(event.id), at: event.occurredAt, ttl }, { kind: 'absent' });
    return event.occurredAt;
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    return firstSeen.parse(await table.get(keys.firstSeen(event.id))).at;
  }
}
