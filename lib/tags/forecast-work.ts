import { partition } from '../identity/graph.ts';
import { split } from '../profile/cluster.ts';
import type { Rules } from '../profile/person.ts';
import { readProfiles } from '../profile/read.ts';
import type { ProfileStore } from '../profile/store.ts';
import { addTally, emptyTally, tallyOne } from './forecast.ts';
import { endsBefore, outlookOf } from './forecast-walk.ts';
import { compileRules } from './rulebook.ts';
import type { ForecastAsked } from './survey.ts';
import type { MeteredTable } from './survey-reads.ts';
import type { SurveyWork } from './survey-work.ts';

interface ForecastDeps {
  /** Those in force, against which the draft is held. */
  readonly rules: Rules;
  readonly profiles: ProfileStore;
  readonly reads: Pick<MeteredTable, 'take'>;
}

/** Walks each profile by the draft's rules, beside what it holds by those in force. */
export function forecastWork(
  { tag, rules, days, quintiles }: ForecastAsked,
  at: number,
  deps: ForecastDeps,
): SurveyWork {
  const { brand } = deps.rules;
  const draft: Rules = { book: compileRules(rules, { ...brand, quintiles }), brand };
  const drafted = new Set(rules.map((it) => it.tag));
  const ends = endsBefore(at, days, draft.book.calendar);
  let so = emptyTally(days);
  return {
    async lookAt(cluster) {
      const [present, all] = await Promise.all([
        readProfiles(deps.profiles, cluster, deps.rules, at),
        deps.profiles.events(cluster),
      ]);
      const parts = split(all, partition(cluster.graph));
      so.cost.events += all.length;
      for (const [i, { id, person }] of present.entries()) {
        if (person.restricted !== undefined) continue;
        const before = new Map([...person.tags].map(([name, { value }]) => [name, value]));
        const outlook = outlookOf(parts[i] ?? [], tag, draft, ends, at);
        addTally(so, tallyOne({ profile: id, before, ...outlook }, tag, drafted));
      }
    },
    take() {
      const taken = { ...so, cost: { ...so.cost, ...deps.reads.take() } };
      so = emptyTally(days);
      return taken;
    },
  };
}
