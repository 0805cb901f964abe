import type { Event } from '../events/event.ts';
import type { AttributionSettings, Holdout } from '../platform/brand.ts';
import { DAY, MINUTE, toIso } from '../platform/clock.ts';
import { bucketOf } from '../tags/bucket.ts';
import { isLearnedFrom } from './learned-counts.ts';
import { pathOf } from './path.ts';
import type { Run } from './population.ts';
import type { ConversionRow } from './row.ts';
import type { Touch } from './touch.ts';
import { longestLookBackMs } from './window.ts';

/** One person, as the table tells of them. */
export interface Told {
  readonly profile: string;
  /** In time order, all from the look-back before the span on; whole where a holdout asks who they are. */
  readonly events: readonly Event[];
  readonly touches: readonly Touch[];
  /** Every conversion that is stored of them. */
  readonly conversions: readonly ConversionRow[];
}

export interface CountedPath {
  readonly channels: readonly string[];
  readonly conversions: number;
  readonly value: number;
  readonly nulls: number;
}

/** What one person adds to the count of everybody. */
export interface Contribution {
  readonly paths: readonly CountedPath[];
  readonly tooYoung: number;
  readonly otherCurrencies: readonly string[];
}

const inSpan = (at: string, { begin, end }: Run['span']): boolean => {
  const time = Date.parse(at);
  return begin <= time && time < end;
};

/** The person's conversions of the goal before the span's end, in order of time. */
const conversionsIn = (conversions: readonly ConversionRow[], { goal, span }: Run): ConversionRow[] =>
  conversions
    .filter(({ conversion }) => conversion.goal === goal && Date.parse(conversion.at) < span.end)
    .sort((a, b) => (a.conversion.at < b.conversion.at ? -1 : 1));

/**
 * The paths of one person: that of each conversion in the span, as its credits have it, and at most one that did not
 * convert: the tail after the last conversion, as far back as the look-back from its last touch. A tail whose last
 * touch is younger than the look-back at the end of the span may still convert: it is left out, and counted as too young.
 */
export function pathsOf(
  { touches, conversions }: Told,
  asked: Run,
  settings: AttributionSettings,
): Contribution {
  const { span, currency } = asked;
  const known = conversionsIn(conversions, asked);
  const within = known.filter(({ conversion }) => inSpan(conversion.at, span));
  const paths: CountedPath[] = [];
  const otherCurrencies: string[] = [];
  for (const { conversion, path } of within) {
    if (conversion.currency !== currency) otherCurrencies.push(conversion.currency);
    else
      paths.push({
        channels: path.touches.map(({ channel }) => channel),
        conversions: 1,
        value: conversion.value - conversion.refunded,
        nulls: 0,
      });
  }
  const after = known.at(-1)?.conversion.at ?? '';
  const tail = touches.filter(({ at }) => at > after && Date.parse(at) < span.end);
  const last = tail.at(-1);
  if (!last || !inSpan(last.at, span)) return { paths, tooYoung: 0, otherCurrencies };
  if (Date.parse(last.at) > span.end - longestLookBackMs(settings))
    return { paths, tooYoung: 1, otherCurrencies };
  const { touches: kept } = pathOf(last.at, undefined, tail, settings);
  paths.push({ channels: kept.map(({ channel }) => channel), conversions: 0, value: 0, nulls: 1 });
  return { paths, tooYoung: 0, otherCurrencies };
}

/** What the additive hazard needs of one person, in whole days, so that people with the same are counted together. */
export interface Dated {
  /** Whom parameters are chosen by, and not fitted to. */
  readonly isHeldOut: boolean;
  readonly minutes: number;
  /** Channel, and days from the touch to where watching it began and ended. */
  readonly exposures: readonly (readonly [channel: string, from: number, to: number])[];
  /** Per conversion in the span: each touch's channel and days, and what it was worth. */
  readonly conversions: readonly {
    readonly touches: readonly (readonly [channel: string, days: number])[];
    readonly value: number;
  }[];
}

/** One person under the hazard: touches count as long as the look-back, visits as they are. */
export function datedOf(
  { profile, events, touches, conversions }: Told,
  asked: Run,
  settings: AttributionSettings,
): Dated {
  const { span, currency } = asked;
  const reach = longestLookBackMs(settings);
  const first = events[0];
  const begin = Math.max(span.begin, first ? Date.parse(first.occurredAt) : span.begin);
  const days = (ms: number) => Math.floor(ms / DAY);
  const exposures = touches.flatMap(({ at, channel }): [string, number, number][] => {
    const touchedAt = Date.parse(at);
    const [from, to] = [Math.max(begin, touchedAt), Math.min(span.end, touchedAt + reach)];
    return to > from ? [[channel, days(from - touchedAt), days(to - touchedAt)]] : [];
  });
  const within = conversionsIn(conversions, asked).filter(
    ({ conversion }) => inSpan(conversion.at, span) && conversion.currency === currency,
  );
  return {
    isHeldOut: !isLearnedFrom(profile),
    minutes: Math.max(0, Math.floor((span.end - begin) / MINUTE)),
    exposures,
    conversions: within.map(({ conversion }) => {
      const at = Date.parse(conversion.at);
      const before = touches.filter((it) => it.at <= conversion.at && Date.parse(it.at) >= at - reach);
      return {
        touches: before.map((it): [string, number] => [it.channel, days(at - Date.parse(it.at))]),
        value: conversion.value - conversion.refunded,
      };
    }),
  };
}

/** What one person adds to the groups of a campaign: nothing unless they were known before it began. */
export interface Assigned {
  readonly isHeldOut: boolean;
  readonly converted: boolean;
  /** ppm of conversions that each model gives to the campaign. */
  readonly credits: Readonly<Record<string, number>>;
}

/** @param days instants at which the campaign's days begin and end */
export function assignedTo(
  { campaign, salt, of, below }: Holdout,
  { events, conversions }: Told,
  goal: string,
  days: Pick<Run['span'], 'begin' | 'end'>,
): Assigned | undefined {
  const first = events[0];
  if (!first || Date.parse(first.occurredAt) >= days.begin) return undefined;
  const bucket = bucketOf({ salt, of }, [Date.parse(first.occurredAt), first.id]);
  if (bucket === undefined) return undefined;
  const begin = toIso(days.begin);
  const end = toIso(days.end);
  const within = conversions.filter(
    ({ conversion }) => conversion.goal === goal && begin <= conversion.at && conversion.at < end,
  );
  const credits: Record<string, number> = {};
  for (const { path, credits: of } of within)
    for (const [model, credited] of Object.entries(of))
      for (const { touch, ppm } of credited)
        if (touch !== null && path.touches[touch]?.campaign === campaign)
          credits[model] = (credits[model] ?? 0) + ppm;
  return { isHeldOut: bucket < below, converted: within.length > 0, credits };
}
