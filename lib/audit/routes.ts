import { z } from 'zod';
import { instant } from '../events/event.ts';
import { DAY, toIso } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { whoMay } from '../privacy/roles.ts';
import { cursor, cursorOf, limitOf, placeOf } from '../query/cursor.ts';
import { type Answered, answered } from '../query/route.ts';
import { subjectOf } from './append.ts';
import { auditStore, daysBetween, type Entry } from './store.ts';

const day = z.iso.date();

/** Days (UTC) that one request verifies at most: it has 25 seconds. `npm run audit -- verify` knows no such limit. */
const VERIFIED_DAYS = 31;

const entryView = z.looseObject({
  at: instant,
  day,
  lane: z.int(),
  n: z.int(),
  what: z.string(),
  who: z.string(),
  on: z.string(),
});

const asked = z.strictObject({
  /** Days (UTC), both in; today unless said. */
  from: day.optional(),
  to: day.optional(),
  who: z.string().max(200).optional(),
  what: z.string().max(40).optional(),
  /** A profile's id: what was seen of it. */
  profile: z.string().max(200).optional(),
  limit: limitOf(500, 100),
  cursor,
});

/** The days of a query. @throws RejectedError 400 if they are none, or too many */
function daysOf({ from, to }: { from?: string | undefined; to?: string | undefined }, today: string) {
  const last = to ?? from ?? today;
  const first = from ?? last;
  if (first > last) throw new RejectedError('bad_range', '`from` has to be a day before `to`, or the same');
  if (Date.parse(last) - Date.parse(first) >= VERIFIED_DAYS * DAY)
    throw new RejectedError('bad_range', `at most ${VERIFIED_DAYS} days at once`);
  return { first, last };
}

export const auditRoutes: readonly Answered[] = [
  answered(
    {
      method: 'GET',
      path: '/audit',
      summary: 'Who read, exported or changed what, and why, oldest first; profiles as keyed digests',
      query: asked,
      answer: z.object({ entries: z.array(entryView), next: z.string().optional() }),
      roles: whoMay('audit'),
    },
    async ({ query }, deps) => {
      const { who, what, profile, limit, cursor: given } = query;
      const { first, last } = daysOf(query, toIso(deps.now()).slice(0, 10));
      const [fromDay = first, skipped = 0] = placeOf(given, z.tuple([day, z.int().nonnegative()])) ?? [];
      const subject = profile === undefined ? undefined : subjectOf(profile, deps.protector);
      const isAsked = (it: Entry) =>
        (who === undefined || it.who === who) &&
        (what === undefined || it.what === what) &&
        (subject === undefined || it.subjects?.includes(subject));
      const store = auditStore(deps);
      const entries: Entry[] = [];
      for (const today of daysBetween(fromDay, last)) {
        const skip = today === fromDay ? skipped : 0;
        const all = await store.day(today);
        for (const [i, entry] of all.entries()) {
          if (i < skip || !isAsked(entry)) continue;
          if (entries.length === limit) return { entries, next: cursorOf([today, i]) };
          entries.push(entry);
        }
      }
      return { entries };
    },
  ),
  answered(
    {
      method: 'GET',
      path: '/audit/verify',
      summary:
        'Whether the log is as it was written: every entry that was changed, removed or moved, by its name; `anchor` is the hash of an anchor that you kept',
      query: z.strictObject({
        from: day.optional(),
        to: day.optional(),
        anchor: z.string().max(64).optional(),
      }),
      answer: z.object({
        whole: z.boolean(),
        from: day,
        to: day,
        entries: z.int(),
        anchors: z.int(),
        lastAnchor: z.string().optional(),
        anchoredAt: instant.nullable().optional(),
        found: z.array(
          z.object({
            entry: z.string(),
            wrong: z.enum(['changed', 'moved', 'unlinked', 'missing', 'unsealed']),
          }),
        ),
      }),
      roles: whoMay('audit'),
    },
    async ({ query }, deps) => {
      const today = toIso(deps.now()).slice(0, 10);
      const week = toIso(deps.now() - 7 * DAY).slice(0, 10);
      const { first, last } = daysOf({ from: query.from ?? query.to ?? week, to: query.to ?? today }, today);
      const result = await auditStore(deps).verify(first, last, query.anchor);
      return { from: first, to: last, ...result };
    },
  ),
];
