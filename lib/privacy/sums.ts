import {
  type AgainDeps,
  endCounts,
  endVersions,
  learnAllAgain,
  learnedUntil,
  removeRefused,
} from '../attribution/population-again.ts';
import { HOUR, toIso } from '../platform/clock.ts';
import type { Queue } from '../platform/queue.ts';
import type { Calendar } from '../tags/calendar.ts';
import { beginAgain, countAgain, cutsUntil, removeFormerCuts } from '../tags/quintiles-again.ts';
import { endSurveys } from '../tags/survey-end.ts';
import { daysOf, type ErasedLately, erasedLately } from './erased-lately.ts';
import { SETTLING_MS } from './request.ts';
import { removeSizes, untellWeeks } from './told-again.ts';

export type SumsDeps = AgainDeps & {
  readonly calendar: Pick<Calendar, 'brandDay' | 'startOfDay'>;
  /** Where looks at all profiles are asked for. */
  readonly recompute: Queue;
};

/** Where many are erased, what is counted has so long to come to its end. */
const PAUSE_MS = HOUR;
/** By the brand's own clock, when models have been learned that are learned each night. */
const NIGHT_MS = 4 * HOUR;
/** What was asked for and has not come by then is asked for again. */
const LOST_MS = 6 * HOUR;
/** Who asks. */
const BY = 'erasure';

/** When the last of them ended: what was begun to be counted up to then may have met one of the persons. */
const latest = (erasures: readonly ErasedLately[]): string =>
  erasures.map(({ at }) => at).reduce((a, b) => (a > b ? a : b), '');

/**
 * What the clock does after erasures, until no sum that is stored counts whoever was erased:
 *
 * - Within the hour, and again while functions may run that had begun before: surveys and counts of paths that were begun before the
 *   erasure are ended, done or not; weeks of the report for groups are taken back.
 * - In the night: cuts by quintiles and models that hold and were counted before are asked for again, as they were asked for;
 *   what there is of others is removed.
 * - When they have come, this erasure is done with.
 *
 * Each step may be done again. @returns how many erasures are left to work on
 */
export async function restateSums(deps: SumsDeps): Promise<{ readonly open: number }> {
  const open = () => erasedLately(deps.table).list();
  const erasures = await open();
  if (erasures.length === 0) return { open: 0 };
  await endSoon(
    erasures.filter((it) => isEnding(it, erasures, deps)),
    deps,
  );
  await askAgain(
    (await open()).filter((it) => isToAsk(it, deps)),
    deps,
  );
  await finish(
    (await open()).filter((it) => isAsked(it, deps)),
    deps,
  );
  return { open: (await open()).length };
}

/** Whether what was begun before is to be ended: for the first time, or again, because functions may run that had begun before. */
function isEnding({ endedAt }: ErasedLately, all: readonly ErasedLately[], { now }: SumsDeps): boolean {
  const isAfter = (at: string | undefined, ms: number) => at === undefined || now() >= Date.parse(at) + ms;
  return endedAt === undefined
    ? all.every((it) => isAfter(it.endedAt, PAUSE_MS))
    : !isAfter(endedAt, SETTLING_MS);
}

async function endSoon(erasures: readonly ErasedLately[], deps: SumsDeps): Promise<void> {
  if (erasures.length === 0) return;
  const until = latest(erasures);
  await endSurveys(until, deps, (survey) => beginAgain(survey, deps));
  await endCounts(until, deps);
  for (const it of erasures.filter(({ endedAt }) => endedAt === undefined)) {
    await untellWeeks(it.sk, daysOf(it), deps.brand.privacy.k, deps.table);
    await erasedLately(deps.table).put({ ...it, endedAt: toIso(deps.now()) });
  }
}

function isToAsk({ at, askedAt }: ErasedLately, { now, calendar }: SumsDeps): boolean {
  if (askedAt !== undefined) return now() >= Date.parse(askedAt) + LOST_MS;
  const nightOf = (day: number) => calendar.startOfDay(day) + NIGHT_MS;
  const day = calendar.brandDay(Date.parse(at));
  return now() >= (nightOf(day) < Date.parse(at) ? nightOf(day + 1) : nightOf(day));
}

async function askAgain(erasures: readonly ErasedLately[], deps: SumsDeps): Promise<void> {
  if (erasures.length === 0) return;
  const until = latest(erasures);
  const cuts = await cutsUntil(until, deps.table);
  if (cuts) await countAgain(Date.parse(cuts.asOf), BY, deps);
  await learnAllAgain(until, { by: BY, lostMs: LOST_MS }, deps);
  await removeFormer(until, deps);
  for (const it of erasures) await erasedLately(deps.table).put({ ...it, askedAt: toIso(deps.now()) });
}

async function removeFormer(until: string, deps: SumsDeps): Promise<void> {
  await endVersions(until, deps);
  await removeFormerCuts(deps.table);
}

/** Asked so long ago that nobody who had begun before still writes, and the day is over of which tags' sizes were told. */
const isAsked = ({ endedAt, askedAt }: ErasedLately, { now, calendar }: SumsDeps): boolean =>
  endedAt !== undefined &&
  askedAt !== undefined &&
  now() >= Date.parse(askedAt) + SETTLING_MS &&
  calendar.brandDay(now()) > calendar.brandDay(Date.parse(endedAt));

async function finish(erasures: readonly ErasedLately[], deps: SumsDeps): Promise<void> {
  if (erasures.length === 0) return;
  const until = latest(erasures);
  await removeRefused(await learnedUntil(until, deps), BY, deps);
  const isMissing = (await cutsUntil(until, deps.table)) || (await learnedUntil(until, deps)).size > 0;
  if (isMissing) return; // asked for again when it is taken for lost
  await endSurveys(until, deps);
  await endCounts(until, deps);
  await removeFormer(until, deps);
  for (const it of erasures) {
    await removeSizes(deps.calendar.brandDay(Date.parse(it.endedAt ?? it.at)), deps.table);
    await erasedLately(deps.table).remove(it);
  }
}
