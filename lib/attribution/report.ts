import { z } from 'zod';
import { modelName } from '../platform/brand.ts';
import { daysFrom } from './day.ts';
import { brandDay, type DayRow, UNATTRIBUTED } from './row.ts';
import { WHOLE } from './split.ts';
import type { ConversionStore } from './store.ts';

/** What touches of no campaign are called in a report by campaign. */
export const NO_CAMPAIGN = '(no campaign)';
/** Conversions that were shared before the brand used the model. */
export const NOT_SHARED = '(not shared)';

/** What a report is asked for: brand-days from one to another, both in. */
export const reportQuery = z.strictObject({
  model: modelName,
  from: brandDay,
  to: brandDay,
  by: z.enum(['channel', 'campaign']),
  /** Amounts of different currencies are never added up; conversions in others are counted apart. */
  currency: z.string().regex(/^[A-Z]{3}$/),
  /** Only conversions of this goal. */
  goal: z.string().optional(),
});
export type ReportQuery = z.infer<typeof reportQuery>;

const sums = {
  /** Credited conversions in ppm: 1,000,000 is one conversion. */
  ppm: z.int(),
  /** Minor units before refunds, refunded, and what is left. */
  gross: z.int(),
  refunded: z.int(),
  net: z.int(),
};
const reportLine = z.strictObject({ name: z.string(), ...sums });
export type ReportLine = z.infer<typeof reportLine>;

export const reportAnswer = reportQuery.extend({
  /** The largest first; `(unattributed)` is a line like any other, and always there. */
  rows: z.array(reportLine),
  totals: z.strictObject({ conversions: z.int(), ...sums }),
  /** Conversions in other currencies, which are in no row. */
  otherCurrencies: z.record(z.string(), z.int()),
});
export type Report = z.infer<typeof reportAnswer>;

/**
 * Adds up the credits of conversions by channel or campaign, in one model. The totals are counted from the
 * conversions themselves, and the rows add up to them to the minor unit.
 *
 * A channel that was on a path and earned nothing in this model is listed with zeros.
 *
 * @throws RangeError beyond 2⁵³ minor units, rather than rounding
 */
export function report(query: ReportQuery, conversions: Iterable<DayRow>): Report {
  const { model, from, to, by, currency, goal } = query;
  const lines = new Map<string, ReportLine>();
  const totals = { conversions: 0, ppm: 0, gross: 0, refunded: 0, net: 0 };
  const otherCurrencies: Record<string, number> = {};
  const lineOf = (name: string): ReportLine => {
    const line = lines.get(name) ?? { name, ppm: 0, gross: 0, refunded: 0, net: 0 };
    lines.set(name, line);
    return line;
  };
  lineOf(UNATTRIBUTED);
  for (const it of conversions) {
    if (it.day < from || it.day > to || (goal !== undefined && it.goal !== goal)) continue;
    if (it.currency !== currency) {
      otherCurrencies[it.currency] = (otherCurrencies[it.currency] ?? 0) + 1;
      continue;
    }
    totals.conversions += 1;
    add(totals, WHOLE, it.gross, it.refunded);
    const shares = it.shares[model];
    if (!shares) add(lineOf(NOT_SHARED), WHOLE, it.gross, it.refunded);
    for (const [i, [ppm, gross, refunded]] of (shares ?? []).entries()) {
      const [channel, campaign] = it.names[i]!;
      const name = by === 'channel' || channel === UNATTRIBUTED ? channel : (campaign ?? NO_CAMPAIGN);
      add(lineOf(name), ppm, gross, refunded);
    }
  }
  const rows = [...lines.values()].sort(
    (a, b) => b.net - a.net || b.ppm - a.ppm || (a.name < b.name ? -1 : 1),
  );
  return { ...query, rows, totals, otherCurrencies };
}

/** The report over what is stored. @throws RejectedError `bad_range` if the days are none or too many */
export async function reportOf(query: ReportQuery, store: Pick<ConversionStore, 'listDay'>): Promise<Report> {
  const rows: DayRow[] = [];
  for (const day of daysFrom(query.from, query.to))
    for (const row of await store.listDay(day)) rows.push(row);
  return report(query, rows);
}

function add(line: Omit<ReportLine, 'name'>, ppm: number, gross: number, refunded: number): void {
  line.ppm = exact(line.ppm + ppm);
  line.gross = exact(line.gross + gross);
  line.refunded = exact(line.refunded + refunded);
  line.net = exact(line.gross - line.refunded);
}

function exact(sum: number): number {
  if (!Number.isSafeInteger(sum)) throw new RangeError('attribution: a total beyond 2^53 minor units');
  return sum;
}
