import type { Received } from '../channels/channel.ts';
import type { Source, Tally } from '../events/event.ts';
import { toIso } from '../platform/clock.ts';

/** How many names one request may add to the counts; the rest of them are one. */
const NAMES = 20;
const NAME_LENGTH = 64;
/** Stands for the names beyond. */
export const OTHER = '(other)';

/** What an accepted request was beside its events and faults; nothing if that is all. */
export function tallyOf(
  { ignored, notices }: Pick<Received, 'ignored' | 'notices'>,
  source: Source,
  now: number,
): Tally | undefined {
  if (ignored.length + notices.length === 0) return undefined;
  return {
    source,
    at: toIso(now),
    ...(ignored.length > 0 && { ignored: countsOf(ignored) }),
    ...(notices.length > 0 && { notices: countsOf(notices.map(({ type }) => type)) }),
  };
}

/** A request that was refused after its account was found. */
export const refusalOf = (reason: string, source: Source, now: number): Tally => ({
  source,
  at: toIso(now),
  refused: reason.slice(0, NAME_LENGTH),
});

function countsOf(names: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const said of names) {
    const name = said.slice(0, NAME_LENGTH).trim() || OTHER;
    const counted = counts.has(name) || counts.size < NAMES ? name : OTHER;
    counts.set(counted, (counts.get(counted) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}
