import { z } from 'zod';
import { reportModel } from '../attribution/report.ts';
import { DAY, dayName, SECOND } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import type { HttpRequest } from '../platform/http.ts';
import { answerReport, type ReportDeps } from '../query/report.ts';
import type { Route } from '../query/route.ts';
import { dayNumber } from '../tags/calendar.ts';
import { whoMay } from './roles.ts';
import { hidden } from './suppress.ts';
import { groupDimensions, toldNames, toldOnce } from './told-store.ts';

const PPM = 1_000_000;

/** What is together in a line because one by one it is too small. */
export const SMALL = '(small)';

/** A year and a day, in weeks. */
const MOST_WEEKS = 53;

const line = z.object({ name: z.string(), ppm: z.int(), net: z.int() });
type Line = z.infer<typeof line>;

/** A week as it was told first; null: nothing of it may be told. */
const toldWeek = z.object({ lines: z.array(line).nullable() });

/** Longer than anybody may ask back. */
const KEPT_MS = 800 * DAY;

/** The report for those who see no single person. */
export const groupReportRoute = {
  method: 'GET',
  path: '/groups/attribution',
  summary:
    'Credited conversions and money for those who see no single person: whole weeks, each with small lines put together, or not told at all, as where somebody in it was erased',
  query: z.object({
    from: z.iso.date(),
    to: z.iso.date(),
    by: z.enum(groupDimensions).default('channel'),
    model: reportModel.optional(),
  }),
  answer: z.object({
    from: z.string(),
    to: z.string(),
    by: z.string(),
    currency: z.string(),
    rows: z.array(line),
    weeks: z.object({ told: z.int(), untold: z.int() }),
  }),
  roles: whoMay('groups'),
} satisfies Route;

/**
 * A week's lines as they may be told: every line of k conversions or more, the others as one, which is again at least
 * two of them and k conversions; none if that cannot be.
 */
export function toldLines(lines: readonly Line[], k: number): Line[] | undefined {
  const untold = hidden(Object.fromEntries(lines.map(({ name, ppm }) => [name, ppm / PPM])), k);
  if (!untold) return undefined;
  const told = lines.filter(({ name }) => !untold.has(name));
  const rest = lines.filter(({ name }) => untold.has(name));
  return rest.length === 0 ? told : [...told, sumOf(SMALL, rest)];
}

const sumOf = (name: string, lines: readonly Line[]): Line => ({
  name,
  ppm: lines.reduce((sum, { ppm }) => sum + ppm, 0),
  net: lines.reduce((sum, { net }) => sum + net, 0),
});

/** Mondays from one day to another. @throws RejectedError 400 unless the days begin and end whole weeks that are over */
function weeksOf(from: number, to: number, today: number): number[] {
  const isMonday = (day: number) => (day + 3) % 7 === 0; // 1970-01-01 was a Thursday
  if (!isMonday(from) || !isMonday(to + 1) || to < from || to >= today)
    throw new RejectedError('bad_range', 'give whole weeks that are over: `from` a Monday, `to` a Sunday');
  if (to - from >= MOST_WEEKS * 7)
    throw new RejectedError('bad_range', `at most ${MOST_WEEKS} weeks at once`);
  return Array.from({ length: (to + 1 - from) / 7 }, (_, i) => from + 7 * i);
}

/**
 * `GET /groups/attribution`: the sum of what may be told of each week, as it was first told: what came late is not
 * in it, and where somebody who had bought is erased nothing is told of the week until k are gone. So two answers say, taken from each other, what a third says,
 * and nothing of a single day or a single person: A minus A without u is a week, or nothing.
 */
export async function groupReport(said: HttpRequest['query'], deps: ReportDeps) {
  const parsed = groupReportRoute.query.strict().safeParse({ ...said });
  if (!parsed.success)
    throw new RejectedError(
      'bad_query',
      parsed.error.issues.map(({ path, message }) => `${path}: ${message}`).join('; '),
    );
  const { from, to, by, model } = parsed.data;
  const { k } = deps.brand.privacy;
  const rows: Line[] = [];
  let told = 0;
  const weeks = weeksOf(dayNumber(from), dayNumber(to), deps.calendar.brandDay(deps.now()));
  for (const monday of weeks) {
    const week = { from: dayName(monday), to: dayName(monday + 6), by, ...(model && { model }) };
    const until = Math.ceil((deps.now() + KEPT_MS) / SECOND);
    const name = toldNames.week(week.from, by, model);
    const { lines } = await toldOnce({ table: deps.table, name, until, shape: toldWeek }, async () => {
      const { rows: all } = await answerReport(week, deps);
      const some = all.map(({ name, ppm, net }) => ({ name, ppm, net })).filter(({ ppm }) => ppm > 0);
      return { lines: toldLines(some, k) ?? null };
    });
    if (!lines) continue;
    told++;
    rows.push(...lines);
  }
  const names = [...new Set(rows.map(({ name }) => name))];
  const sums = names.map((name) =>
    sumOf(
      name,
      rows.filter((it) => it.name === name),
    ),
  );
  return {
    ...{ from, to, by, currency: deps.brand.currency },
    rows: sums.sort((a, b) => b.ppm - a.ppm || (a.name < b.name ? -1 : 1)),
    weeks: { told, untold: weeks.length - told },
  };
}
