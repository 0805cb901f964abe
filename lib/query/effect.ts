import { z } from 'zod';
import { instant } from '../events/event.ts';
import { dayName } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { kOf } from '../privacy/roles.ts';
import { addEffect, emptyEffect } from '../tags/effect.ts';
import {
  effectDay,
  effectOverlap,
  retireReason,
  showEffect,
  showEnd,
  tagEffect,
} from '../tags/effect-shown.ts';
import { type EffectTally, effectTally } from '../tags/effect-tally.ts';
import { compileRules } from '../tags/rulebook.ts';
import type { RuleStore } from '../tags/rules-store.ts';
import { type EffectAsked, outdated, type Survey } from '../tags/survey.ts';
import { surveyStore } from '../tags/survey-store.ts';
import { type SurveyReadDeps, surveyOf, surveyStatus } from './forecast.ts';
import type { Viewer } from './mask.ts';

type EffectDeps = SurveyReadDeps & { readonly rules: Pick<RuleStore, 'current'> };

const told = z.object({
  id: z.string(),
  at: instant,
  status: surveyStatus,
  progress: z.object({ parts: z.int(), of: z.int() }),
  /** Brand-days, both in; conversions of which goal. */
  from: z.iso.date(),
  to: z.iso.date(),
  goal: z.string(),
});

export const effectAnswer = told.extend({
  effect: tagEffect.extend({ days: z.array(effectDay), overlap: z.array(effectOverlap) }).optional(),
});
export const effectsAnswer = told.extend({
  tags: z.array(tagEffect).optional(),
  /** Tags that separate nothing. */
  retire: z.array(z.object({ tag: z.string(), reason: retireReason })).optional(),
});

/** `GET /tags/{tag}/effect/{id}`. @throws RejectedError 404 if there is no such report of the tag */
export async function answerEffect(
  tag: string,
  id: string,
  { role }: Viewer,
  deps: EffectDeps,
): Promise<z.infer<typeof effectAnswer>> {
  const k = kOf(role, 'asked', deps.brand.privacy);
  const { asked, tally, ...state } = await soFar(await surveyOf(id, deps), tag, deps);
  if (!tally) return state;
  const days = tally.days.map((_, i) => dayName(asked.from + i));
  return { ...state, effect: { ...showEffect(tag, tally, k), ...showEnd(tally, days, k) } };
}

/** `GET /effect/{id}`: every tag that a rule earns. @throws RejectedError 404 if there is no such report */
export async function answerEffects(
  id: string,
  { role }: Viewer,
  deps: EffectDeps,
): Promise<z.infer<typeof effectsAnswer>> {
  const { tally, asked: _, ...state } = await soFar(await surveyOf(id, deps), undefined, deps);
  if (!tally) return state;
  const { rules } = await deps.rules.current();
  const names = compileRules(rules, deps.brand).rules.map(({ tag }) => tag);
  const k = kOf(role, 'asked', deps.brand.privacy);
  const tags = names.sort().map((tag) => showEffect(tag, tally, k));
  const retire = tags.flatMap(({ tag, retire: reason }) => (reason ? [{ tag, reason }] : []));
  return { ...state, tags, retire };
}

async function soFar(survey: Survey, tag: string | undefined, deps: EffectDeps) {
  const { asked, id, at, of } = survey;
  if (asked.kind !== 'effect' || asked.tag !== tag)
    throw new RejectedError('not_found', 'this is no such report', 404);
  const { found, parts } = await surveyStore(deps.table, deps.now).pieces(survey);
  const tallies = found.flatMap((it) => (outdated.safeParse(it).success ? [] : [effectTally.parse(it)]));
  const status = tallies.length < found.length ? 'outdated' : parts === of ? 'done' : 'running';
  const state = { id, at, status, progress: { parts, of }, ...shownSpan(asked) } as const;
  return { ...state, asked, ...(status === 'done' && { tally: sumOf(tallies, asked) }) };
}

const shownSpan = ({ from, to, goal }: EffectAsked) => ({ from: dayName(from), to: dayName(to - 1), goal });

function sumOf(tallies: readonly EffectTally[], { tag, from, to }: EffectAsked): EffectTally {
  const all = emptyEffect(tag === undefined ? 0 : to - from);
  for (const it of tallies) addEffect(all, it);
  return all;
}
