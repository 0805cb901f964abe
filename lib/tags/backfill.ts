import { type Clock, SECOND, toIso } from '../platform/clock.ts';
import { keys } from '../platform/keys.ts';
import type { Queue } from '../platform/queue.ts';
import type { Table } from '../platform/table.ts';
import { digest } from './features.ts';
import { askRecompute } from './recompute-ask.ts';
import { PARTS, type Survey } from './survey.ts';
import { surveyStore } from './survey-store.ts';

export interface BackfillDeps {
  readonly table: Table;
  readonly recompute: Queue;
  readonly now: Clock;
}

interface BackfillOf {
  /** The digest of the rules that profiles are brought to. */
  readonly book: string;
  readonly by: string;
  readonly tag?: string;
  readonly version?: number;
}

/** Has all profiles brought to the rules in force, and says under which name its progress is told. */
export async function beginBackfill(
  { book, by, tag, version }: BackfillOf,
  { table, recompute, now }: BackfillDeps,
  of = PARTS,
): Promise<string> {
  const at = toIso(now());
  const asked = {
    kind: 'backfill' as const,
    book,
    ...(tag !== undefined && { tag }),
    ...(version && { version }),
  };
  const survey: Survey = { id: digest([at, by, asked], 16), at, by, of, asked };
  await surveyStore(table, now).put(survey);
  await table.put({ ...keys.backfill(), id: survey.id });
  await askRecompute(book, recompute, survey);
  return survey.id;
}

/** Waits where more was done than so many a second allow. What a first second allows is free at once. */
export function pace(perSecond: number, now: Clock, pause: ((ms: number) => Promise<void>) | undefined) {
  const begun = now();
  let done = 0;
  return async (more: number): Promise<void> => {
    const early = (done / perSecond) * SECOND - (now() - begun);
    done += more;
    if (pause && early > 0) await pause(early);
  };
}
