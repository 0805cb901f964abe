import { z } from 'zod';
import { type ConversionRow, profileOf } from '../attribution/row.ts';
import { conversionAnswer, conversionView } from '../attribution/view.ts';
import { instant } from '../events/event.ts';
import { cursor, cursorOf, limitOf, placeOf } from './cursor.ts';
import { lookUp } from './lookup.ts';
import { newestEvents } from './newest.ts';
import { eventView, profileView, showEvent, showProfile } from './profile-view.ts';
import { type Answered, answered, type QueryDeps, type Question } from './route.ts';
import { moment, spanOf } from './span.ts';

const PROFILE = '/profiles/{kind}/{value}';
const scoped = z.strictObject({ scope: z.string().optional() });

async function find({ params, query, saw }: Question<{ scope?: string | undefined }>, deps: QueryDeps) {
  const rules = await deps.rules();
  const { kind = '', value = '' } = params;
  const found = await lookUp({ kind, value, scope: query.scope }, rules, deps);
  saw(found.profile.id);
  return { rules, ...found };
}

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
      return showProfile(found, rules, deps.now(), question.caller, deps.protector);
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
        events: page.map((event) => showEvent(event, question.caller, deps.protector)),
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
        conversions: page.map((row) => conversionView(row)),
        ...(mine.length > limit && last && { next: cursorOf([last.conversion.at, last.id]) }),
      };
    },
  ),
];
