import type { Brand } from '../platform/brand.ts';
import { HOUR, toIso } from '../platform/clock.ts';
import type { Entry } from './store.ts';

/** Somebody used what they may use, in a way that somebody else should know of. */
export interface OddUse {
  readonly kind: 'bulk_read' | 'night_export';
  /** The key, and the name of its owner. */
  readonly key: string;
  readonly who: string;
  /** Different people that were read, or exports. */
  readonly count: number;
}

/** How far a look at the log goes back. */
export const LOOK_BACK_MS = HOUR;

/**
 * What is odd in the entries of the last hour: more than `bulkReads` different people read with one key (a page of a tag
 * counts each of its members), or an export asked for, approved or read between `night.from` and `night.to` by the
 * brand's clock. What an entry of the same hour has said already is not said again.
 *
 * @param now the end of the hour: later entries are not looked at
 */
export function oddUse(
  entries: readonly Entry[],
  { timezone, privacy }: Pick<Brand, 'timezone' | 'privacy'>,
  now: number,
): OddUse[] {
  const hourOf = brandHour(timezone);
  const [since, until] = [toIso(now - LOOK_BACK_MS), toIso(now)];
  const recent = entries.filter(({ at }) => at > since && at <= until);
  const said = new Set(
    recent.filter(({ what }) => what === 'odd_use').map(({ details }) => nameOf(details?.kind, details?.key)),
  );
  const found = [...byKey(recent.filter(({ what }) => what !== 'odd_use'))].flatMap(([key, theirs]) => {
    const who = theirs[0]?.who ?? '';
    const people = new Set(theirs.flatMap(({ subjects = [] }) => subjects)).size;
    const atNight = theirs.filter(
      ({ what, at }) => what.startsWith('export_') && isNight(hourOf(at), privacy.night),
    ).length;
    return [
      ...(people > privacy.bulkReads ? [{ kind: 'bulk_read' as const, key, who, count: people }] : []),
      ...(atNight > 0 ? [{ kind: 'night_export' as const, key, who, count: atNight }] : []),
    ];
  });
  return found.filter(({ kind, key }) => !said.has(nameOf(kind, key)));
}

const nameOf = (kind: unknown, key: unknown): string => `${kind} ${key}`;

function byKey(entries: readonly Entry[]): Map<string, Entry[]> {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const key = entry.key ?? entry.who;
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  return groups;
}

/** `from` = `to`: there is no night. Over midnight if `from` is the later one. */
function isNight(hour: number, { from, to }: Brand['privacy']['night']): boolean {
  return from <= to ? hour >= from && hour < to : hour >= from || hour < to;
}

function brandHour(timeZone: string): (at: string) => number {
  const hours = new Intl.DateTimeFormat('en', { timeZone, hour: 'numeric', hourCycle: 'h23' });
  return (at) => Number(hours.format(Date.parse(at)));
}
