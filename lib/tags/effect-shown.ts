import { z } from 'zod';
import { addGroups, nobody, withoutGroup } from './effect.ts';
import type { EffectTally, Group } from './effect-tally.ts';
import { showCount, shownCount } from './forecast-shown.ts';

/** A figure with the interval that holds its true value in 95 of 100 cases. */
const estimate = z.object({ value: z.number(), from: z.number(), to: z.number() });
type Estimate = z.infer<typeof estimate>;

export const shownGroup = z.object({
  profiles: shownCount,
  converted: shownCount,
  /** Share of the profiles that converted; absent where either count is small. */
  rate: estimate.optional(),
  /** Minor units: a conversion, on average, and what a profile spent, with or without one. */
  perConversion: z.number().optional(),
  perProfile: estimate.optional(),
});
export type ShownGroup = z.infer<typeof shownGroup>;

const comparison = z.object({
  holders: shownGroup,
  others: shownGroup,
  /** Holders less others. */
  difference: z.object({ rate: estimate, perProfile: estimate }).optional(),
});

export const retireReason = z.enum(['few', 'everybody', 'no_difference']);

export const tagEffect = comparison.extend({
  tag: z.string(),
  /** Where the rule has values: each against everybody else. */
  values: z.record(z.string(), comparison).optional(),
  /** Why the tag might go: too few hold it, too few do not, or it makes no difference of more than five points. */
  retire: retireReason.optional(),
});
export type TagEffect = z.infer<typeof tagEffect>;

export const effectDay = z.object({
  day: z.iso.date(),
  members: shownCount,
  entered: shownCount,
  left: shownCount,
});
export const effectOverlap = z.object({ tag: z.string(), members: shownCount, both: shownCount });

const Z = 1.959964;
/** Rates that are known to be nearer to each other than this are taken for one. */
const SAME = 0.05;

/**
 * Wilson's interval of a share of n:
 *
 *   (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n)
 *
 * It keeps between 0 and 1 where few or all did.
 */
export function shareOf(part: number, n: number): Estimate {
  if (n === 0) return { value: 0, from: 0, to: 1 };
  const p = part / n;
  const middle = p + Z ** 2 / (2 * n);
  const reach = Z * Math.sqrt((p * (1 - p)) / n + Z ** 2 / (4 * n ** 2));
  const scale = 1 + Z ** 2 / n;
  return {
    value: p,
    from: Math.min(p, Math.max(0, (middle - reach) / scale)),
    to: Math.max(p, Math.min(1, (middle + reach) / scale)),
  };
}

/** Newcombe's interval of the difference of two shares, of their Wilson intervals. */
export function shareDifference(a: Estimate, b: Estimate): Estimate {
  const value = a.value - b.value;
  return {
    value,
    from: value - Math.hypot(a.value - a.from, b.to - b.value),
    to: value + Math.hypot(a.to - a.value, b.value - b.from),
  };
}

/** The mean of what profiles spent, ± z·s/√n; the variance (n·Σx² − (Σx)²)/(n(n−1)) is exact before it is divided. */
export function meanOf({ profiles, spend, squares }: Group): Estimate {
  if (profiles === 0) return { value: 0, from: 0, to: 0 };
  const value = spend / profiles;
  const scaled = BigInt(profiles) * BigInt(squares) - BigInt(spend) ** 2n;
  const variance = profiles > 1 ? Number(scaled) / (profiles * (profiles - 1)) : 0;
  const reach = Z * Math.sqrt(variance / profiles);
  return { value, from: value - reach, to: value + reach };
}

function meanDifference(a: Estimate, b: Estimate): Estimate {
  const value = a.value - b.value;
  const reach = Math.hypot(a.to - a.value, b.to - b.value);
  return { value, from: value - reach, to: value + reach };
}

function showGroup(it: Group, k: number): ShownGroup {
  const counts = { profiles: showCount(it.profiles, k), converted: showCount(it.converted, k) };
  if (it.profiles < k || it.converted < k) return counts;
  return {
    ...counts,
    rate: shareOf(it.converted, it.profiles),
    perConversion: it.conversions === 0 ? 0 : it.spend / it.conversions,
    perProfile: meanOf(it),
  };
}

function compare(holders: Group, others: Group, k: number): z.infer<typeof comparison> {
  const shown = { holders: showGroup(holders, k), others: showGroup(others, k) };
  if (!shown.holders.rate || !shown.others.rate) return shown;
  return { ...shown, difference: differenceOf(holders, others) };
}

const differenceOf = (a: Group, b: Group) => ({
  rate: shareDifference(shareOf(a.converted, a.profiles), shareOf(b.converted, b.profiles)),
  perProfile: meanDifference(meanOf(a), meanOf(b)),
});

/** What holders of a tag did, against others. @param k groups smaller than this are not counted out */
export function showEffect(tag: string, { all, tags }: EffectTally, k: number): TagEffect {
  const values = tags[tag] ?? {};
  const holders = Object.values(values).reduce(addGroups, nobody);
  const names = Object.keys(values).filter((name) => name !== 'true');
  const byValue = names.sort().map((name) => [name, values[name] ?? nobody] as const);
  const pairs = byValue.length > 0 ? byValue.map(([, it]) => it) : [holders];
  const reasons = pairs.map((it) => reasonOf(it, withoutGroup(all, it), k));
  const retire = reasons.every((it) => it !== undefined) ? reasons[0] : undefined;
  const shown = byValue.map(([name, it]) => [name, compare(it, withoutGroup(all, it), k)]);
  return {
    tag,
    ...compare(holders, withoutGroup(all, holders), k),
    ...(byValue.length > 0 && { values: Object.fromEntries(shown) }),
    ...(retire && { retire }),
  };
}

/** Why a tag separates nothing; undefined if it does, or if nobody can tell yet. */
function reasonOf(holders: Group, others: Group, k: number): z.infer<typeof retireReason> | undefined {
  if (holders.profiles < k) return 'few';
  if (others.profiles < k) return 'everybody';
  const { rate, perProfile } = differenceOf(holders, others);
  const isSame = rate.from > -SAME && rate.to < SAME && rate.from <= 0 && rate.to >= 0;
  return isSame && perProfile.from <= 0 && perProfile.to >= 0 ? 'no_difference' : undefined;
}

/** Other tags of the holders, the largest overlap first; that of small groups tells nothing by its place. */
export function showOverlap({ overlap }: EffectTally, k: number): z.infer<typeof effectOverlap>[] {
  const size = (both: number) => (both < k ? 0 : both);
  return Object.entries(overlap)
    .sort(([a, x], [b, y]) => size(y.both) - size(x.both) || (a < b ? -1 : 1))
    .map(([tag, { members, both }]) => ({ tag, members: showCount(members, k), both: showCount(both, k) }));
}
