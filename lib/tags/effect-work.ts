import type { Event } from '../events/event.ts';
import { partition } from '../identity/graph.ts';
import type { ConversionRule } from '../platform/brand.ts';
import { toIso } from '../platform/clock.ts';
import { restrictedSince } from '../privacy/restriction.ts';
import { split } from '../profile/cluster.ts';
import type { Rules } from '../profile/person.ts';
import type { ProfileStore } from '../profile/store.ts';
import { addEffect, conversionsOf, effectOfOne, emptyEffect, type Lived } from './effect.ts';
import type { EffectTally } from './effect-tally.ts';
import { heldBy, walkTo } from './forecast-walk.ts';
import type { EffectAsked } from './survey.ts';
import type { SurveyWork } from './survey-work.ts';

/** Walks each profile by the rules in force, and looks up as days end. Nothing after the instant of the survey counts. */
export function effectWork(
  asked: EffectAsked,
  at: number,
  { rules, profiles }: { readonly rules: Rules; readonly profiles: ProfileStore },
): SurveyWork {
  const goal = rules.brand.conversions.find((it) => it.goal === asked.goal);
  const days = asked.tag === undefined ? 0 : asked.to - asked.from;
  let so: EffectTally = emptyEffect(days);
  return {
    async lookAt(cluster) {
      if (!goal) return; // the brand counts no such conversions any more
      const division = partition(cluster.graph);
      const isUsed = division.members.map((it) => restrictedSince(cluster.graph, it) === undefined);
      const parts = split(await profiles.events(cluster), division);
      for (const events of parts.filter((_, i) => isUsed[i]))
        addEffect(so, effectOfOne(livedBy(events, asked, at, goal, rules), asked.tag));
    },
    take() {
      const taken = so;
      so = emptyEffect(days);
      return taken;
    },
  };
}

/** @param events of one profile, in time order */
function livedBy(
  events: readonly Event[],
  { tag, from, to }: EffectAsked,
  at: number,
  goal: ConversionRule,
  rules: Rules,
): Lived {
  const { calendar } = rules.book;
  const start = calendar.startOfDay(from);
  const days = tag === undefined ? [to] : Array.from({ length: to - from }, (_, i) => from + i + 1);
  const ends = [start - 1, ...days.map((day) => Math.min(calendar.startOfDay(day) - 1, at))];
  const seen = walkTo(events, rules, ends, (person) => heldBy(person)).seen;
  const first = events[0]?.occurredAt;
  return {
    isKnown: first !== undefined && first < toIso(start),
    did: conversionsOf(events, goal, { from: toIso(start), to: toIso((ends.at(-1) ?? at) + 1) }, rules.brand),
    before: seen[0] ?? new Map(),
    after: seen.at(-1) ?? new Map(),
    values: tag === undefined ? [] : seen.map((held) => held.get(tag)),
  };
}
