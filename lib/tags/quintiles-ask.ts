import type { Brand } from '../platform/brand.ts';
import { type Clock, toIso } from '../platform/clock.ts';
import { type HttpReply, json } from '../platform/http.ts';
import type { Queue } from '../platform/queue.ts';
import type { Table } from '../platform/table.ts';
import { digest } from './features.ts';
import { isDue, measured } from './quintiles.ts';
import { quintileStore } from './quintiles-store.ts';
import type { RuleBook } from './rulebook.ts';
import { messagesOf, PARTS, type Survey } from './survey.ts';
import { surveyStore } from './survey-store.ts';

export interface QuintilesAskDeps {
  readonly table: Table;
  readonly recompute: Queue;
  readonly now: Clock;
}

/** Who asks when a period has begun. */
export const CLOCK = 'clock';

/**
 * What the clock does: where rules read quintiles and a new day, week or month has begun, has the population counted as
 * of the instant before it. Begun once a brand-day, however often it is called: messages that are lost are asked for
 * again the next day.
 *
 * @returns whether it was begun now
 */
export async function renewQuintiles(
  book: RuleBook,
  { rfm }: Pick<Brand, 'rfm'>,
  deps: QuintilesAskDeps,
): Promise<boolean> {
  const now = deps.now();
  const { calendar, quintiles, readsQuintiles } = book;
  if (!readsQuintiles || !isDue(quintiles?.edition, rfm, now, calendar)) return false;
  const asOf = calendar.startOfDay(calendar.brandDay(now)) - 1;
  const id = digest(['quintiles', asOf, measured(rfm)], 16);
  if (await surveyStore(deps.table, deps.now).get(id)) return false;
  await askQuintiles({ id, asOf, by: CLOCK }, deps);
  return true;
}

/** `GET /rfm/quintiles`: the cuts in force, null before the first. */
export async function answerQuintiles({ table }: Pick<QuintilesAskDeps, 'table'>) {
  return { quintiles: (await quintileStore(table).current()) ?? null };
}

/**
 * `POST /rfm/quintiles`: has the population counted as of now, and everybody evaluated by the new cuts. Two who ask at
 * the same instant ask once.
 */
export async function renewNow(by: string, deps: QuintilesAskDeps): Promise<HttpReply> {
  const asOf = deps.now();
  const { id, at } = await askQuintiles({ id: digest(['quintiles', asOf, by], 16), asOf, by }, deps);
  const result = '/rfm/quintiles';
  return json(202, { id, at, asOf: toIso(asOf), result }, { location: result });
}

/** Has the population counted as of an instant. The queue delivers later than the survey is put: see `infra/survey.ts`. */
export async function askQuintiles(
  { id, asOf, by }: { readonly id: string; readonly asOf: number; readonly by: string },
  { table, recompute, now }: QuintilesAskDeps,
): Promise<Survey> {
  const survey: Survey = { id, at: toIso(now()), by, of: PARTS, asked: { kind: 'quintiles', asOf } };
  await recompute.send(messagesOf(survey));
  await surveyStore(table, now).put(survey);
  return survey;
}
