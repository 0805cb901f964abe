import type { RfmSettings } from '../platform/brand.ts';
import type { Reference } from './leaves.ts';
import { RuleError } from './rule-error.ts';
import type { EventsLeaf, RfmLeaf } from './rulebook.ts';
import { lastDays, MAX_DAYS, type Window } from './windows.ts';

/** The features behind the scores, in the order of `rfmReferences`. */
export interface RfmParts {
  readonly settings: RfmSettings;
  readonly leaves: readonly EventsLeaf[];
}

/** @throws RuleError unless the cuts are ascending and recency's are whole brand-days within the longest window */
export function checkRfm({ r, f, m }: RfmSettings): void {
  for (const [name, cuts] of Object.entries({ r, f, m })) {
    if (cuts.some((cut, i) => i > 0 && cut <= (cuts[i - 1] ?? 0)))
      throw new RuleError('shape', `rfm.${name}: the four cuts must ascend`);
  }
  if (r.some((days) => !Number.isInteger(days) || days < 1 || days > MAX_DAYS))
    throw new RuleError('shape', `rfm.r: cuts are whole brand-days, 1 to ${MAX_DAYS}`);
}

/** What the scores read: presence in each window of recency, then presence, number and money in the whole window. */
export function rfmReferences({ event, value, windowDays, r }: RfmSettings): Reference[] {
  const within = (length: number): { kind: 'events'; type: string; window: Window } => ({
    kind: 'events',
    type: event,
    window: lastDays(length),
  });
  return [
    ...r.map((days): Reference => ({ ...within(days), aggregate: 'any' })),
    { ...within(windowDays), aggregate: 'any' },
    { ...within(windowDays), aggregate: 'count' },
    { ...within(windowDays), aggregate: 'sum', property: value },
  ];
}

/**
 * One score, by fixed cuts. Without a purchase in the whole window there is none.
 *
 *   r: bought within r[i] brand-days → 5 − i, for the least i; else 1
 *   f: 1 + how many of the cuts the number of purchases reaches      m: the same of their money
 */
export function rfmScore(
  { settings, leaves }: RfmParts,
  score: RfmLeaf['score'],
  value: (leaf: EventsLeaf) => unknown,
): number | undefined {
  const [any, count, sum] = leaves.slice(settings.r.length);
  if (!any || !count || !sum || value(any) !== true) return undefined;
  if (score === 'r') {
    const recent = leaves.slice(0, settings.r.length).findIndex((leaf) => value(leaf) === true);
    return recent < 0 ? 1 : 5 - recent;
  }
  const reached = Number(value(score === 'f' ? count : sum));
  return 1 + settings[score].filter((cut) => reached >= cut).length;
}

/** The leaves that a score reads. */
export function rfmPartsOf({ settings, leaves }: RfmParts, score: RfmLeaf['score']): readonly EventsLeaf[] {
  const recency = settings.r.length;
  if (score === 'r') return leaves.slice(0, recency + 1);
  return leaves.filter((_, i) => i === recency || i === recency + (score === 'f' ? 1 : 2));
}
