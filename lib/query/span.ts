import { z } from 'zod';
import { instantOf } from '../events/time.ts';
import { toIso } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { type Calendar, dayNumber } from '../tags/calendar.ts';

/** A time as a query says it: a whole brand-day, or one instant in milliseconds. */
export type Moment = { readonly day: number } | { readonly at: number };

const MEANING = 'a brand-day such as 2026-11-11, or an instant such as 2026-11-11T20:00:00+08:00';

/** Years that stored times have: four digits, so that their string order stays time order. */
const YEARS = /^(19[7-9]\d|2\d{3})-/;

/**
 * A brand-day `2026-11-11`, or an instant by RFC 3339 with any offset. A blank stands for the `+` of an offset: that is
 * what a query makes of a `+` which nobody encoded.
 */
export const moment = z
  .string()
  .meta({ description: MEANING })
  .transform((text, context): Moment => {
    const said = text.replace(/ (\d\d:?\d\d)$/, '+$1');
    const known = YEARS.test(said) && z.iso.date().safeParse(said.slice(0, 10)).success;
    if (known && said.length === 10) return { day: dayNumber(said) };
    const at = known ? instantOf(said) : undefined;
    if (at !== undefined) return { at };
    context.addIssue({ code: 'custom', message: `give ${MEANING}` });
    return z.NEVER;
  });

export interface Asked {
  readonly from?: Moment | undefined;
  readonly to?: Moment | undefined;
}

/** Instants, RFC 3339 UTC with milliseconds: from ≤ time < to. */
export interface Span {
  readonly from?: string;
  readonly to?: string;
}

/**
 * The instants that a query means. A brand-day counts whole, as `from` and as `to`; an instant is the first that is in,
 * or the first that is not.
 *
 * @throws RejectedError `bad_range` if no time can be in it
 */
export function spanOf({ from, to }: Asked, calendar: Calendar): Span {
  const start = from && ('at' in from ? from.at : calendar.startOfDay(from.day));
  const end = to && ('at' in to ? to.at : calendar.startOfDay(to.day + 1));
  if (start !== undefined && end !== undefined && start >= end)
    throw new RejectedError('bad_range', 'nothing is between `from` and `to`: `from` has to come first');
  return {
    ...(start !== undefined && { from: toIso(start) }),
    ...(end !== undefined && { to: toIso(end) }),
  };
}

/** The brand-day that a query means: of an instant, the day that it lies in. */
export const dayOf = (moment: Moment, calendar: Calendar): number =>
  'at' in moment ? calendar.brandDay(moment.at) : moment.day;
