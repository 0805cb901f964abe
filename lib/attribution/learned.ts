/**
 * What one person did while we watched, in days from any instant. People without a touch and people who never convert
 * belong here too: without them the effect of touches comes out too large.
 */
export interface ObservedPerson {
  readonly from: number;
  /** When watching ended: now, or at the conversion after which none can follow. */
  readonly to: number;
  readonly touches: readonly { readonly at: number; readonly kind: string }[];
  /** When the person converted, within `from` and `to`. */
  readonly conversions: readonly number[];
}

/** How likely a person is to convert, a day: `base` always, and more for a while after each touch. */
export interface Hazard {
  readonly base: number;
  /** θ of each kind of touch: what one adds at once; it halves every `halfLifeDays`. */
  readonly effects: Readonly<Record<string, number>>;
  readonly halfLifeDays: number;
}

export interface FittedHazard extends Hazard {
  readonly iterations: number;
  /** The largest change of a parameter in the last iteration, as a share of it: how well it has settled. */
  readonly lastChange: number;
  readonly logLikelihood: number;
}

/** What a fit needs of people: counts that add up, so that people can be read in any parts. */
export interface Evidence {
  readonly kinds: readonly string[];
  /** For each conversion one row: the sum over touches of each kind of 2^(−age / h). */
  readonly kernels: readonly Float64Array[];
  /** How many conversions each row stands for; absent: one each. */
  readonly often?: Float64Array;
  /** For each kind, the integral of its kernels over the time that was watched. */
  readonly exposure: Float64Array;
  readonly days: number;
}

const ITERATIONS = 60;

/**
 * Fits an additive hazard by expectation and maximisation:
 *
 *   h(t) = μ + Σ θ(kind) · 2^(−(t − touch) / half-life)      over the touches up to t
 *   E: of each conversion, what each touch and nobody have of h at that moment
 *   M: θ(kind) = Σ of its parts / Σ over all people of the integral of its kernels;  μ = Σ of nobody's / days watched
 *
 * After each step as many conversions are expected as there were, and the likelihood has not fallen. A kind that nobody
 * was touched by while watched has no effect. Touches before `from` are part of the past, and count from `from` on.
 */
export function fitHazard(
  people: Iterable<ObservedPerson>,
  halfLifeDays: number,
  iterations = ITERATIONS,
): FittedHazard {
  return fitEvidence(evidenceOf(people, halfLifeDays), halfLifeDays, iterations);
}

/** The same of counts that are at hand. */
export function fitEvidence(evidence: Evidence, halfLifeDays: number, iterations = ITERATIONS): FittedHazard {
  const { kinds, kernels, often, exposure, days } = evidence;
  const total = exposure.reduce((sum, it) => sum + it, 0);
  const converted = often ? often.reduce((sum, it) => sum + it, 0) : kernels.length;
  // Half of what converted to nobody, half to all touches alike: from nothing no parameter would ever rise.
  let base = days > 0 ? converted / 2 / days : 0;
  let effects = exposure.map((it) => (it > 0 ? converted / 2 / total : 0));
  let lastChange = 0;
  for (let i = 0; i < iterations; i++) {
    const parts = partsOf(evidence, base, effects);
    const nextBase = days > 0 ? parts.nobody / days : 0;
    const next = exposure.map((it, kind) => (it > 0 ? parts.kinds[kind]! / it : 0));
    lastChange = Math.max(change(base, nextBase), ...next.map((it, kind) => change(effects[kind]!, it)));
    [base, effects] = [nextBase, next];
  }
  return {
    base,
    effects: Object.fromEntries(kinds.map((kind, i) => [kind, effects[i]!])),
    halfLifeDays,
    iterations,
    lastChange,
    logLikelihood: likelihoodOf(evidence, base, effects),
  };
}

const change = (from: number, to: number): number =>
  from === to ? 0 : Math.abs(to - from) / Math.max(from, to);

/** How well a hazard foretells people, also others than those it was fitted to: higher is better. */
export const logLikelihood = (hazard: Hazard, people: Iterable<ObservedPerson>): number =>
  evidenceLikelihood(hazard, evidenceOf(people, hazard.halfLifeDays));

/** The same of counts that are at hand. */
export function evidenceLikelihood({ base, effects }: Hazard, evidence: Evidence): number {
  return likelihoodOf(
    evidence,
    base,
    Float64Array.from(evidence.kinds, (kind) => effects[kind] ?? 0),
  );
}

/**
 * The hazard whose half-life foretells people best whom it was not fitted to.
 *
 * @param grid half-lives in days; of two that are as good, the first
 * @throws RangeError for an empty grid
 */
export function chooseHazard(
  fitted: readonly ObservedPerson[],
  heldOut: readonly ObservedPerson[],
  grid: readonly number[],
): FittedHazard {
  const tried = grid.map((days) => {
    const hazard = fitHazard(fitted, days);
    return { hazard, score: logLikelihood(hazard, heldOut) };
  });
  const [first, ...others] = tried;
  if (!first) throw new RangeError('no half-life to choose from');
  return others.reduce((best, it) => (it.score > best.score ? it : best), first).hazard;
}

export interface LearnedCredit {
  /** One share a touch, in their order. */
  readonly touches: readonly number[];
  /** What would have come anyway. With the touches it adds up to 1. */
  readonly nobody: number;
}

/**
 * Shares one conversion by the hazard at its moment: the composite model whose roles are θ, and a part for nobody.
 *
 * @param path touches up to the conversion; a later one has no part
 * @param at of the conversion, in days as the touches are
 */
export function shareByHazard(
  { base, effects, halfLifeDays }: Hazard,
  path: ObservedPerson['touches'],
  at: number,
): LearnedCredit {
  const parts = path.map((it) =>
    it.at > at ? 0 : (effects[it.kind] ?? 0) * 2 ** (-(at - it.at) / halfLifeDays),
  );
  const whole = parts.reduce((sum, it) => sum + it, base);
  if (whole === 0) return { touches: parts, nobody: 1 };
  return { touches: parts.map((it) => it / whole), nobody: base / whole };
}

function evidenceOf(people: Iterable<ObservedPerson>, halfLifeDays: number): Evidence {
  const numbers = new Map<string, number>();
  const exposure: number[] = [];
  const rows: number[][] = [];
  let days = 0;
  const numberOf = (kind: string): number => {
    const known = numbers.get(kind);
    if (known !== undefined) return known;
    numbers.set(kind, numbers.size);
    exposure.push(0);
    return numbers.size - 1;
  };
  for (const { from, to, touches, conversions } of people) {
    days += Math.max(0, to - from);
    for (const { at, kind } of touches) {
      const number = numberOf(kind);
      const begin = Math.max(from, at);
      if (to > begin)
        exposure[number]! +=
          (halfLifeDays / Math.LN2) *
          (2 ** (-(begin - at) / halfLifeDays) - 2 ** (-(to - at) / halfLifeDays));
    }
    for (const at of conversions) {
      const row: number[] = [];
      for (const touch of touches) {
        if (touch.at > at) continue;
        const number = numberOf(touch.kind);
        row[number] = (row[number] ?? 0) + 2 ** (-(at - touch.at) / halfLifeDays);
      }
      rows.push(row);
    }
  }
  const kinds = [...numbers.keys()];
  const kernels = rows.map((row) => Float64Array.from(kinds, (_, i) => row[i] ?? 0));
  return { kinds, kernels, exposure: Float64Array.from(exposure), days };
}

/** How many of the conversions fall to each kind, and to nobody. */
function partsOf({ kernels, often, exposure }: Evidence, base: number, effects: Float64Array) {
  const kinds = new Float64Array(exposure.length);
  let nobody = 0;
  for (const [i, row] of kernels.entries()) {
    const whole = hazardAt(row, base, effects);
    if (whole === 0) continue;
    const each = (often?.[i] ?? 1) / whole;
    nobody += base * each;
    for (let kind = 0; kind < row.length; kind++) kinds[kind]! += effects[kind]! * row[kind]! * each;
  }
  return { kinds, nobody };
}

function hazardAt(row: Float64Array, base: number, effects: Float64Array): number {
  let whole = base;
  for (let kind = 0; kind < row.length; kind++) whole += effects[kind]! * row[kind]!;
  return whole;
}

function likelihoodOf(
  { kernels, often, exposure, days }: Evidence,
  base: number,
  effects: Float64Array,
): number {
  let expected = base * days;
  for (let kind = 0; kind < exposure.length; kind++) expected += effects[kind]! * exposure[kind]!;
  return kernels.reduce(
    (sum, row, i) => sum + (often?.[i] ?? 1) * Math.log(hazardAt(row, base, effects)),
    0 - expected,
  );
}
