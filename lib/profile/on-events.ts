import { z } from 'zod';
import { type Event, eventsMessage } from '../events/event.ts';
import { groupEvents } from '../identity/groups.ts';
import type { Protector } from '../identity/protect.ts';
import { DAY } from '../platform/clock.ts';
import { ConflictError } from '../platform/errors.ts';
import { keys } from '../platform/keys.ts';
import { logError } from '../platform/log.ts';
import type { Message } from '../platform/sqs.ts';
import type { Table } from '../platform/table.ts';
import { putFaults, unreadable } from '../quarantine/store.ts';
import type { Rules } from './person.ts';
import { placesOf, type SettleDeps, settle } from './settle.ts';

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
 */
export async function onEvents(messages: readonly Message[], deps: OnEventsDeps): Promise<string[]> {
  const rules = await deps.rules();
  const failed = new Set<string>();
  const carriers = new Map<string, string[]>(); // event → the messages that brought it
  const events = new Map<string, Event>();
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
      const content = parse(message.body);
      await putFaults(deps.table, content?.faults ?? [unreadable(message.body, deps.now())], rules.brand);
      for (const event of content?.events ?? []) {
        carriers.set(event.id, [...(carriers.get(event.id) ?? []), message.id]);
        if (!events.has(event.id)) events.set(event.id, await settled(event, deps));
      }
    });
  }

  let groups: ReturnType<typeof groupEvents> = [];
  await attempt([...carriers.values()].flat(), async () => {
    groups = groupEvents([...events.values()], await placesOf([...events.values()], deps.directory));
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
  return [...failed];
}

const parse = (body: string): z.infer<typeof eventsMessage> | undefined => {
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
