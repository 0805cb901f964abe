import { z } from 'zod';
import { identifier, instant } from '../events/event.ts';
import { toIso } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { parsed } from '../platform/http.ts';
import { type RfmSummary, rfmPages } from '../tags/rfm-pages.ts';
import { fromRfmRow, type RfmProfile, rfmFound } from '../tags/rfm-quintiles-work.ts';
import type { Survey } from '../tags/survey.ts';
import { surveyStore } from '../tags/survey-store.ts';
import { cursor, cursorOf, limitOf, placeOf } from './cursor.ts';
import { type SurveyReadDeps, surveyOf, surveyStatus } from './forecast.ts';
import type { Viewer } from './mask.ts';
import { identifiersOf } from './tags.ts';

const sizes = z.array(z.int()).length(5);
const score = z.int().min(1).max(5);

export const rfmAnswer = z.object({
  id: z.string(),
  asOf: instant,
  status: surveyStatus,
  progress: z.object({ parts: z.int(), of: z.int(), customers: z.int() }),
  result: z
    .object({
      /** Money of all customers, in minor units of the brand's currency. */
      monetary: z.int(),
      currency: z.string(),
      /** How many customers have each score, from 1 to 5. */
      sizes: z.object({ r: sizes, f: sizes, m: sizes }),
      customers: z.array(
        z.object({
          profile: z.string(),
          identifiers: z.array(identifier),
          /** Whole days since the last purchase. */
          recency: z.int(),
          frequency: z.int(),
          /** Minor units. */
          monetary: z.int(),
          r: score,
          f: score,
          m: score,
        }),
      ),
      next: z.string().optional(),
    })
    .optional(),
});

type RfmAnswer = z.infer<typeof rfmAnswer>;

export const rfmQuery = z.strictObject({
  /** Whether equal values may get different scores, by their customers' names, or all get the lowest among them. */
  ties: z.enum(['apart', 'together']).default('apart'),
  limit: limitOf(1_000, 200),
  cursor,
});

/** Whose identifiers are looked up at once. */
const CONCURRENCY = 16;

/** `GET /rfm/{id}`. @throws RejectedError 404 if there is no such survey, 400 if the query is wrong */
export async function answerRfm(
  id: string,
  asked: Readonly<Record<string, string>>,
  viewer: Viewer,
  deps: SurveyReadDeps,
): Promise<RfmAnswer> {
  const query = parsed(rfmQuery, { ...asked });
  const survey = await surveyOf(id, deps);
  if (survey.asked.kind !== 'rfm')
    throw new RejectedError('not_found', 'this is a forecast, and no RFM', 404);
  const pages = rfmPages(id, query.ties, deps.table, deps.now);
  const known = await pages.summary();
  const { parts, customers } = known ? { parts: survey.of, customers: [] } : await customersOf(survey, deps);
  const isDone = parts === survey.of;
  const answer: RfmAnswer = {
    id,
    asOf: toIso(survey.asked.asOf),
    status: isDone ? 'done' : 'running',
    progress: { parts, of: survey.of, customers: known?.customers ?? customers.length },
  };
  if (!isDone) return answer;
  const summary = known ?? (await pages.work(customers));
  return { ...answer, result: await resultOf(summary, pages, query, viewer, deps) };
}

/** What was found of all customers, and a page of them. */
async function resultOf(
  { customers: count, monetary, sizes }: RfmSummary,
  pages: ReturnType<typeof rfmPages>,
  { limit, cursor: given }: z.infer<typeof rfmQuery>,
  viewer: Viewer,
  deps: SurveyReadDeps,
): Promise<NonNullable<RfmAnswer['result']>> {
  const [from = 0] = placeOf(given, z.tuple([z.int().nonnegative()])) ?? [];
  const to = Math.min(from + limit, count);
  const reading = { profiles: deps.profiles, protector: await deps.protector() };
  const customers = await inTurn(await pages.page(from, to), CONCURRENCY, async ({ profile, ...it }) => ({
    profile,
    identifiers: await identifiersOf(profile, viewer, reading),
    ...it,
  }));
  return {
    ...{ monetary, currency: deps.brand.currency, sizes, customers },
    ...(to < count && { next: cursorOf([to]) }),
  };
}

/** All customers of a survey so far, by name: the same order for each page. */
async function customersOf(survey: Survey, { table, now }: Pick<SurveyReadDeps, 'table' | 'now'>) {
  const pieces = await surveyStore(table, now).pieces(survey);
  const customers: RfmProfile[] = pieces.found.flatMap((it) => rfmFound.parse(it).customers.map(fromRfmRow));
  const byName = new Map(customers.map((it) => [it.id, it])); // of one who changed rows meanwhile, once
  return { parts: pieces.parts, customers: [...byName.values()].sort((a, b) => (a.id < b.id ? -1 : 1)) };
}

/** The results in the order of the list, so many at work at a time. */
async function inTurn<T, R>(list: readonly T[], atOnce: number, work: (it: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const left = list.entries();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const [i, it] of left) results[i] = await work(it);
    }),
  );
  return results;
}
