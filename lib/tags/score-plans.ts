import type { Brand, ScoreSettings } from '../platform/brand.ts';
import { referenceText } from './leaves.ts';
import type { Register } from './register.ts';
import { RuleError } from './rule-error.ts';
import type { EventsLeaf } from './rulebook.ts';
import { type ScorePlan, scorePlan, scoreReferences } from './scores.ts';

export interface ScoresRead {
  /** What an answer depends on. */
  readonly inputs: readonly unknown[];
  plans(leafOf: (text: string) => EventsLeaf | undefined): ReadonlyMap<string, ScorePlan>;
}

/** The brand's scores that rules read; what they read of events is registered too. @throws RuleError for an unknown one */
export function scoresRead(
  register: Register,
  { scores = {}, phases = [] }: Partial<Pick<Brand, 'scores' | 'phases'>>,
): ScoresRead {
  const asked = register.all.flatMap(({ text, reference: it }) =>
    it.kind === 'score' ? [[it.score, text] as const] : [],
  );
  const read = [...new Map(asked)].sort().map(([name, text]): [string, ScoreSettings] => {
    const settings = Object.hasOwn(scores, name) ? scores[name] : undefined;
    if (settings) return [name, settings];
    throw new RuleError('name', `the brand has no score ${JSON.stringify(name)}`, register.placeOf(text));
  });
  for (const [, it] of read) for (const part of scoreReferences(it)) register.add(part, {});
  return {
    inputs: read.length > 0 ? [['scores', read, phases]] : [],
    plans: (leafOf) =>
      new Map(
        read.map(([name, it]) => {
          const leaves = scoreReferences(it).flatMap((part) => leafOf(referenceText(part)) ?? []);
          return [name, scorePlan(it, phases, leaves)];
        }),
      ),
  };
}
