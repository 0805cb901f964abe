import { z } from 'zod';
import { type Clock, SECOND } from '../platform/clock.ts';
import { compress, decompress } from '../platform/compressed.ts';
import { keys } from '../platform/keys.ts';
import { removeRows, sumsOf } from '../platform/sums.ts';
import type { Item, Table } from '../platform/table.ts';
import type { Survey } from './survey.ts';
import { SURVEY_MS, surveyStore } from './survey-store.ts';

interface EndDeps {
  readonly table: Table;
  readonly now: Clock;
}

/**
 * Ends the surveys that were begun up to an instant, whether they are done or under way: what they found is removed, and
 * whoever asks for it is told to ask again. Of a back-fill, which goes on, only the counts are removed. Doing it again
 * removes what a worker put meanwhile.
 *
 * @param first what is to be done for a survey before it is ended
 */
export async function endSurveys(
  until: string,
  deps: EndDeps,
  first: (survey: Survey) => Promise<void> = async () => {},
): Promise<void> {
  for (const id of await sumsOf('survey', deps.table)) {
    const survey = await surveyStore(deps.table, deps.now).get(id);
    if (survey && survey.at > until) continue;
    if (survey) await first(survey);
    if (survey?.asked.kind === 'backfill') await uncount(id, deps);
    else await end(id, survey, deps);
  }
}

/** @param survey undefined if it was ended before, or its day is over: then only what came late is there */
async function end(id: string, survey: Survey | undefined, { table }: EndDeps): Promise<void> {
  const key = keys.survey(id);
  const ttl = survey && Math.ceil((Date.parse(survey.at) + SURVEY_MS) / SECOND);
  if (ttl) await table.put({ ...key, ended: true, ttl }); // first: from now on nobody works on it
  await removeRows(key.pk, table, key.sk);
  await removeRows(keys.surveyPage(id, '').pk, table);
}

const piece = z.strictObject({ next: z.string().optional(), found: z.unknown() });

/** Takes the counts out of what says how far a back-fill is. */
async function uncount(id: string, { table }: EndDeps): Promise<void> {
  const { pk, sk } = keys.survey(id);
  for await (const row of table.query(pk)) {
    if (row.sk === sk) continue;
    const { next, found } = piece.parse(decompress(bytesOf(row)));
    if (found === null) continue;
    await table.put({ ...row, b: compress({ ...(next !== undefined && { next }), found: null }) });
  }
}

const bytesOf = (row: Item): Uint8Array => z.instanceof(Uint8Array).parse(row.b);
