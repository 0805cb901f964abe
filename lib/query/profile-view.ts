import { z } from 'zod';
import { type Event, identifier, instant } from '../events/event.ts';
import type { Protector } from '../identity/protect.ts';
import { toIso } from '../platform/clock.ts';
import { STAGE } from '../profile/activity.ts';
import { type HeldTag, type Rules, traitsOf, viewOf } from '../profile/person.ts';
import { nextChange } from '../tags/changes.ts';
import { rfmOf } from '../tags/rfm.ts';
import type { Found } from './lookup.ts';
import { showIdentifier, type Viewer } from './mask.ts';

export const tagView = z.object({
  value: z.union([z.literal(true), z.string()]),
  /** The instant since which it has had this value: an event's time, or the end of a window. */
  since: instant,
  /** Version of the rule that gives it. */
  version: z.int(),
});

export const profileView = z.object({
  id: z.string(),
  identifiers: z.array(identifier),
  traits: z.record(z.string(), z.json()),
  tags: z.record(z.string(), tagView),
  stage: z.string().nullable(),
  rfm: z.object({ r: z.int(), f: z.int(), m: z.int() }).nullable(),
  /** From when on nothing of theirs is used, at their request; absent: it is used. */
  restrictedAt: instant.optional(),
  firstSeenAt: instant.nullable(),
  firstChannel: z.string().nullable(),
  lastSeenAt: instant.nullable(),
  lastChannel: z.string().nullable(),
  /** When a tag changes next if nothing happens; null: never. */
  nextChangeAt: instant.nullable(),
  /** Other profiles whose identity depends on this one's: strong identifiers met and conflicted. */
  conflictsWith: z.array(z.string()),
});
export type ProfileView = z.infer<typeof profileView>;

export const showTag = ({ value, since, version }: HeldTag) => ({ value, since: toIso(since), version });

/** A profile as somebody may see it, as of an instant. */
export function showProfile(
  { cluster, profile }: Found,
  rules: Rules,
  now: number,
  viewer: Viewer,
  protector: Pick<Protector, 'reveal'>,
): ProfileView {
  const { person } = profile;
  const view = viewOf(person);
  const at = Math.max(now, person.walkedTo);
  const stage = person.tags.get(STAGE)?.value;
  const isUsed = person.restricted === undefined;
  const next = isUsed && nextChange(rules.book, view, at, { limit: Number.POSITIVE_INFINITY });
  const ids = profile.names.flatMap((name) => cluster.graph.identifiers.get(name) ?? []);
  return {
    id: profile.id,
    identifiers: ids.map((id) => showIdentifier(id, viewer, protector)),
    traits: traitsOf(person),
    tags: Object.fromEntries([...person.tags].sort(byName).map(([tag, held]) => [tag, showTag(held)])),
    stage: typeof stage === 'string' ? stage : null,
    rfm: (isUsed && rfmOf(rules.book, view, at)) || null,
    ...(!isUsed && { restrictedAt: person.restricted }),
    firstSeenAt: person.first?.at ?? null,
    firstChannel: person.first?.channel ?? null,
    lastSeenAt: person.last?.at ?? null,
    lastChannel: person.last?.channel ?? null,
    nextChangeAt: next ? toIso(next.at) : null,
    conflictsWith: [...cluster.shown.keys()].filter((id) => id !== profile.id),
  };
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1);

export const eventView = z.object({
  id: z.string(),
  type: z.string(),
  occurredAt: instant,
  receivedAt: instant,
  source: z.object({ channel: z.string(), account: z.string() }),
  identifiers: z.array(identifier),
  properties: z.record(z.string(), z.json()),
  traits: z.record(z.string(), z.json()).optional(),
  context: z.record(z.string(), z.json()),
});

/** An event as somebody may see it. */
export const showEvent = (
  event: Event,
  viewer: Viewer,
  protector: Pick<Protector, 'reveal'>,
): z.infer<typeof eventView> => ({
  ...event,
  identifiers: event.identifiers.map((id) => showIdentifier(id, viewer, protector)),
});
