import type { RfmSettings } from '../platform/brand.ts';
import { type EventsReference, referenceText } from './leaves.ts';
import type { QuintileEdition } from './quintiles.ts';
import { RuleError } from './rule-error.ts';
import type { EventsLeaf, RfmLeaf, RuleBook } from './rulebook.ts';
import { lastDays, MAX_DAYS } from './windows.ts';

/** Where one score ends and the next begins; a cut that nobody reaches is `null`. */
export interface Cuts {
  /** Bought within so many brand-days → 5, 4, 3, 2; else 1. */
  readonly r: readonly (number | null)[];
  /** At least so many, so much → 2, 3, 4, 5; else 1. */
  readonly f: readonly (number | null)[];
  readonly m: readonly (number | null)[];
}

/** What the scores are read from, and their cuts. */
export interface RfmParts {
  readonly settings: RfmSettings;
  readonly cuts: Cuts;
  /** Whether there is a purchase within each cut of recency. */
  readonly recent: readonly (EventsLeaf | undefined)[];
  readonly any: EventsLeaf;
  readonly count: EventsLeaf;
  readonly sum: EventsLeaf;
  /** Of cuts by quintiles. */
  readonly edition?: QuintileEdition;
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

/** A payment whose amount is pending is told again with it, and would be two purchases. */
const SETTLED = '!(has(e.amount_pending) && e.amount_pending == true)';

/** What the scores read: presence, number and money in the whole window, and presence in each window of recency. */
export function rfmReferences({ event, value, windowDays }: RfmSettings, { r }: Cuts): EventsReference[] {
  const within = (length: number) => ({ kind: 'events' as const, type: event, window: lastDays(length) });
  return [
    { ...within(windowDays), aggregate: 'any' },
    { ...within(windowDays), aggregate: 'count', filter: SETTLED },
    { ...within(windowDays), aggregate: 'sum', property: value },
    ...r.flatMap((days): EventsReference[] => (days === null ? [] : [{ ...within(days), aggregate: 'any' }])),
  ];
}

/** The leaves of `rfmReferences`, found again. */
export function rfmParts(
  settings: RfmSettings,
  cuts: Cuts,
  leafOf: (text: string) => EventsLeaf | undefined,
): RfmParts | undefined {
  const [any, count, sum, ...windows] = rfmReferences(settings, cuts).map((it) => leafOf(referenceText(it)));
  if (!any || !count || !sum) return undefined;
  const left = windows.values();
  const recent = cuts.r.map((days) => (days === null ? undefined : left.next().value));
  return { settings, cuts, any, count, sum, recent };
}

/** What a leaf's score is read from; undefined before the first cuts by quintiles. */
export const partsFor = ({ rfm, quintiles }: RuleBook, { by }: Pick<RfmLeaf, 'by'>): RfmParts | undefined =>
  by === 'quintiles' ? quintiles : rfm;

/**
 * One score, by cuts. Without a purchase in the whole window there is none.
 *
 *   r: bought within r[i] brand-days → 5 − i, for the least i; else 1
 *   f: 1 + how many of the cuts the number of purchases reaches      m: the same of their money
 */
export function rfmScore(
  { cuts, recent, any, count, sum }: RfmParts,
  score: RfmLeaf['score'],
  value: (leaf: EventsLeaf) => unknown,
): number | undefined {
  if (value(any) !== true) return undefined;
  if (score === 'r') {
    const within = recent.findIndex((leaf) => leaf && value(leaf) === true);
    return within < 0 ? 1 : 5 - within;
  }
  const reached = Number(value(score === 'f' ? count : sum));
  return 1 + cuts[score].filter((cut) => cut !== null && reached >= cut).length;
}

/** The leaves that a score reads. */
export function rfmPartsOf(parts: RfmParts | undefined, score: RfmLeaf['score']): readonly EventsLeaf[] {
  if (!parts) return [];
  const { recent, any, count, sum } = parts;
  if (score !== 'r') return [any, score === 'f' ? count : sum];
  return [...recent.flatMap((leaf) => leaf ?? []), any];
}
