import { z } from 'zod';
import { type Sizes, untold } from '../privacy/untold.ts';
import { SAMPLE } from './forecast.ts';
import type { Tally } from './forecast-tally.ts';

/** A count, or `<k` where it is less than k: of small groups nothing is told, not even that nobody is in them. */
export const shownCount = z.union([z.int(), z.string().regex(/^<\d+$/)]);
export type ShownCount = z.infer<typeof shownCount>;

const group = z.object({
  members: shownCount,
  /** Where the rule has values: by value. */
  values: z.record(z.string(), shownCount).optional(),
});

export const shownForecast = z.object({
  profiles: shownCount,
  /** By the rules in force, and by the draft. */
  before: group,
  after: group,
  enter: shownCount,
  leave: shownCount,
  /** Hold it before and after, with another value. */
  change: shownCount,
  /** By the draft, oldest first: how a brand-day ends, who came and who went since the one before; today, as it is. */
  days: z.array(z.object({ day: z.iso.date(), members: shownCount, entered: shownCount, left: shownCount })),
  /** Other tags, the largest overlap first. */
  overlap: z.array(z.object({ tag: z.string(), members: shownCount, both: shownCount })),
  /** Other tags that gain or lose profiles because their rules read this one. */
  others: z.array(z.object({ tag: z.string(), enter: shownCount, leave: shownCount })),
  cost: z.object({ journals: z.int(), events: z.int(), readUnits: z.number() }),
});
export type ShownForecast = z.infer<typeof shownForecast>;

export const showCount = (count: number, k: number): ShownCount => (count < k ? `<${k}` : count);

/** A number of an answer, if it may be told. */
export const teller =
  (sizes: Sizes, left: ReadonlySet<string>, k: number) =>
  (name: string): ShownCount =>
    left.has(name) ? `<${k}` : (sizes[name] ?? 0);

/** Days of members, who came and who went: each day's members follow from those of the day before. */
export interface Days {
  readonly sizes: Sizes;
  readonly ties: readonly (readonly string[])[];
  /** What the members of the last day are called. */
  readonly last: string;
}

/** @param last what the last day's members are called elsewhere in the answer */
export function daysOf(days: Tally['days'], last: string): Days {
  const members = (i: number) => (i === days.length - 1 ? last : `members ${i}`);
  return {
    last,
    sizes: Object.fromEntries(
      days.flatMap((day, i) => [
        [members(i), day.members],
        [`entered ${i}`, day.entered],
        [`left ${i}`, day.left],
      ]),
    ),
    ties: days.flatMap((_, i) =>
      i === 0 ? [] : [[members(i - 1), `entered ${i}`, members(i), `left ${i}`]],
    ),
  };
}

export const showDays = (names: readonly string[], { last }: Days, show: (name: string) => ShownCount) =>
  names.map((day, i) => ({
    day,
    members: show(i === names.length - 1 ? last : `members ${i}`),
    entered: show(`entered ${i}`),
    left: show(`left ${i}`),
  }));

/** Who holds other tags, and the one that is told of too: what is left of either without the other is a group as well. */
export function overlapOf(
  others: Readonly<Record<string, { readonly members: number; readonly both: number }>>,
  whole: string,
  size: number,
): Omit<Days, 'last'> & { readonly known: readonly string[] } {
  const tags = Object.entries(others);
  return {
    sizes: Object.fromEntries(
      tags.flatMap(([tag, { members, both }]) => [
        [`members of ${tag}`, members],
        [`both ${tag}`, both],
        [`only ${tag}`, members - both],
        [`without ${tag}`, size - both],
      ]),
    ),
    ties: tags.flatMap(([tag]) => [
      [`members of ${tag}`, `both ${tag}`, `only ${tag}`],
      [whole, `both ${tag}`, `without ${tag}`],
    ]),
    known: tags.map(([tag]) => `members of ${tag}`),
  };
}

/** The largest overlap first, by what is shown: the order of what is not would tell its size. */
export const showOverlaps = (tags: readonly string[], show: (name: string) => ShownCount) =>
  tags
    .map((tag) => ({ tag, members: show(`members of ${tag}`), both: show(`both ${tag}`) }))
    .sort((a, b) => shownSize(b.both) - shownSize(a.both) || (a.tag < b.tag ? -1 : 1));

const shownSize = (count: ShownCount): number => (typeof count === 'number' ? count : 0);

/** What is shown nowhere costs nothing, a day little, how many hold the tag the most. */
export const priceOf = (name: string): number => {
  const at = [/^(?:only|without) /, /^(?:members|entered|left) \d/].findIndex((it) => it.test(name));
  return at >= 0 ? at : /^(?:after|members at the end)$/.test(name) ? 3 : 2;
};

/** The numbers of a forecast by name, and which of them may not be told. */
function told(tally: Tally, k: number) {
  const [before, after] = [sumOf(tally.before), sumOf(tally.after)];
  const days = daysOf(tally.days, 'after');
  const overlap = overlapOf(tally.others, 'after', after);
  const values = (side: 'before' | 'after') =>
    Object.entries(tally[side]).flatMap(([name, size]) =>
      name === 'true' ? [] : [[`${side} ${name}`, size] as const],
    );
  const { profiles, enter, leave, change } = tally;
  const sizes: Sizes = {
    ...days.sizes,
    ...overlap.sizes,
    ...Object.fromEntries([...values('before'), ...values('after')]),
    ...Object.fromEntries(
      Object.entries(tally.others).flatMap(([tag, it]) => [
        [`enter ${tag}`, it.enter],
        [`leave ${tag}`, it.leave],
      ]),
    ),
    ...{ profiles, before, after, enter, leave, change },
  };
  const ties = [
    ['before', 'enter', 'leave', 'after'],
    ...(['before', 'after'] as const).flatMap((side) => {
      const names = values(side).map(([name]) => name);
      return names.length > 0 ? [[side, ...names]] : [];
    }),
    ...days.ties,
    ...overlap.ties,
  ];
  const none = before === 0 ? ['leave', 'change'] : []; // whom nobody held nobody can lose
  const known = new Set(['before', ...none, ...values('before').map(([name]) => name), ...overlap.known]);
  // A draft that changes hardly anything would tell of those few by every number that is not as it was.
  const isSmall = k > 1 && enter + leave + change < k;
  const drafted = Object.keys(sizes).filter((name) => !known.has(name) && name !== 'profiles');
  const left = isSmall
    ? new Set([...untold(sizes, [], k), ...drafted])
    : untold(sizes, ties, k, known, priceOf);
  return { sizes, left, days, show: teller(sizes, left, k) };
}

const sumOf = (values: Readonly<Record<string, number>>): number =>
  Object.values(values).reduce((sum, count) => sum + count, 0);

/** A tally as it may be told. @param days the brand-days that it counts, oldest first */
export function showForecast(tally: Tally, days: readonly string[], k: number): ShownForecast {
  const it = told(tally, k);
  const { show } = it;
  const others = Object.entries(tally.others).sort(([a], [b]) => (a < b ? -1 : 1));
  const group = (side: 'before' | 'after') => {
    const names = Object.keys(tally[side]).filter((name) => name !== 'true');
    const shown = names.sort().map((name) => [name, show(`${side} ${name}`)]);
    return { members: show(side), ...(names.length > 0 && { values: Object.fromEntries(shown) }) };
  };
  return {
    profiles: show('profiles'),
    before: group('before'),
    after: group('after'),
    ...{ enter: show('enter'), leave: show('leave'), change: show('change') },
    days: showDays(days, it.days, show),
    overlap: showOverlaps(
      others.map(([tag]) => tag),
      show,
    ),
    others: others
      .map(([tag]) => ({ tag, enter: show(`enter ${tag}`), leave: show(`leave ${tag}`) }))
      .filter(({ enter, leave }) => shownSize(enter) + shownSize(leave) > 0), // that a tag is listed tells too
    cost: tally.cost,
  };
}

export interface Sampled {
  readonly profile: string;
  readonly change: 'enter' | 'leave';
}

/** At most ten of those that enter or leave, both in turn; none of a group that is not told. */
export function sampleOf(tally: Tally, k: number): Sampled[] {
  const { left } = told(tally, k);
  const of = (change: Sampled['change']) =>
    left.has(change) ? [] : tally.sample[change].map((profile): Sampled => ({ profile, change }));
  const [entering, leaving] = [of('enter'), of('leave')];
  const inTurn = Array.from({ length: SAMPLE }, (_, i) => [entering[i], leaving[i]]).flat();
  return inTurn.filter((it) => it !== undefined).slice(0, SAMPLE);
}
