import { z } from 'zod';
import { DAY } from '../platform/clock.ts';
import type { SpendLine } from './spend.ts';
import { WHOLE } from './split.ts';

/** What was spent on a line of a report, beside what it is credited with in the report's first model. */
export const cost = z.strictObject({
  /** Minor units. */
  spend: z.int(),
  /** Spend a credited conversion, in minor units; `null`: it has none. */
  cpa: z.int().nullable(),
  /** Money credited after refunds, over the spend; `null`: nothing was spent. */
  roas: z.number().nullable(),
  /**
   * Brand-days from the first that was spent on to that on which the money credited since the report's first day has
   * reached all that was spent until its last; `null`: it has not.
   */
  paybackDays: z.int().nullable(),
});
export type Cost = z.infer<typeof cost>;

interface Spent {
  spend: number;
  readonly first: string;
  readonly earned: Map<string, number>;
}

/**
 * Costs of a report's lines.
 *
 * @param spend in the order of days
 * @param nameOf the line that spend belongs to; undefined: to none
 */
export function costCounter(spend: readonly SpendLine[], nameOf: (it: SpendLine) => string) {
  const lines = new Map<string, Spent>();
  const whole: Spent = { spend: 0, first: spend[0]?.day ?? '', earned: new Map() };
  for (const it of spend) {
    const name = nameOf(it);
    const known = lines.get(name) ?? { spend: 0, first: it.day, earned: new Map<string, number>() };
    known.spend += it.amount;
    whole.spend += it.amount;
    lines.set(name, known);
  }
  return {
    /** Every line that something was spent on. */
    names: () => lines.keys(),
    /** What a line earned on a brand-day. */
    earn(name: string, day: string, net: number): void {
      for (const line of [lines.get(name), whole]) line?.earned.set(day, (line.earned.get(day) ?? 0) + net);
    },
    costOf(name: string, sums: { ppm: number; net: number }): Cost | undefined {
      const line = lines.get(name);
      return line && costOf(line, sums);
    },
    total: (sums: { ppm: number; net: number }): Cost | undefined =>
      spend.length > 0 ? costOf(whole, sums) : undefined,
  };
}

const costOf = (line: Spent, { ppm, net }: { ppm: number; net: number }): Cost => ({
  spend: line.spend,
  cpa: ppm > 0 ? Math.round((line.spend * WHOLE) / ppm) : null,
  roas: line.spend > 0 ? net / line.spend : null,
  paybackDays: paybackOf(line),
});

function paybackOf({ spend, first, earned }: Spent): number | null {
  let left = spend;
  for (const [day, net] of [...earned].sort(([a], [b]) => (a < b ? -1 : 1))) {
    left -= net;
    if (left <= 0) return Math.max(0, (Date.parse(day) - Date.parse(first)) / DAY);
  }
  return null;
}
