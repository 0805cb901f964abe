import { z } from 'zod';
import { profileOf } from '../attribution/row.ts';
import { conversionAnswer, conversionView } from '../attribution/view.ts';
import { byTime, type Event, instant } from '../events/event.ts';
import { homeOf, nameOf } from '../identity/graph.ts';
import { toIso } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { viewOf } from '../profile/person.ts';
import type { FoldedEvent } from '../tags/cells.ts';
import { evidence, explainTag } from '../tags/explain.ts';
import { type Found, lookUp } from './lookup.ts';
import { eventView, profileView, showEvent, showProfile } from './profile-view.ts';
import {
  type Answered,
  answered,
  cursorOf,
  limitOf,
  placeOf,
  type QueryDeps,
  type Question,
} from './route.ts';

const PROFILE = '/profiles/{kind}/{value}';
const scoped = z.strictObject({ scope: z.string().optional() });

async function find({ params, query }: Question<{ scope?: string }>, deps: QueryDeps) {
  const rules = await deps.rules();
  const { kind = '', value = '' } = params;
  return { rules, ...(await lookUp({ kind, value, scope: query.scope }, rules, deps)) };
}

/** All events of one profile, in time order; `from`: those before may be left out. */
async function eventsOf({ cluster, profile }: Found, deps: QueryDeps, from?: string): Promise<Event[]> {
  const { events } = await deps.profiles.journal(cluster, from);
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
  /** From this instant on, inclusive. */
  from: instant.optional(),
  /** Before this instant. */
  to: instant.optional(),
  limit: limitOf(500, 50),
  cursor: z.string().optional(),
});

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
      const { from, to, limit, cursor } = question.query;
      const { rules: _, ...found } = await find(question, deps);
      const [at, id] = placeOf(cursor) ?? [];
      const all = (await eventsOf(found, deps, from))
        .filter((event) => (!from || event.occurredAt >= from) && (!to || event.occurredAt < to))
        .filter((event) => at === undefined || byTime(event, { occurredAt: String(at), id: String(id) }) < 0)
        .reverse();
      const page = all.slice(0, limit);
      const last = page.at(-1);
      return {
        events: page.map((event) => showEvent(event, question.caller.role, deps.protector)),
        ...(all.length > limit && last && { next: cursorOf([last.occurredAt, last.id]) }),
      };
    },
  ),
  answered(
    {
      method: 'GET',
      path: `${PROFILE}/conversions`,
      summary: 'The conversions of a profile with their paths and credits, newest first',
      query: scoped,
      answer: z.object({ conversions: z.array(conversionAnswer) }),
    },
    async (question, deps) => {
      const { cluster, profile } = await find(question, deps);
      const rows = await Array.fromAsync(deps.conversions.list(cluster.id));
      const mine = rows.filter((row) => profileOf(row.id) === profile.id);
      return {
        conversions: mine.sort((a, b) => (a.conversion.at < b.conversion.at ? 1 : -1)).map(conversionView),
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
      const behind = new Set(evidence(rules.book, tag, events.map(folded), at));
      const held = person.tags.get(tag);
      return {
        ...explainTag(rules.book, tag, viewOf(person), at),
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
