import type { Phase, ScoreSettings } from '../platform/brand.ts';
import { dayNumber } from './calendar.ts';
import type { EventsReference } from './leaves.ts';
import { readWeight, weightOf } from './preference.ts';
import type { EventsLeaf } from './rulebook.ts';
import type { ScoreAsk } from './score-ask.ts';

/** A score, ready to be worked out. */
export interface ScorePlan {
  readonly halfLife: number;
  /** Of each event type, what is kept of it. */
  readonly parts: readonly { readonly type: string; readonly leaf: EventsLeaf }[];
  /** From which brand-day on which weights count, ascending; those of parts, in thousandths. */
  readonly spans: readonly ScoreSpan[];
}
export interface ScoreSpan {
  readonly from: number;
  readonly phase: string | undefined;
  readonly weights: readonly bigint[];
}

const typesIn = ({ weights, phases }: ScoreSettings): string[] =>
  [...new Set([weights, ...Object.values(phases)].flatMap((it) => Object.keys(it)))].sort();

/** What a score reads: of each event type the weights of its days. */
export const scoreReferences = (settings: ScoreSettings): EventsReference[] =>
  typesIn(settings).map(
    (type): EventsReference => ({
      kind: 'events',
      type,
      aggregate: 'faded',
      halfLife: settings.halfLifeDays,
    }),
  );

/** @param leaves of `scoreReferences`, in their order */
export function scorePlan(
  settings: ScoreSettings,
  phases: readonly Phase[],
  leaves: readonly EventsLeaf[],
): ScorePlan {
  const types = typesIn(settings);
  const ends = phases.flatMap(({ from, to }) => [dayNumber(from), dayNumber(to)]);
  const spans = [Number.NEGATIVE_INFINITY, ...[...new Set(ends)].sort((a, b) => a - b)].map((from) => {
    const phase = phases.find((it) => dayNumber(it.from) <= from && from < dayNumber(it.to))?.phase;
    const own = phase === undefined ? {} : settings.phases[phase];
    const weights = types.map((type) =>
      BigInt(Math.round((own?.[type] ?? settings.weights[type] ?? 0) * 1000)),
    );
    return { from, phase, weights };
  });
  const parts = leaves.map((leaf) => ({ type: leaf.reference.type, leaf }));
  return { halfLife: settings.halfLifeDays, parts, spans };
}

type Value = (leaf: EventsLeaf) => unknown;

/**
 * The score on a brand-day D, of events on days d of types t:
 *
 *   score(D) = Σ_t weight_t(phase of D) · Σ_d w(d) / w(D)        w as in `preference.ts`: 2^(d / h), to 24 bits
 *
 * so that an event counts its type's weight today, half of it h brand-days later. `sum` is that times w(D), in
 * thousandths: whole numbers, compared exactly.
 */
function sumOn({ parts, spans }: ScorePlan, day: number, value: Value): bigint {
  const weights = spanOn(spans, day)?.weights ?? [];
  return parts.reduce((sum, { leaf }, i) => sum + (weights[i] ?? 0n) * readWeight(value(leaf)), 0n);
}

const spanOn = (spans: readonly ScoreSpan[], day: number) => spans.findLast(({ from }) => from <= day);

export const phaseOn = ({ spans }: ScorePlan, day: number): string | undefined => spanOn(spans, day)?.phase;

/** The score to three decimals, for people. */
export function scoreOn(plan: ScorePlan, day: number, value: Value): number {
  const unit = weightOf(day, plan.halfLife);
  return Number((sumOn(plan, day, value) + unit / 2n) / unit) / 1000;
}

export function scoreAnswers(plan: ScorePlan, { op, bound }: ScoreAsk, day: number, value: Value): boolean {
  const sum = sumOn(plan, day, value);
  const least = BigInt(bound) * weightOf(day, plan.halfLife);
  if (op === '>=') return sum >= least;
  if (op === '>') return sum > least;
  return op === '<' ? sum < least : sum <= least;
}

/**
 * The brand-days from the first to the second, ends included, with which the answer becomes another: where weights
 * change, and where the score passes its bound, which it does once at most while weights stay. Found by halving.
 */
export function scoreTurns(
  plan: ScorePlan,
  ask: ScoreAsk,
  value: Value,
  [from, to]: readonly [number, number],
): number[] {
  const asked = (day: number) => scoreAnswers(plan, ask, day, value);
  return plan.spans.flatMap((span, i) => {
    const first = Math.max(from - 1, span.from);
    const last = Math.min(to, (plan.spans[i + 1]?.from ?? Number.POSITIVE_INFINITY) - 1);
    if (last < first) return [];
    const begins = span.from >= from ? [span.from] : [];
    const passes = passing(asked, first, last, plan.halfLife);
    // Where nothing is left to fade the answer stays.
    return passes === undefined ? begins : [...begins, passes];
  });
}

/** So many half-lives are looked ahead: whatever is a number has faded below every bound by then. */
const MOST_HALF_LIVES = 256;

/** The first day after `first` and up to `last` with another answer than the first; what has changed stays so. */
function passing(
  asked: (day: number) => boolean,
  first: number,
  last: number,
  halfLife: number,
): number | undefined {
  let after = Math.min(last, first + halfLife * MOST_HALF_LIVES);
  const now = asked(first);
  if (asked(after) === now) return undefined;
  let before = first;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (asked(middle) === now) before = middle;
    else after = middle;
  }
  return after;
}
