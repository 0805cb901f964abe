import { type ChannelCredit, type CountedPaths, type Counts, creditsOf } from './paths.ts';
import { closeUpwards, MOST_EXACT, type Sampling, sampledShapley, shapley } from './shapley.ts';
import { bestAlong, type Worth, worthAlong } from './shapley-along.ts';
import { type Coalition, type Coalitions, coalitionsOf, overallRate, partsOf } from './shapley-coalitions.ts';

export interface RateSettings {
  /** Strength of the overall rate, in paths: what a coalition shows is shrunken towards it. */
  readonly prior?: number;
  /** Whether a larger coalition is worth at least what is part of it. Without it credits may turn negative and be cut. */
  readonly isMonotone?: boolean;
  /** What tells coalitions apart: their channels, or these in the order in which they first stand in a path. */
  readonly by?: 'set' | 'sequence';
  readonly sampling?: SamplingSettings;
}

/** For paths of more than `mostExact` distinct channels. */
export interface SamplingSettings {
  readonly mostExact?: number;
  readonly seed?: number;
  /** The largest standard error of a share of one path's credit. */
  readonly tolerance?: number;
  readonly mostPermutations?: number;
}

export interface RateCredit extends ChannelCredit {
  /** What sampling leaves open; 0 where all was exact. */
  readonly standardError: Pick<Counts, 'conversions' | 'value'>;
}

export interface RateCredits {
  readonly channels: readonly RateCredit[];
  /** Distinct sets of channels that something was earned by, and how many of them were sampled. */
  readonly coalitions: number;
  readonly sampled: number;
  /** `no_null_paths`: no contrast between coalitions; `equal_fallback`: in some paths no channel added anything. */
  readonly flags: readonly ('no_null_paths' | 'equal_fallback')[];
}

const PRIOR = 20;
const SAMPLING = { mostExact: MOST_EXACT, seed: 1, tolerance: 0.01, mostPermutations: 2_000 };

/**
 * Rate-based Shapley: a coalition is worth the rate at which paths of exactly its channels convert.
 *
 *   v(S) = (conversions + m · p) / (paths + m)    p: the overall rate, m: `prior` (20)    v*(S) = max over T ⊆ S of v(T)
 *
 * What no path shows is worth p (0 without a prior); nobody, the rate of paths without a touch if the file has any that
 * did not convert, else 0. Each path is shared by the Shapley values among its own channels, cut at 0 and made to add
 * up to 1; equally where all are 0.
 *
 * Exact for paths of up to 14 distinct channels; longer ones are sampled, and the result says how far off it may be.
 */
export function shapleyRate(
  paths: CountedPaths,
  { prior = PRIOR, ...settings }: RateSettings = {},
): RateCredits {
  const overall = overallRate(paths);
  const { conversions, nulls } = paths.unattributed;
  const shared = shareByWorth(paths, settings, {
    nobody: nulls > 0 ? conversions / (conversions + nulls) : 0,
    unseen: prior > 0 ? overall : 0,
    of: (it) => (it.conversions + prior * overall) / (it.conversions + it.nulls + prior),
  });
  const isWithoutNulls = overall === 1;
  return isWithoutNulls ? { ...shared, flags: ['no_null_paths', ...shared.flags] } : shared;
}

/** Shares what each coalition earned by Shapley values among its own channels, by any worth of coalitions. */
export function shareByWorth(
  paths: CountedPaths,
  { isMonotone = true, by = 'set', sampling }: Omit<RateSettings, 'prior'>,
  worth: Worth,
): RateCredits {
  const { mostExact, ...chances } = { ...SAMPLING, ...sampling };
  const coalitions = coalitionsOf(paths, by);
  const earning = coalitions.list.filter((it) => it.conversions > 0 || it.value > 0);
  const columns = () => new Float64Array(paths.channels.length);
  const [conversions, value, offConversions, offValue] = [columns(), columns(), columns(), columns()];
  let isEqual = false;
  let sampled = 0;
  for (const coalition of earning) {
    const isExact = coalition.members.length <= mostExact;
    if (!isExact) sampled += 1;
    const { values, errors } = isExact
      ? exactly(coalition, coalitions, worth, isMonotone)
      : bySample(coalition, coalitions, worth, isMonotone, chances);
    const total = values.reduce((sum, it) => sum + Math.max(0, it), 0);
    if (total === 0) isEqual = true;
    for (const [i, channel] of coalition.members.entries()) {
      const part = total > 0 ? Math.max(0, values[i]!) / total : 1 / values.length;
      const off = total > 0 ? (errors?.[i] ?? 0) / total : 0;
      conversions[channel]! += coalition.conversions * part;
      value[channel]! += coalition.value * part;
      offConversions[channel]! += (coalition.conversions * off) ** 2;
      offValue[channel]! += (coalition.value * off) ** 2;
    }
  }
  const channels = creditsOf(paths, conversions, value).map((it, c) => ({
    ...it,
    standardError: { conversions: Math.sqrt(offConversions[c]!), value: Math.sqrt(offValue[c]!) },
  }));
  return { channels, coalitions: earning.length, sampled, flags: isEqual ? ['equal_fallback'] : [] };
}

interface Values {
  readonly values: Float64Array;
  readonly errors?: Float64Array;
}

function exactly({ members }: Coalition, all: Coalitions, worth: Worth, isMonotone: boolean): Values {
  const table = Float64Array.from(partsOf(members, all), (part, bits) =>
    bits === 0 ? worth.nobody : part ? worth.of(part) : worth.unseen,
  );
  return { values: shapley(isMonotone ? closeUpwards(table) : table) };
}

function bySample(
  { members }: Coalition,
  all: Coalitions,
  worth: Worth,
  isMonotone: boolean,
  { tolerance, ...chances }: Sampling,
): Values {
  const along = isMonotone ? bestAlong(members, all, worth) : worthAlong(members, all, worth);
  const whole = along(Uint32Array.from(members, (_, i) => i));
  const spread = Math.abs(whole[members.length]! - whole[0]!);
  const { values, standardErrors } = sampledShapley(members.length, along, {
    ...chances,
    tolerance: tolerance * spread,
  });
  return { values, errors: standardErrors };
}
