import type { CompositeSettings } from '../platform/brand.ts';
import type { CustomerTier } from './composite.ts';

/** From when on a customer stood how, in milliseconds; before the first of them as `other`. */
export interface TierChange {
  readonly at: number;
  readonly tier: CustomerTier;
}

/** How many changes are kept: of who changes more often the newest. */
const MOST = 100;

/**
 * How a customer stands by the tags that they hold: `vip` before `silent`. A tag is named as `tag`, or as `tag=value`.
 *
 * @param held tags with their values
 */
export function standing(
  held: ReadonlyMap<string, { readonly value: true | string }>,
  { vip, silent }: NonNullable<CompositeSettings['tier']['tags']>,
): CustomerTier {
  const isHeld = (named: string): boolean => {
    const [tag = '', value] = named.split('=');
    const has = held.get(tag)?.value;
    return has !== undefined && (value === undefined || has === value);
  };
  if (vip.some(isHeld)) return 'vip';
  return silent.some(isHeld) ? 'silent' : 'other';
}

/** The changes, and how it stands at an instant that is none of theirs or their last. */
export function noteTier(
  changes: readonly TierChange[],
  at: number,
  tier: CustomerTier,
): readonly TierChange[] {
  const before = changes.at(-1)?.at === at ? changes.slice(0, -1) : changes;
  if ((before.at(-1)?.tier ?? 'other') === tier) return before;
  return [...before, { at, tier }].slice(-MOST);
}

/** How a customer stood just before an instant: what happened at it, the order itself too, decides on nothing. */
export const tierBefore = (changes: readonly TierChange[], at: string): CustomerTier =>
  changes.findLast((it) => it.at < Date.parse(at))?.tier ?? 'other';

/** From when on two ways to have stood differ; undefined if they never do. */
export function differFrom(a: readonly TierChange[], b: readonly TierChange[]): number | undefined {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [x, y] = [a[i], b[i]];
    if (x?.at !== y?.at || x?.tier !== y?.tier)
      return Math.min(x?.at ?? Number.POSITIVE_INFINITY, y?.at ?? Number.POSITIVE_INFINITY);
  }
  return undefined;
}
