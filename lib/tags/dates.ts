import type { Json } from '../events/event.ts';
import { DAY } from '../platform/clock.ts';
import { type Calendar, dayNumber, isoDay } from './calendar.ts';

/**
 * What is asked of a date, with `n` days, on brand-day D:
 *
 *   before, on, after   the date against a day that stands in the rule, for ever the same
 *   withinLast          D − n < date ≤ D        withinNext   D ≤ date < D + n
 *   anniversary         D ≤ the date's month and day in a later year < D + n; 29 February is the 28th in other years
 */
export type DateAsk =
  | { readonly is: 'before' | 'on' | 'after'; readonly day: number }
  | { readonly is: 'withinLast' | 'withinNext' | 'anniversary'; readonly days: number };

/** Whether the answer is another on another day. */
export const passes = ({ is }: DateAsk): boolean =>
  is === 'withinLast' || is === 'withinNext' || is === 'anniversary';

/** So far ahead anniversaries are told: every one is another year's within this time, leap days too. */
export const YEARS_AHEAD = 9;

/** A date as rules know it; one without a year has no brand-day and is asked for anniversaries only. */
export interface DateValue {
  readonly day: number | undefined;
  readonly month: number;
  readonly date: number;
}

/**
 * A value as a date: `2026-11-11` is that brand-day, a time with its offset (or in milliseconds, `isTime`) the
 * brand-day that it lies in, `11-11` and `--11-11` a date without a year. Undefined for anything else.
 */
export function dateValue(
  value: Json | undefined,
  isTime: boolean,
  calendar: Calendar,
): DateValue | undefined {
  if (isTime) return typeof value === 'number' ? onDay(calendar.brandDay(value)) : undefined;
  if (typeof value !== 'string') return undefined;
  const [, yearless] = /^(?:--)?(\d\d-\d\d)$/.exec(value) ?? [];
  if (yearless !== undefined) {
    const day = realDay(`2000-${yearless}`);
    return day === undefined ? undefined : { ...onDay(day), day: undefined };
  }
  const day = realDay(value.slice(0, 10));
  if (day === undefined || value.length === 10) return day === undefined ? undefined : onDay(day);
  return TIME.test(value.slice(10)) ? ofTime(Date.parse(value), calendar) : undefined;
}

const TIME = /^T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** A date that is in the calendar, `2026-02-30` is not. */
export function realDay(text: string): number | undefined {
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? dayNumber(text) : Number.NaN;
  return Number.isInteger(day) && isoDay(day) === text ? day : undefined;
}

const ofTime = (at: number, calendar: Calendar) =>
  Number.isFinite(at) ? onDay(calendar.brandDay(at)) : undefined;

function onDay(day: number): DateValue {
  const date = new Date(day * DAY);
  return { day, month: date.getUTCMonth(), date: date.getUTCDate() };
}

/** The answer on a brand-day; undefined where the date has no year and one is needed. */
export function answer(ask: DateAsk, value: DateValue, today: number): boolean | undefined {
  if (ask.is === 'anniversary') {
    const days = anniversaries(value, [yearOf(today), yearOf(today) + 1]);
    return days.some((day) => today <= day && day < today + ask.days);
  }
  const { day } = value;
  if (day === undefined) return undefined;
  switch (ask.is) {
    case 'before':
      return day < ask.day;
    case 'on':
      return day === ask.day;
    case 'after':
      return day > ask.day;
    case 'withinLast':
      return today - ask.days < day && day <= today;
    case 'withinNext':
      return today <= day && day < today + ask.days;
  }
}

/** The brand-days with which the answer may become another, of those from the first to the second, ends included. */
export function turningDays(ask: DateAsk, value: DateValue, from: number, to: number): number[] {
  const { day } = value;
  if (ask.is === 'anniversary') {
    const first = yearOf(from);
    const years = Math.min(YEARS_AHEAD, yearOf(Math.min(to, from + 366 * YEARS_AHEAD)) - first + 1);
    const all = anniversaries(
      value,
      Array.from({ length: years + 1 }, (_, i) => first + i),
    );
    return all.flatMap((it) => [it - ask.days + 1, it + 1]).filter((it) => it >= from && it <= to);
  }
  if (day === undefined || !('days' in ask)) return [];
  const turns = ask.is === 'withinLast' ? [day, day + ask.days] : [day - ask.days + 1, day + 1];
  return turns.filter((it) => it >= from && it <= to);
}

const yearOf = (day: number): number => new Date(day * DAY).getUTCFullYear();

function anniversaries({ day = Number.NEGATIVE_INFINITY, month, date }: DateValue, years: readonly number[]) {
  return years
    .map((year) => {
      const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
      return Date.UTC(year, month, Math.min(date, last)) / DAY;
    })
    .filter((it) => it > day);
}

/** A question as it is written. */
export const askText = (ask: DateAsk): string =>
  `.${ask.is}("${'day' in ask ? isoDay(ask.day) : `${ask.days}d`}")`;
