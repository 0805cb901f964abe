import type { Queue } from '../platform/queue.ts';
import type { Message } from '../platform/sqs.ts';
import type { Table } from '../platform/table.ts';
import type { Rules } from '../profile/person.ts';
import { isRedirect, type ProfileStore, profileStore } from '../profile/store.ts';
import { effectWork } from './effect-work.ts';
import { forecastWork } from './forecast-work.ts';
import { eachPart } from './parts.ts';
import { endQuintiles, quintilesWork } from './quintiles-work.ts';
import { rfmWork } from './rfm-quintiles-work.ts';
import { type Outdated, type Survey, type SurveyMessage, surveyMessage } from './survey.ts';
import { type MeteredTable, meteredTable } from './survey-reads.ts';
import { surveyStore } from './survey-store.ts';
import type { SurveyWork } from './survey-work.ts';

/** How many pages of the table one message looks at before it hands on to another. */
const PAGES = 20;
const CONCURRENCY = 8;

export interface SurveyDeps {
  readonly table: Table;
  readonly rules: () => Promise<Rules>;
  readonly recompute: Queue;
  readonly now: () => number;
}

/** Looks at parts of all profiles. Answers the ids of messages that must come again. */
export const onSurvey = (messages: readonly Message[], deps: SurveyDeps): Promise<string[]> =>
  eachPart(messages, (body) => surveyPart(surveyMessage.parse(body), deps));

/**
 * Looks at one part of all profiles and puts what it found, piece after piece. It changes no profile, and doing it
 * again finds the same or, of profiles that have changed since, the newer.
 */
async function surveyPart(message: SurveyMessage, deps: SurveyDeps): Promise<void> {
  const store = surveyStore(deps.table, deps.now);
  const survey = await store.get(message.survey);
  if (!survey) return; // its day is over: nobody asks any more
  const { id, of } = survey;
  const { part } = message;
  const rules = await deps.rules();
  const { asked } = survey;
  if ((asked.kind === 'forecast' || asked.kind === 'effect') && asked.book !== rules.book.digest)
    return store.putPiece(id, {
      part,
      after: message.after ?? '',
      found: { outdated: true } satisfies Outdated,
    });

  let after = message.after ?? '';
  const { table, work, profiles } = open(survey, rules, deps);
  for (let page = 0; page < PAGES; page++) {
    const { items, next } = await table.scan(part, of, after === '' ? undefined : after);
    const clusters = items.filter(
      ({ pk, sk, joined }) => pk.startsWith('P#') && sk === '@' && joined === undefined,
    );
    await lookAtAll(
      clusters.map(({ pk }) => pk.slice(2)),
      work,
      profiles,
    );
    await store.putPiece(id, { part, after, next, found: work.take() });
    if (next === undefined) return void (await endQuintiles(survey, { ...deps, brand: rules.brand }));
    after = next;
  }
  await deps.recompute.send([JSON.stringify({ survey: id, part, after } satisfies SurveyMessage)]);
}

function open({ asked, at }: Survey, rules: Rules, deps: SurveyDeps) {
  const reads = meteredTable(deps.table);
  const profiles = profileStore(reads.table);
  const work = workOf(asked, Date.parse(at), rules, profiles, reads);
  return { table: reads.table, work, profiles };
}

function workOf(
  asked: Survey['asked'],
  at: number,
  rules: Rules,
  profiles: ProfileStore,
  reads: MeteredTable,
): SurveyWork {
  switch (asked.kind) {
    case 'forecast':
      return forecastWork(asked, at, { rules, profiles, reads });
    case 'effect':
      return effectWork(asked, at, { rules, profiles });
    case 'quintiles':
      return quintilesWork(asked, { brand: rules.brand, profiles });
    case 'rfm':
      return rfmWork(asked, { brand: rules.brand, profiles });
    case 'backfill':
      throw new Error('a back-fill is no survey: its messages say so');
  }
}

async function lookAtAll(ids: readonly string[], work: SurveyWork, profiles: ProfileStore): Promise<void> {
  const left = ids.values();
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (const id of left) {
        const cluster = await profiles.get(id);
        if (cluster && !isRedirect(cluster)) await work.lookAt(cluster);
      }
    }),
  );
}
