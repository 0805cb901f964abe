import type { Queue } from '../platform/queue.ts';
import type { Table } from '../platform/table.ts';
import type { Rules } from '../profile/person.ts';
import { isRedirect, type ProfileStore, profileStore } from '../profile/store.ts';
import { forecastWork } from './forecast-work.ts';
import { rfmWork } from './rfm-quintiles-work.ts';
import type { Outdated, Survey, SurveyMessage } from './survey.ts';
import { meteredTable } from './survey-reads.ts';
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

/**
 * Looks at one part of all profiles and puts what it found, piece after piece. It changes no profile, and doing it
 * again finds the same or, of profiles that have changed since, the newer.
 */
export async function surveyPart(message: SurveyMessage, deps: SurveyDeps): Promise<void> {
  const store = surveyStore(deps.table, deps.now);
  const survey = await store.get(message.survey);
  if (!survey) return; // its day is over: nobody asks any more
  const { id, of } = survey;
  const { part } = message;
  const rules = await deps.rules();
  if (survey.asked.kind === 'forecast' && survey.asked.book !== rules.book.digest)
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
    if (next === undefined) return;
    after = next;
  }
  await deps.recompute.send([JSON.stringify({ survey: id, part, after } satisfies SurveyMessage)]);
}

function open({ asked, at }: Survey, rules: Rules, deps: SurveyDeps) {
  const reads = meteredTable(deps.table);
  const profiles = profileStore(reads.table);
  const work =
    asked.kind === 'forecast'
      ? forecastWork(asked, Date.parse(at), { rules, profiles, reads })
      : rfmWork(asked, { brand: rules.brand, profiles });
  return { table: reads.table, work, profiles };
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
