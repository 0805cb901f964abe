import { z } from 'zod';
import { type ConversionRow, profileOf } from '../attribution/row.ts';
import { conversionAnswer, conversionView } from '../attribution/view.ts';
import { byTime, type Event, instant } from '../events/event.ts';
import { homeOf, nameOf } from '../identity/graph.ts';
import { toIso } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { viewOf } from '../profile/person.ts';
import type { FoldedEvent } from '../tags/cells.ts';
import { evidence, explainTag } from '../tags/explain.ts';
import { cursor, cursorOf, limitOf, placeOf } from './cursor.ts';
import { type Found, lookUp } from './lookup.ts';
import { newestEvents } from './newest.ts';
import { eventView, profileView, showEvent, showProfile } from './profile-view.ts';
import { type Answered, answered, type QueryDeps, type Question } from './route.ts';
import { moment, spanOf } from './span.ts';

const PROFILE = '/profiles/{kind}/{value}';
const scoped = z.strictObject({ scope: z.string().optional() });

async function find({ params, query }: Question<{ scope?: string | undefined }>, deps: QueryDeps) {
  const rules = await deps.rules();
  const { kind = '', value = '' } = params;
  return { rules, ...(await lookUp({ kind, value, scope: query.scope }, rules, deps)) };
}

/** All events of one profile, in time order. */
async function eventsOf({ cluster, profile }: Found, { profiles }: QueryDeps): Promise<Event[]> {
  const { events } = await profiles.journal(cluster);
  const names = new Set(profile.names);
  return [...events, ...cluster.tail].filter((event) => names.has(nameOf(homeOf(event)))).sort(byTime);
}

const folded = (event: Event): FoldedEvent => ({
  id: event.id,
  type: event.type,
  at: Date.parse(event.occurredAt),
  properties: event.properties,
  channel: event.source.channel,
});

const eventsQuery = z.strictObject({
  scope: z.string().optional(),
  /** From this brand-day or instant on. */
  from: moment.optional(),
  /** To this brand-day, which is in, or before this instant. */
  to: moment.optional(),
  limit: limitOf(500, 50),
  cursor,
});
const eventPlace = z.tuple([instant, z.string()]);

const conversionsQuery = z.strictObject({
  scope: z.string().optional(),
  limit: limitOf(100, 20),
  cursor,
});
/** The instant of the last conversion of a page, and its id. */
const conversionPlace = z.tuple([instant, z.string()]);

const isOlder = (row: ConversionRow, [at, id]: z.infer<typeof conversionPlace>): boolean =>
  row.conversion.at < at || (row.conversion.at === at && row.id < id);

const explainAnswer = z.object({
  tag: z.string(),
  version: z.int(),
  /** The rule as its author wrote it. */
  rule: z.string(),
  value: z.union([z.boolean(), z.string()]),
  matched: z.string().optional(),
  leaves: z.array(
    z.object({
      text: z.string(),
      feature: z.string(),
      window: z.object({ from: instant, to: instant }).optional(),
      value: z.json(),
    }),
  ),
  nextChangeAt: instant.optional(),
  at: instant,
  since: instant.nullable(),
  /** The events that the leaves count, oldest first. */
  events: z.array(eventView.pick({ id: true, type: true, occurredAt: true, source: true, properties: true })),
});

export const profileRoutes: readonly Answered[] = [
  answered(
    {
      method: 'GET',
      path: PROFILE,
      summary: 'A profile: identifiers masked by role, traits, tags, stage, RFM',
      query: scoped,
      answer: profileView,
    },
    async (question, deps) => {
      const { rules, ...found } = await find(question, deps);
      return showProfile(found, rules, deps.now(), question.caller.role, deps.protector);
    },
  ),
  answered(
    {
      method: 'GET',
      path: `${PROFILE}/events`,
      summary: 'The journal of a profile, newest first',
      query: eventsQuery,
      answer: z.object({ events: z.array(eventView), next: z.string().optional() }),
    },
    async (question, deps) => {
      const { from, to, limit, cursor: given } = question.query;
      const { rules, ...found } = await find(question, deps);
      const span = spanOf({ from, to }, rules.book.calendar);
      const [occurredAt, id] = placeOf(given, eventPlace) ?? [];
      const after = occurredAt !== undefined && id !== undefined ? { occurredAt, id } : undefined;
      const events = await newestEvents(found, { ...span, after, count: limit + 1 }, deps.profiles);
      const page = events.slice(0, limit);
      const last = page.at(-1);
      return {
        events: page.map((event) => showEvent(event, question.caller.role, deps.protector)),
        ...(events.length > limit && last && { next: cursorOf([last.occurredAt, last.id]) }),
      };
    },
  ),
  answered(
    {
      method: 'GET',
      path: `${PROFILE}/conversions`,
      summary: 'The conversions of a profile with their paths and credits, newest first',
      query: conversionsQuery,
      answer: z.object({ conversions: z.array(conversionAnswer), next: z.string().optional() }),
    },
    async (question, deps) => {
      const { limit, cursor: given } = question.query;
      const { cluster, profile } = await find(question, deps);
      const after = placeOf(given, conversionPlace);
      const mine: ConversionRow[] = [];
      for await (const row of deps.conversions.list(cluster.id))
        if (profileOf(row.id) === profile.id && (!after || isOlder(row, after))) mine.push(row);
      const page = mine.sort((a, b) => (isOlder(a, [b.conversion.at, b.id]) ? 1 : -1)).slice(0, limit);
      const last = page.at(-1);
      return {
        conversions: page.map(conversionView),
        ...(mine.length > limit && last && { next: cursorOf([last.conversion.at, last.id]) }),
      };
    },
  ),
  answered(
    {
      method: 'GET',
      path: `${PROFILE}/tags/{tag}/explain`,
      summary:
        'Why a profile has a tag or not: rule, version, each leaf, the events behind it, when it changes next',
      query: scoped,
      answer: explainAnswer,
    },
    async (question, deps) => {
      const { rules, ...found } = await find(question, deps);
      const { tag = '' } = question.params;
      if (!rules.book.ruleOf(tag))
        throw new RejectedError('not_found', `there is no rule for the tag ${tag}`, 404);
      const { person } = found.profile;
      const at = Math.max(deps.now(), person.walkedTo);
      const events = await eventsOf(found, deps);
      const view = viewOf(person);
      const behind = new Set(evidence(rules.book, tag, events.map(folded), at, view.traits));
      const held = person.tags.get(tag);
      return {
        ...explainTag(rules.book, tag, view, at),
        at: toIso(at),
        since: held ? toIso(held.since) : null,
        events: events
          .filter(({ id }) => behind.has(id))
          .map(({ id, type, occurredAt, source, properties }) => ({
            id,
            type,
            occurredAt,
            source,
            properties,
          })),
      };
    },
  ),
];
