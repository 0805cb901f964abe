import { z } from 'zod';
import { untold } from '../privacy/untold.ts';
import { addGroups, nobody, withoutGroup } from './effect.ts';
import type { EffectTally, Group } from './effect-tally.ts';
import {
  daysOf,
  overlapOf,
  priceOf,
  type ShownCount,
  showDays,
  shownCount,
  showOverlaps,
  teller,
} from './forecast-shown.ts';

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

function showGroup(it: Group, k: number, left: ReadonlySet<string>, name: string): ShownGroup {
  const show = (what: 'profiles' | 'converted'): ShownCount =>
    left.has(`${what} ${name}`) ? `<${k}` : it[what];
  const counts = { profiles: show('profiles'), converted: show('converted') };
  if (left.has(`profiles ${name}`) || left.has(`converted ${name}`)) return counts;
  return {
    ...counts,
    rate: shareOf(it.converted, it.profiles),
    perConversion: it.conversions === 0 ? 0 : it.spend / it.conversions,
    perProfile: meanOf(it),
  };
}

/**
 * What of holders and of everybody else may not be told, of a tag and of each of its values. How many hold it is known to
 * whoever may list them, and so is that nobody of nobody did anything; what the few did must not follow from what is told
 * of the others. Who did not convert is a group as well.
 *
 * @param parts holders as a whole by the name '', and by value
 */
function leftOut(all: Group, parts: readonly (readonly [string, Group])[], k: number): ReadonlySet<string> {
  const groups = parts.flatMap(([name, it]): (readonly [string, Group])[] => [
    [name, it],
    [`not ${name}`, withoutGroup(all, it)],
  ]);
  const values = parts.flatMap(([name]) => (name === '' ? [] : [name]));
  const named = (of: readonly (readonly [string, Group])[]) =>
    of.flatMap(([name, { profiles, converted }]) => [
      [`profiles ${name}`, profiles] as const,
      [`converted ${name}`, converted] as const,
      [`idle ${name}`, profiles - converted] as const,
    ]);
  const ties = ['converted', 'idle'].flatMap((what) => [
    ...parts.map(([name]) => [`${what} of all`, `${what} ${name}`, `${what} not ${name}`]),
    ...(values.length > 0 ? [[`${what} `, ...values.map((name) => `${what} ${name}`)]] : []),
  ]);
  const within = groups.map(([name]) => [`converted ${name}`, `idle ${name}`]);
  const nobodys = groups.filter(([, { profiles }]) => profiles === 0);
  const known = [...named([['of all', all], ...nobodys]).map(([name]) => name)];
  return untold(
    Object.fromEntries(named([['of all', all], ...groups])),
    [...ties, ...within],
    k,
    new Set(known),
  );
}

function compare(
  [name, holders]: readonly [string, Group],
  others: Group,
  k: number,
  left: ReadonlySet<string>,
): z.infer<typeof comparison> {
  const shown = {
    holders: showGroup(holders, k, left, name),
    others: showGroup(others, k, left, `not ${name}`),
  };
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
  const left = leftOut(all, [['', holders], ...byValue], k);
  const shown = byValue.map((it) => [it[0], compare(it, withoutGroup(all, it[1]), k, left)]);
  return {
    tag,
    ...compare(['', holders], withoutGroup(all, holders), k, left),
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

/** How the tag's days ended, and other tags of those who hold it at the end. @param names of the days, oldest first */
export function showEnd(
  { days, overlap }: EffectTally,
  names: readonly string[],
  k: number,
): { days: z.infer<typeof effectDay>[]; overlap: z.infer<typeof effectOverlap>[] } {
  const last = 'members at the end';
  const ended = daysOf(days, last);
  const tags = overlapOf(overlap, last, days.at(-1)?.members ?? 0);
  const sizes = { ...tags.sizes, ...ended.sizes };
  const left = untold(sizes, [...ended.ties, ...tags.ties], k, new Set(tags.known), priceOf);
  const show = teller(sizes, left, k);
  return {
    days: showDays(names, ended, show),
    overlap: showOverlaps(Object.keys(overlap).sort(), show),
  };
}
