import type { Event } from '../events/event.ts';
import type { Brand, ConversionRule } from '../platform/brand.ts';
import type { EffectTally, Group } from './effect-tally.ts';
import type { TagValue } from './evaluate.ts';

export const nobody: Group = { profiles: 0, converted: 0, conversions: 0, spend: 0, squares: '0' };

export const emptyEffect = (days: number): EffectTally => ({
  all: { ...nobody },
  tags: {},
  days: Array.from({ length: days }, () => ({ members: 0, entered: 0, left: 0 })),
  overlap: {},
});

export const addGroups = (a: Group, b: Group): Group => ({
  profiles: a.profiles + b.profiles,
  converted: a.converted + b.converted,
  conversions: a.conversions + b.conversions,
  spend: a.spend + b.spend,
  squares: String(BigInt(a.squares) + BigInt(b.squares)),
});

/** Those of the first group that are not in the second, which is a part of it. */
export const withoutGroup = (a: Group, b: Group): Group => ({
  profiles: a.profiles - b.profiles,
  converted: a.converted - b.converted,
  conversions: a.conversions - b.conversions,
  spend: a.spend - b.spend,
  squares: String(BigInt(a.squares) - BigInt(b.squares)),
});

/**
 * The conversions of one profile at from ≤ time < to, as a group of one. Events with one key are one conversion, worth
 * what the last of them says; amounts in other currencies count 0, refunds take nothing away.
 *
 * @param events of one profile, in time order
 */
export function conversionsOf(
  events: readonly Event[],
  rule: ConversionRule,
  span: { readonly from: string; readonly to: string },
  { currency }: Pick<Brand, 'currency'>,
): Group {
  const values = new Map<string, number>();
  for (const { id, type, occurredAt, properties } of events) {
    if (type !== rule.event || occurredAt < span.from || occurredAt >= span.to) continue;
    const key = properties[rule.key];
    const amount = rule.value === undefined ? 0 : properties[rule.value];
    const isOurs = (properties[rule.currency] ?? currency) === currency;
    const value = isOurs && Number.isSafeInteger(amount) ? Math.max(0, Number(amount)) : 0;
    values.set(key === undefined || key === null ? `event ${id}` : `key ${JSON.stringify(key)}`, value);
  }
  const spend = [...values.values()].reduce((sum, value) => sum + value, 0);
  return {
    ...{ profiles: 1, converted: Number(values.size > 0), conversions: values.size, spend },
    squares: String(BigInt(spend) ** 2n),
  };
}

/** One profile, as its days went. */
export interface Lived {
  /** Whether it was known before the first day. */
  readonly isKnown: boolean;
  readonly did: Group;
  /** Every tag that it held as the first day began, and at the end. */
  readonly before: ReadonlyMap<string, TagValue>;
  readonly after: ReadonlyMap<string, TagValue>;
  /** The tag that was asked for: before the first day, and as each day ends. */
  readonly values: readonly (TagValue | undefined)[];
}

/** Counts one profile. */
export function effectOfOne(
  { isKnown, did, before, after, values }: Lived,
  tag: string | undefined,
): EffectTally {
  const held = isKnown ? [...before] : [];
  const hasTag = tag !== undefined && after.has(tag);
  return {
    all: isKnown ? did : { ...nobody },
    tags: Object.fromEntries(held.map(([name, value]) => [name, { [String(value)]: did }])),
    days: values.slice(1).map((value, i) => ({
      members: Number(value !== undefined),
      entered: Number(value !== undefined && values[i] === undefined),
      left: Number(value === undefined && values[i] !== undefined),
    })),
    overlap:
      tag === undefined
        ? {}
        : Object.fromEntries(
            [...after.keys()]
              .filter((name) => name !== tag)
              .map((name) => [name, { members: 1, both: Number(hasTag) }]),
          ),
  };
}

/** Adds to a tally in place: a survey adds one profile after another. */
export function addEffect(all: EffectTally, it: EffectTally): void {
  all.all = addGroups(all.all, it.all);
  for (const [tag, values] of Object.entries(it.tags)) {
    all.tags[tag] ??= {};
    const so = all.tags[tag];
    for (const [value, more] of Object.entries(values)) so[value] = addGroups(so[value] ?? nobody, more);
  }
  for (const [i, { members, entered, left }] of it.days.entries()) {
    const so = all.days[i] ?? { members: 0, entered: 0, left: 0 };
    all.days[i] = { members: so.members + members, entered: so.entered + entered, left: so.left + left };
  }
  for (const [tag, { members, both }] of Object.entries(it.overlap)) {
    const so = all.overlap[tag] ?? { members: 0, both: 0 };
    all.overlap[tag] = { members: so.members + members, both: so.both + both };
  }
}
