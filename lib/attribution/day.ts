import { DAY, dayName } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';

/** More days than a report covers: five years of them. */
const MAX_DAYS = 1_830;

/** Every brand-day from one to another, both in. @throws RejectedError if there are none or too many. */
export function daysFrom(from: string, to: string): string[] {
  const start = Date.parse(from);
  const count = (Date.parse(to) - start) / DAY + 1;
  if (!(count >= 1 && count <= MAX_DAYS))
    throw new RejectedError('bad_range', `attribution: from ${from} to ${to} is not 1 to ${MAX_DAYS} days`);
  return Array.from({ length: count }, (_, i) => dayName(start / DAY + i));
}
