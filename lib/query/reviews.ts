import { z } from 'zod';
import { identifier, instant } from '../events/event.ts';
import { keys } from '../platform/keys.ts';
import { cursor, cursorOf, limitOf, placeOf } from './cursor.ts';
import { showIdentifier } from './mask.ts';
import { type Answered, answered } from './route.ts';

/** As it is stored: longer than it was, if it is personal. */
const stored = identifier.extend({ value: z.string() });
const reviewRow = z.union([
  z.object({ gone: z.literal(true) }),
  z.object({
    gone: z.undefined().optional(),
    sk: z.string(),
    at: instant,
    event: z.string(),
    reason: z.string(),
    a: stored,
    b: stored,
  }),
]);

export const reviews: Answered = answered(
  {
    method: 'GET',
    path: '/reviews',
    summary: 'Identity conflicts: strong identifiers that met on an event and were not joined',
    query: z.strictObject({ limit: limitOf(200, 50), cursor }),
    answer: z.object({
      reviews: z.array(
        z.object({
          /** Names the review in `POST /reviews/{id}`. */
          id: z.string(),
          profile: z.string(),
          reason: z.string(),
          occurredAt: instant,
          event: z.string(),
          identifiers: z.array(identifier),
        }),
      ),
      next: z.string().optional(),
    }),
  },
  async ({ query, caller, saw }, deps) => {
    const { pk } = keys.review('', '');
    const [place] = placeOf(query.cursor, z.tuple([z.string().min(1)])) ?? [];
    const found: unknown[] = [];
    let after = place;
    do {
      const limit = query.limit - found.length;
      const page = await deps.table.page(pk, { limit, ...(after !== undefined && { after }) });
      for (const item of page.items) {
        const row = reviewRow.parse(item);
        if (row.gone) continue;
        const { sk, reason, at: occurredAt, event, a, b } = row;
        const identifiers = [a, b].map((id) => showIdentifier(id, caller, deps.protector));
        saw(profileOfReview(sk));
        found.push({
          id: sk.replace('#', '.'),
          profile: profileOfReview(sk),
          reason,
          occurredAt,
          event,
          identifiers,
        });
      }
      after = page.next;
    } while (after !== undefined && found.length < query.limit);
    return { reviews: found, ...(after !== undefined && { next: cursorOf([after]) }) };
  },
);

/** A review's sort key begins with the profile that it is of. */
const profileOfReview = (sk: string): string => sk.split('#')[0] ?? sk;
