import { z } from 'zod';
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

/** A tally as it may be told. @param days the brand-days that it counts, oldest first */
export function showForecast(tally: Tally, days: readonly string[], k: number): ShownForecast {
  const show = (count: number) => showCount(count, k);
  const others = Object.entries(tally.others);
  return {
    profiles: show(tally.profiles),
    before: showGroup(tally.before, k),
    after: showGroup(tally.after, k),
    enter: show(tally.enter),
    leave: show(tally.leave),
    change: show(tally.change),
    days: days.map((day, i) => {
      const { members = 0, entered = 0, left = 0 } = tally.days[i] ?? {};
      return { day, members: show(members), entered: show(entered), left: show(left) };
    }),
    overlap: others
      .sort(([a, x], [b, y]) => shownSize(y.both, k) - shownSize(x.both, k) || (a < b ? -1 : 1))
      .map(([tag, { members, both }]) => ({ tag, members: show(members), both: show(both) })),
    others: others
      .filter(([, { enter, leave }]) => enter + leave > 0)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([tag, { enter, leave }]) => ({ tag, enter: show(enter), leave: show(leave) })),
    cost: tally.cost,
  };
}

/** By what is shown: the order of small groups would tell their sizes. */
const shownSize = (count: number, k: number): number => (count < k ? 0 : count);

function showGroup(values: Readonly<Record<string, number>>, k: number): z.infer<typeof group> {
  const members = Object.values(values).reduce((sum, count) => sum + count, 0);
  const names = Object.keys(values).filter((name) => name !== 'true');
  const shown = Object.fromEntries(names.sort().map((name) => [name, showCount(values[name] ?? 0, k)]));
  return { members: showCount(members, k), ...(names.length > 0 && { values: shown }) };
}

export interface Sampled {
  readonly profile: string;
  readonly change: 'enter' | 'leave';
}

/** At most ten of those that enter or leave, both in turn; none of a small group. */
export function sampleOf({ enter, leave, sample }: Tally, k: number): Sampled[] {
  const of = (change: Sampled['change'], count: number) =>
    count < k ? [] : sample[change].map((profile): Sampled => ({ profile, change }));
  const [entering, leaving] = [of('enter', enter), of('leave', leave)];
  const inTurn = Array.from({ length: SAMPLE }, (_, i) => [entering[i], leaving[i]]).flat();
  return inTurn.filter((it) => it !== undefined).slice(0, SAMPLE);
}
