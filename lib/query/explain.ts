import { z } from 'zod';
import { uncounted } from '../consent/uncounted.ts';
import { byTime, type Event, instant } from '../events/event.ts';
import { quoted } from '../events/fault.ts';
import { toIso } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { isOwnOf } from '../profile/cluster.ts';
import { type Person, type Rules, viewOf } from '../profile/person.ts';
import type { FoldedEvent } from '../tags/cells.ts';
import { evidence, explainTag, saidBehind } from '../tags/explain.ts';
import { changeAfter, personAt } from '../tags/past.ts';
import { compileRules } from '../tags/rulebook.ts';
import { ruleStore } from '../tags/rules-store.ts';
import { type Found, lookUpUsed } from './lookup.ts';
import { eventView } from './profile-view.ts';
import { type Answered, answered, type QueryDeps } from './route.ts';
import { moment } from './span.ts';

/** What is read of a profile: a number, a fact or a value. */
export const leafView = z.object({
  text: z.string(),
  feature: z.string(),
  window: z.object({ from: instant, to: instant }).optional(),
  /** Of `rfm("quintiles")`: the population's cuts. */
  cuts: z
    .object({ version: z.int(), asOf: instant, customers: z.int(), of: z.array(z.number().nullable()) })
    .optional(),
  /** Of a score: the phase whose weights count. */
  phase: z.string().optional(),
  value: z.json(),
});

const explainAnswer = z.object({
  tag: z.string(),
  version: z.int(),
  /** The rule as its author wrote it. */
  rule: z.string(),
  value: z.union([z.boolean(), z.string()]),
  matched: z.string().optional(),
  leaves: z.array(leafView),
  nextChangeAt: instant.optional(),
  /** Of a past instant: when the tag did change next, by this rule; absent: it has not. */
  changedAt: instant.optional(),
  at: instant,
  since: instant.nullable(),
  /** Of a past instant: by what it is told. */
  note: z.string().optional(),
  /** The events that the leaves count, oldest first. */
  events: z.array(eventView.pick({ id: true, type: true, occurredAt: true, source: true, properties: true })),
});

export const NOTE =
  'told by what is known today: events that came late count as if they had come in time, and so does who is who';

/** All events of one profile, in time order. */
export async function eventsOf({ cluster, profile }: Found, { profiles }: QueryDeps): Promise<Event[]> {
  const { events } = await profiles.journal(cluster);
  return [...events, ...cluster.tail].filter(isOwnOf(cluster, profile.id)).sort(byTime);
}

const folded = (event: Event): FoldedEvent => ({
  id: event.id,
  type: event.type,
  at: Date.parse(event.occurredAt),
  properties: event.properties,
  channel: event.source.channel,
});

/** Why a profile has a tag, or has it not, as it is at an instant. */
function why(tag: string, person: Person, events: readonly Event[], at: number, { book }: Rules) {
  const view = viewOf(person);
  const left = uncounted(events, book.consent);
  const known = events.filter(({ id, occurredAt }) => Date.parse(occurredAt) <= at && !left.has(id));
  const behind = new Set([
    ...evidence(book, tag, known.map(folded), at, view.traits, person.tags),
    ...saidBehind(book, tag, view),
  ]);
  const held = person.tags.get(tag);
  return {
    ...explainTag(book, tag, view, at),
    at: toIso(at),
    since: held ? toIso(held.since) : null,
    events: known
      .filter(({ id }) => behind.has(id))
      .map(({ id, type, occurredAt, source, properties }) => ({ id, type, occurredAt, source, properties })),
  };
}

/** By the rules that were in force then. @throws RejectedError 404 if none earned the tag then, 400 if then is yet to come */
async function whyThen(tag: string, at: number, events: readonly Event[], now: number, deps: QueryDeps) {
  if (at > now) throw new RejectedError('bad_range', 'at: this is yet to come');
  const { rules: then, quintiles } = await ruleStore(deps.table, deps.brand).inForceAt(toIso(at));
  const rules: Rules = { brand: deps.brand, book: compileRules(then, { ...deps.brand, quintiles }) };
  if (!rules.book.ruleOf(tag))
    throw new RejectedError('not_found', `there was no rule for the tag ${quoted(tag)} then`, 404);
  const changedAt = changeAfter(tag, events, at, now, rules);
  return {
    ...why(tag, personAt(events, at, rules), events, at, rules),
    ...(changedAt !== undefined && { changedAt: toIso(changedAt) }),
    note: NOTE,
  };
}

export const explainRoutes: readonly Answered[] = [
  answered(
    {
      method: 'GET',
      path: '/profiles/{kind}/{value}/tags/{tag}/explain',
      summary:
        'Why a profile has a tag or not, now or at a past instant: rule, version, each leaf, the events behind it, when it changes next',
      query: z.strictObject({
        scope: z.string().optional(),
        /** A past instant, or a brand-day: how it ended. */
        at: moment.optional(),
      }),
      answer: explainAnswer,
    },
    async ({ params: { kind = '', value = '', tag = '' }, query, saw }, deps) => {
      const rules = await deps.rules();
      const found = await lookUpUsed({ kind, value, scope: query.scope }, rules, deps);
      saw(found.profile.id);
      const { person } = found.profile;
      const now = Math.max(deps.now(), person.walkedTo);
      if (query.at === undefined && !rules.book.ruleOf(tag))
        throw new RejectedError('not_found', `there is no rule for the tag ${quoted(tag)}`, 404);
      const events = await eventsOf(found, deps);
      if (query.at === undefined) return why(tag, person, events, now, rules);
      const { calendar } = rules.book;
      const at = 'at' in query.at ? query.at.at : calendar.startOfDay(query.at.day + 1) - 1;
      return whyThen(tag, at, events, now, deps);
    },
  ),
];
