import { z } from 'zod';
import { DAY } from '../platform/clock.ts';

/** How many of the paths that most conversions came by are listed. */
const MOST_PATHS = 20;
/** A longer path is listed by its newest names, after `LONGER`. */
const MOST_NAMES = 12;
const LONGER = '…';

const spread = z.strictObject({
  /** `null` of no conversion. */
  mean: z.number().nullable(),
  median: z.number().nullable(),
  /** Ascending. */
  counts: z.array(z.strictObject({ value: z.int(), conversions: z.int() })),
});

/** What a report says of the ways by which conversions came. */
export const pathSummary = z.strictObject({
  /** Conversions with a touch. */
  conversions: z.int(),
  /** Touches on a path. */
  length: spread,
  /** Whole days from the first touch to the conversion. */
  days: spread,
  /** Those that most conversions came by. A name that follows itself is listed once. */
  top: z.array(z.strictObject({ path: z.array(z.string()), conversions: z.int(), net: z.int() })),
});
type PathSummary = z.infer<typeof pathSummary>;

/** Counts the ways by which conversions came. */
export function pathCounter() {
  const lengths = new Map<number, number>();
  const days = new Map<number, number>();
  const ways = new Map<string, { path: string[]; conversions: number; net: number }>();
  let conversions = 0;
  return {
    /** @param names of the path's touches, in time order; at least one */
    take(names: readonly string[], spanMs: number, net: number): void {
      conversions++;
      count(lengths, names.length);
      count(days, Math.floor(spanMs / DAY));
      const steps = names.filter((name, i) => name !== names[i - 1]);
      const path = steps.length > MOST_NAMES ? [LONGER, ...steps.slice(-MOST_NAMES)] : steps;
      const key = JSON.stringify(path);
      const way = ways.get(key) ?? { path, conversions: 0, net: 0 };
      way.conversions += 1;
      way.net += net;
      ways.set(key, way);
    },

    summary(): PathSummary {
      const top = [...ways].sort(
        ([a, left], [b, right]) =>
          right.conversions - left.conversions || right.net - left.net || (a < b ? -1 : 1),
      );
      return {
        conversions,
        length: spreadOf(lengths),
        days: spreadOf(days),
        top: top.slice(0, MOST_PATHS).map(([, way]) => way),
      };
    },
  };
}

const count = (counts: Map<number, number>, value: number) => counts.set(value, (counts.get(value) ?? 0) + 1);

function spreadOf(of: ReadonlyMap<number, number>): z.infer<typeof spread> {
  const counts = [...of].sort(([a], [b]) => a - b).map(([value, conversions]) => ({ value, conversions }));
  const total = counts.reduce((sum, it) => sum + it.conversions, 0);
  if (total === 0) return { mean: null, median: null, counts };
  const sum = counts.reduce((all, it) => all + it.value * it.conversions, 0);
  const [low, high] = [nth(counts, Math.ceil(total / 2)), nth(counts, Math.floor(total / 2) + 1)];
  return { mean: sum / total, median: (low + high) / 2, counts };
}

/** The nth smallest value, from 1. */
function nth(counts: readonly { value: number; conversions: number }[], n: number): number {
  let before = 0;
  for (const { value, conversions } of counts) {
    before += conversions;
    if (before >= n) return value;
  }
  return 0;
}
