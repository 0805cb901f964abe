import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Event, instant } from '../events/event.ts';
import { eventId } from '../events/id.ts';
import { DAY } from '../platform/clock.ts';
import { DECIDED } from './decisions.ts';

/** Somebody beside whom a weak identifier was seen, and when first. */
export const owner = z.object({
  /** Who: digests of the kind and scope (2 characters) and of the whole (6): enough to count, too little to know. */
  by: z.string(),
  at: instant,
});
export type Owner = z.infer<typeof owner>;

/** How many owners are remembered, those who came first. Whatever had so many is shared. */
export const MOST_OWNERS = 16;

/** More than so many members in 24 hours share a device. */
const MOST_IN_A_DAY = 3;

const digest = (text: string, length: number): string =>
  createHash('sha256').update(text).digest('base64url').slice(0, length);

/** @param name an identifier's (`nameOf`) */
export const markOf = (name: string): string =>
  digest(name.split('\n').slice(0, 2).join('\n'), 2) + digest(name, 6);

/** The owners who came first, each at the first time: a minimum, so it knows neither order nor repetition. */
export function firstOwners(...lists: readonly (readonly Owner[])[]): Owner[] {
  const first = new Map<string, string>();
  for (const { by, at } of lists.flat()) {
    const known = first.get(by);
    if (known === undefined || at < known) first.set(by, at);
  }
  return [...first]
    .map(([by, at]) => ({ by, at }))
    .sort((x, y) => (x.at + x.by < y.at + y.by ? -1 : 1))
    .slice(0, MOST_OWNERS);
}

/**
 * Whether a weak identifier is shared: a till, a family's tablet, a shop's browser. It is if more than three owners who
 * cannot be one person (their identifiers are of one kind and scope) were first seen on it within 24 hours, or if it had
 * sixteen owners at all. Then it tells nothing of who used it alone.
 */
export function isShared(owners: readonly Owner[] = []): boolean {
  if (owners.length >= MOST_OWNERS) return true;
  const slots = Map.groupBy(owners, ({ by }) => by.slice(0, 2));
  return [...slots.values()].some((list) => {
    const times = list.map(({ at }) => Date.parse(at)).sort((x, y) => x - y);
    return times.some((at, i) => (times[i + MOST_IN_A_DAY] ?? Number.POSITIVE_INFINITY) - at <= DAY);
  });
}

const SHOWN = 'identity_shown';

/** Tells the cluster that holds a weak identifier of another owner, whose own events are elsewhere. Nobody did it. */
export const isShowing = ({ type, source }: Pick<Event, 'type' | 'source'>): boolean =>
  type === SHOWN && source.channel === DECIDED.source.channel;

/** What an event tells the cluster that holds one of its weak identifiers. */
export const showingOf = (event: Event, weak: Event['identifiers'][number], name: string): Event => ({
  id: eventId(DECIDED.source, [event.id, weak.kind, weak.scope, weak.value]),
  type: SHOWN,
  occurredAt: event.occurredAt,
  receivedAt: event.receivedAt,
  source: DECIDED.source,
  identifiers: [weak],
  properties: { by: markOf(name) },
  context: { timeSource: 'sender', verified: 'signed' },
});

/** The owner that a showing tells of. */
export const shownBy = ({ occurredAt, properties }: Pick<Event, 'occurredAt' | 'properties'>): Owner => ({
  by: String(properties.by),
  at: occurredAt,
});
