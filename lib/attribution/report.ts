import { z } from 'zod';
import { type ModelName, modelName, populationModel } from '../platform/brand-words.ts';
import { DAY, dayName } from '../platform/clock.ts';
import { daysFrom } from './day.ts';
import type { Generations } from './generations.ts';
import { liftAnswer } from './lift.ts';
import { type ChannelWeights, weighByChannel } from './population-share.ts';
import type { ConversionReader } from './read.ts';
import { type Cost, cost, costCounter } from './report-cost.ts';
import { pathCounter, pathSummary } from './report-paths.ts';
import { brandDay, type DayRow, dimensions, UNATTRIBUTED } from './row.ts';
import type { SpendLine } from './spend.ts';
import { splitter, WHOLE } from './split.ts';

/** What touches of no campaign, content, staff or scene are called in a report by these. */
export const nobodys = (by: string): string => `(no ${by})`;
/** Conversions that were shared before the brand used the model. */
export const NOT_SHARED = '(not shared)';

/** What a report can be told by: the models of single orders, and those that are learned of everybody. */
export const reportModel = z.enum([...modelName.options, ...populationModel.options]);
export type ReportModel = z.infer<typeof reportModel>;

/** What a report is asked for: brand-days from one to another, both in. */
export const reportQuery = z.strictObject({
  /** The first is the one that lines are sorted by. */
  models: z.array(reportModel).min(1),
  from: brandDay,
  to: brandDay,
  /** `cohort`: the week of the path's first touch, by its Monday. */
  by: z.enum([...dimensions, 'day', 'cohort']),
  /** Amounts of different currencies are never added up; conversions in others are counted apart. */
  currency: z.string().regex(/^[A-Z]{3}$/),
  /** Only conversions of this goal. */
  goal: z.string().optional(),
});
export type ReportQuery = z.infer<typeof reportQuery>;

const sums = z.strictObject({
  /** Credited conversions in ppm: 1,000,000 is one conversion. */
  ppm: z.int(),
  /** Minor units before refunds, refunded, and what is left. */
  gross: z.int(),
  refunded: z.int(),
  net: z.int(),
});
type Sums = z.infer<typeof sums>;

const reportLine = sums.extend({
  name: z.string(),
  /** Conversions whose last touch was its own, and those that it was on the way of without being the last. */
  closes: z.int(),
  assists: z.int(),
  /** In each model, where several were asked for; the line's own figures are those of the first. */
  models: z.partialRecord(reportModel, sums).optional(),
  /** Where something was spent on it: by channel, campaign and day. */
  cost: cost.optional(),
});
export type ReportLine = z.infer<typeof reportLine>;

const difference = z.strictObject({ name: z.string(), ppm: z.int(), net: z.int() });

export const reportAnswer = reportQuery.extend({
  /** The first of `models`. */
  model: reportModel,
  /** The largest first, or day by day; `(unattributed)` is a line like any other, and always there. */
  rows: z.array(reportLine),
  totals: sums.extend({ conversions: z.int(), cost: cost.optional() }),
  /** Of two models: who gains and who loses by the second, the most first. Both add up to the same. */
  comparison: z
    .strictObject({
      from: reportModel,
      to: reportModel,
      gains: z.array(difference),
      losses: z.array(difference),
    })
    .optional(),
  paths: pathSummary,
  /** Conversions in other currencies, which are in no row. */
  otherCurrencies: z.record(z.string(), z.int()),
  /** The version of each model that is learned of everybody. */
  versions: z.partialRecord(reportModel, z.string()).optional(),
  /** By campaign: what campaigns brought by those whom they leave alone, as it was last counted. */
  holdouts: z.array(liftAnswer).optional(),
  /** The settings that all of it was told by; and those by which everybody is being told at this moment. */
  settings: z.strictObject({ current: z.string().optional(), next: z.string().optional() }).optional(),
});
export type Report = z.infer<typeof reportAnswer>;

/** What a report takes from elsewhere than the conversions. */
export interface Beside {
  /** Of the population models that it is told by. */
  readonly weights?: ReadonlyMap<ReportModel, ChannelWeights>;
  /** In the report's currency, in the order of days. */
  readonly spend?: readonly SpendLine[];
}

interface Line {
  readonly name: string;
  closes: number;
  assists: number;
  readonly models: ReadonlyMap<ReportModel, Sums>;
}

/**
 * Adds up the credits of conversions, in several models side by side. The totals are counted from the conversions
 * themselves, and in each model the rows add up to them to the minor unit.
 *
 * A channel that was on a path and earned nothing in this model is listed with zeros.
 *
 * @throws RangeError beyond 2⁵³ minor units, rather than rounding
 */
export function reporter(query: ReportQuery, { weights = new Map(), spend = [] }: Beside = {}) {
  const { models, from, to, by, currency, goal } = query;
  const place = by === 'day' || by === 'cohort' ? 0 : dimensions.indexOf(by);
  const costs = costCounter(spendNamed[by] ? spend : [], (it) => spendNamed[by]?.(it) ?? nobodys(by));
  const lines = new Map<string, Line>();
  const tellers = models.map((model) => ({ model, sharesOf: sharesBy(model, weights.get(model)) }));
  const paths = pathCounter();
  const totals = { conversions: 0, ...nothing() };
  const otherCurrencies: Record<string, number> = {};
  const lineOf = (name: string): Line => {
    const line = lines.get(name) ?? lineCalled(name, models);
    lines.set(name, line);
    return line;
  };
  for (const name of [UNATTRIBUTED, ...costs.names()]) lineOf(name);

  /** What each of a row's names is called in this report, and as a step of a path. */
  const called = (it: DayRow) =>
    it.names.map((name) => {
      const step = name[place] ?? nobodys(by);
      if (name[0] === UNATTRIBUTED) return { line: UNATTRIBUTED, step };
      return { line: by === 'day' ? it.day : by === 'cohort' ? cohortOf(it) : step, step };
    });

  return {
    take(it: DayRow): void {
      if (it.day < from || it.day > to || (goal !== undefined && it.goal !== goal)) return;
      if (it.currency !== currency) {
        otherCurrencies[it.currency] = (otherCurrencies[it.currency] ?? 0) + 1;
        return;
      }
      totals.conversions += 1;
      add(totals, WHOLE, it.gross, it.refunded);
      const names = called(it);
      for (const { model, sharesOf } of tellers) {
        const shares = sharesOf(it);
        if (!shares) add(lineOf(NOT_SHARED).models.get(model)!, WHOLE, it.gross, it.refunded);
        for (const [i, [ppm, gross, refunded]] of (shares ?? []).entries()) {
          add(lineOf(names[i]!.line).models.get(model)!, ppm, gross, refunded);
          if (model === models[0]) costs.earn(names[i]!.line, it.day, gross - refunded);
        }
      }
      const last = it.path.at(-1);
      if (last === undefined) return;
      const closer = names[last]!.line;
      lineOf(closer).closes += 1;
      for (const name of new Set(it.path.map((i) => names[i]!.line)))
        if (name !== closer) lineOf(name).assists += 1;
      paths.take(
        it.path.map((i) => names[i]!.step),
        it.spanMs,
        it.gross - it.refunded,
      );
    },

    end(): Report {
      const rows = [...lines.values()]
        .map((line) => lineAnswer(line, models, costs.costOf(line.name, line.models.get(models[0]!)!)))
        .sort(orders[by] ?? byMoney);
      const comparison = comparisonOf(rows, models);
      return {
        ...query,
        model: models[0]!,
        rows,
        totals: { ...totals, ...costNamed(costs.total(totals)) },
        ...(comparison && { comparison }),
        paths: paths.summary(),
        otherCurrencies,
      };
    },
  };
}

/** The report of some conversions. */
export function report(query: ReportQuery, conversions: Iterable<DayRow>, beside: Beside = {}): Report {
  const adding = reporter(query, beside);
  for (const it of conversions) adding.take(it);
  return adding.end();
}

/**
 * The report over what is stored, a day at a time, all of it told by the same settings: by those that held when it
 * began, and if others were switched to meanwhile, by these from the beginning.
 *
 * @throws RejectedError `bad_range` if the days are none or too many
 */
export async function reportOf(
  query: ReportQuery,
  store: Pick<ConversionReader, 'listDay' | 'generations'>,
  beside: Beside = {},
): Promise<Report> {
  for (let { state } = await store.generations.get(); ; ) {
    const adding = reporter(query, beside);
    for (const day of daysFrom(query.from, query.to))
      for (const row of await store.listDay(day, state?.current.id)) adding.take(row);
    const { state: now } = await store.generations.get();
    if (now?.current.id === state?.current.id) return { ...adding.end(), settings: settingsOf(now) };
    state = now;
  }
}

type Shares = DayRow['shares'][ModelName];

/** How a conversion is shared by a model: as its row says, or by what is known of everybody. */
function sharesBy(model: ReportModel, weights: ChannelWeights | undefined): (it: DayRow) => Shares {
  if (weights) return (it) => sharesByChannel(weights, it);
  const own = modelName.safeParse(model).data;
  return own ? (it) => it.shares[own] : () => undefined;
}

/** Shares per kind of contact, exact to the minor unit. */
function sharesByChannel(weights: ChannelWeights, { names, path, gross, refunded }: DayRow): Shares {
  if (path.length === 0) return names.map(() => [WHOLE, gross, refunded]);
  const sums = names.map((): [number, number, number] => [0, 0, 0]);
  const channels = path.map((i) => names[i]![0]);
  const parts = splitter(weighByChannel(channels, weights).map(({ weight }) => weight));
  for (const [k, whole] of [WHOLE, gross, refunded].entries())
    for (const [at, part] of parts(whole).entries()) sums[path[at]!]![k]! += part;
  return sums;
}

/** The Monday of the week of a conversion's first touch. */
function cohortOf({ day, spanMs, firstDaysAgo = Math.floor(spanMs / DAY) }: DayRow): string {
  const first = Date.parse(day) / DAY - firstDaysAgo;
  return dayName(first - ((first + 3) % 7)); // 1970 began on a Thursday
}

/** The line that spend belongs to, in reports where it belongs to one. */
const spendNamed: Partial<Record<ReportQuery['by'], (it: SpendLine) => string | undefined>> = {
  channel: ({ channel }) => channel,
  campaign: ({ campaign }) => campaign,
  day: ({ day }) => day,
};

const costNamed = (it: Cost | undefined) => (it ? { cost: it } : {});

const settingsOf = (state: Generations | undefined): Report['settings'] => ({
  ...(state && { current: state.current.id }),
  ...(state?.next && { next: state.next.id }),
});

const nothing = (): Sums => ({ ppm: 0, gross: 0, refunded: 0, net: 0 });

const lineCalled = (name: string, models: readonly ReportModel[]): Line => ({
  name,
  closes: 0,
  assists: 0,
  models: new Map(models.map((model) => [model, nothing()])),
});

const lineAnswer = (
  { name, closes, assists, models: all }: Line,
  models: readonly ReportModel[],
  spent: Cost | undefined,
): ReportLine => ({
  name,
  ...all.get(models[0]!)!,
  closes,
  assists,
  ...(models.length > 1 && { models: Object.fromEntries(all) }),
  ...costNamed(spent),
});

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
const byMoney = (a: Sums & { name: string }, b: Sums & { name: string }) =>
  b.net - a.net || b.ppm - a.ppm || byName(a, b);
/** Days stand in their own order, before what has no day. */
const byDay = (a: { name: string }, b: { name: string }) =>
  Number(a.name.startsWith('(')) - Number(b.name.startsWith('(')) || byName(a, b);
const orders: Partial<Record<ReportQuery['by'], typeof byMoney>> = { day: byDay, cohort: byDay };

function comparisonOf(rows: readonly ReportLine[], models: readonly ReportModel[]): Report['comparison'] {
  const [from, to, other] = models;
  if (!from || !to || other) return undefined;
  const moved = rows.map(({ name, models: of }) => ({
    name,
    ppm: (of?.[to]?.ppm ?? 0) - (of?.[from]?.ppm ?? 0),
    net: (of?.[to]?.net ?? 0) - (of?.[from]?.net ?? 0),
  }));
  const gained = (it: (typeof moved)[number]) => it.net || it.ppm;
  const most = (a: (typeof moved)[number], b: (typeof moved)[number]) =>
    Math.abs(b.net) - Math.abs(a.net) || Math.abs(b.ppm) - Math.abs(a.ppm) || byName(a, b);
  return {
    from,
    to,
    gains: moved.filter((it) => gained(it) > 0).sort(most),
    losses: moved.filter((it) => gained(it) < 0).sort(most),
  };
}

function add(line: Sums, ppm: number, gross: number, refunded: number): void {
  line.ppm = exact(line.ppm + ppm);
  line.gross = exact(line.gross + gross);
  line.refunded = exact(line.refunded + refunded);
  line.net = exact(line.gross - line.refunded);
}

function exact(sum: number): number {
  if (!Number.isSafeInteger(sum)) throw new RangeError('attribution: a total beyond 2^53 minor units');
  return sum;
}
