import { z } from 'zod';
import { identifier, instant } from '../events/event.ts';
import type { Protector } from '../identity/protect.ts';
import type { Brand } from '../platform/brand.ts';
import type { Clock } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import type { Table } from '../platform/table.ts';
import { kOf } from '../privacy/roles.ts';
import type { ProfileStore } from '../profile/store.ts';
import { openCalendar } from '../tags/calendar.ts';
import { sumTallies } from '../tags/forecast.ts';
import { sampleOf, showCount, showForecast, shownCount, shownForecast } from '../tags/forecast-shown.ts';
import { tally } from '../tags/forecast-tally.ts';
import { daysUpTo } from '../tags/forecast-walk.ts';
import { type ForecastAsked, outdated, type Survey } from '../tags/survey.ts';
import { surveyStore } from '../tags/survey-store.ts';
import type { Viewer } from './mask.ts';
import { identifiersOf } from './tags.ts';

/** What it takes to tell what a survey found. */
export interface SurveyReadDeps {
  readonly table: Table;
  readonly profiles: ProfileStore;
  /** Opened when identifiers are shown, and not before: it asks for a secret. */
  readonly protector: () => Promise<Pick<Protector, 'reveal' | 'digest'>>;
  readonly brand: Brand;
  readonly now: Clock;
}

/** How far a survey has come. `outdated`: the rules in force changed while it looked; ask again. */
export const surveyStatus = z.enum(['running', 'done', 'outdated']);

export const forecastAnswer = z.object({
  id: z.string(),
  tag: z.string(),
  at: instant,
  status: surveyStatus,
  /** Parts of all profiles that were looked at whole, and profiles so far. */
  progress: z.object({ parts: z.int(), of: z.int(), profiles: shownCount }),
  forecast: shownForecast
    .extend({
      /** Some that enter or leave; identifiers are masked whoever asks. */
      sample: z.array(
        z.object({
          profile: z.string(),
          change: z.enum(['enter', 'leave']),
          identifiers: z.array(identifier),
        }),
      ),
    })
    .optional(),
});

type ForecastAnswer = z.infer<typeof forecastAnswer>;

const found = z.union([outdated, tally]);

/** @throws RejectedError 404 if nobody asked for it, or more than a day ago; 410 if somebody was erased since */
export async function surveyOf(id: string, { table, now }: Pick<SurveyReadDeps, 'table' | 'now'>) {
  const store = surveyStore(table, now);
  const survey = await store.get(id);
  if (!survey && (await store.isEnded(id)))
    throw new RejectedError('ended', 'this was counted before somebody was erased: ask again', 410);
  if (!survey)
    throw new RejectedError('not_found', 'nobody asked for this, or more than a day ago: ask again', 404);
  return survey;
}

/** `GET /rules/{tag}/forecast/{id}`. @throws RejectedError 404 if there is no such forecast of the tag */
export async function answerForecast(
  tag: string,
  id: string,
  viewer: Viewer,
  deps: SurveyReadDeps,
): Promise<ForecastAnswer> {
  const survey = await surveyOf(id, deps);
  if (survey.asked.kind !== 'forecast' || survey.asked.tag !== tag)
    throw new RejectedError('not_found', 'this is no forecast for the tag', 404);
  return forecastOf(survey, survey.asked, viewer, deps);
}

async function forecastOf(
  survey: Survey,
  { tag, days }: ForecastAsked,
  { role }: Viewer,
  deps: SurveyReadDeps,
): Promise<ForecastAnswer> {
  const k = kOf(role, 'asked', deps.brand.privacy);
  const { id, at, of } = survey;
  const pieces = await surveyStore(deps.table, deps.now).pieces(survey);
  const all = pieces.found.map((it) => found.parse(it));
  const tallies = all.filter((it) => 'profiles' in it);
  const sum = sumTallies(tallies, days);
  const status = tallies.length < all.length ? 'outdated' : pieces.parts === of ? 'done' : 'running';
  const progress = { parts: pieces.parts, of, profiles: showCount(sum.profiles, k) };
  const answer = { id, tag, at, status, progress } as const;
  if (status !== 'done') return answer;
  const protector = await deps.protector();
  const sample = sampleOf(sum, k).map(async (it) => ({
    ...it,
    identifiers: await identifiersOf(it.profile, { role: 'operator' }, { ...deps, protector }),
  }));
  const shown = showForecast(sum, daysUpTo(Date.parse(at), days, openCalendar(deps.brand.timezone)), k);
  return { ...answer, forecast: { ...shown, sample: await Promise.all(sample) } };
}
