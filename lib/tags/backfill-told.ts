import { z } from 'zod';
import { instant } from '../events/event.ts';
import type { Brand } from '../platform/brand.ts';
import type { Clock } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { keys } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';
import { surveyStore } from './survey-store.ts';

export interface BackfillReadDeps {
  readonly table: Table;
  readonly brand: Brand;
  readonly now: Clock;
}

export const backfillAnswer = z.object({
  id: z.string(),
  at: instant,
  by: z.string(),
  /** The rule that was put; absent where the brand's file changed. */
  tag: z.string().optional(),
  version: z.int().optional(),
  /** Done: every profile was brought to these rules, or to newer ones. */
  status: z.enum(['running', 'done']),
  parts: z.object({ done: z.int(), of: z.int() }),
  /** Absent where it had counted somebody who was erased since. */
  profiles: z.object({ looked: z.int(), changed: z.int() }).optional(),
  perSecond: z.int(),
});
export type BackfillAnswer = z.infer<typeof backfillAnswer>;

/** Null: it was taken out, see `survey-end.ts`. */
const found = z.object({ looked: z.int(), changed: z.int() }).nullable();
const newestRow = z.object({ id: z.string() });

/** `GET /backfill`, `GET /backfill/{id}`: how far the newest is, or one of them. @throws RejectedError 404 */
export async function answerBackfill(
  id: string | undefined,
  deps: BackfillReadDeps,
): Promise<BackfillAnswer> {
  const store = surveyStore(deps.table, deps.now);
  const newest = id ?? newestRow.safeParse(await deps.table.get(keys.backfill())).data?.id;
  const survey = newest === undefined ? undefined : await store.get(newest);
  if (survey?.asked.kind !== 'backfill')
    throw new RejectedError('not_found', 'there is no such back-fill, or it is more than 30 days old', 404);
  const pieces = await store.pieces(survey);
  const all = pieces.found.map((it) => found.parse(it));
  const counts = all.filter((it) => it !== null);
  const { at, by, of, asked } = survey;
  return {
    ...{ id: survey.id, at, by },
    ...(asked.tag !== undefined && { tag: asked.tag }),
    ...(asked.version !== undefined && { version: asked.version }),
    status: pieces.parts === of ? 'done' : 'running',
    parts: { done: pieces.parts, of },
    ...(counts.length === all.length && {
      profiles: {
        looked: counts.reduce((sum, { looked }) => sum + looked, 0),
        changed: counts.reduce((sum, { changed }) => sum + changed, 0),
      },
    }),
    perSecond: deps.brand.backfill.perSecond,
  };
}
