import { isConsent } from '../consent/said.ts';
import type { Event } from '../events/event.ts';
import type { Brand } from '../platform/brand.ts';
import type { Calendar } from '../tags/calendar.ts';
import type { RuleBook } from '../tags/rulebook.ts';
import type { Rules } from './person.ts';

/** What of a brand says how long events are kept. */
type Keeping = Pick<Brand, 'conversions' | 'retention'>;

/**
 * What has expired, as it stood at an instant: of each type the events that occurred before another instant, both in
 * milliseconds. A state names it until it is out of the journal (`entry.expiry`), so that whoever takes it out, whenever, takes
 * out what the state was folded without and nothing else.
 */
export interface Cut {
  readonly before: number;
  /** Types that are kept longer, or shorter. */
  readonly types: ReadonlyMap<string, number>;
}

type Told = Pick<Event, 'type' | 'occurredAt'>;

/** On how many brand-days events are kept, and of which types another number. */
interface Kept {
  readonly days: number;
  readonly types: ReadonlyMap<string, number>;
}

const kept = new WeakMap<Keeping, Kept>();

/** How long a brand keeps events: of its books first, then what it says itself. Worked out once. */
export function daysKept(of: Keeping): Kept {
  const known = kept.get(of);
  if (known) return known;
  const found = daysToKeep(of);
  kept.set(of, found);
  return found;
}

function daysToKeep({ conversions, retention }: Keeping): Kept {
  const { days, orders, types } = retention.events;
  const booked = conversions.flatMap(({ event, refund }) => (refund ? [event, refund.event] : [event]));
  const all = [...booked.map((type) => [type, orders] as const), ...Object.entries(types)];
  return { days, types: new Map([...new Map(all)].filter(([, other]) => other !== days)) };
}

/**
 * The soonest instant at which one of some events is to be no more, in milliseconds; Infinity: never. An event is kept on
 * so many brand-days, its own the first, and goes with the midnight after them: on the days that a rule's window of as many
 * sees it, and on no other. What was said of consent is kept as long as the profile: it is its proof, and who forgot a refusal
 * would take it for a grant.
 */
export function soonestExpiry(events: readonly Told[], of: Keeping, calendar: Calendar): number {
  const { days, types } = daysKept(of);
  let soonest = Number.POSITIVE_INFINITY;
  for (const event of events) {
    if (isConsent(event)) continue;
    const day = calendar.brandDay(Date.parse(event.occurredAt));
    soonest = Math.min(soonest, calendar.startOfDay(day + (types.get(event.type) ?? days)));
  }
  return soonest;
}

/** What has expired at an instant: the same from one of the brand's midnights to the next. */
export function cutAt(now: number, of: Keeping, calendar: Calendar): Cut {
  const { days, types } = daysKept(of);
  const today = calendar.brandDay(now);
  const before = (kept: number) => calendar.startOfDay(today - kept + 1);
  return { before: before(days), types: new Map([...types].map(([type, kept]) => [type, before(kept)])) };
}

/** What a state is folded by. */
interface Standard {
  readonly brand: Keeping;
  readonly today: number;
  readonly cut: Cut;
  readonly isKept: (event: Told) => boolean;
  /** As `soonestExpiry`. */
  readonly soonest: (events: readonly Told[]) => number;
}

/** By book, what was last asked for. */
const standards = new WeakMap<RuleBook, Standard>();

/** What a state is folded by at an instant: the same all day. */
export function keepingAt(now: number, { brand, book }: Rules): Standard {
  const { calendar } = book;
  const today = calendar.brandDay(now);
  const known = standards.get(book);
  if (known?.today === today && known.brand === brand) return known;
  const cut = cutAt(now, brand, calendar);
  const standard: Standard = {
    ...{ brand, today, cut },
    isKept: (event) => !isCut(event, cut),
    soonest: (events) => soonestExpiry(events, brand, calendar),
  };
  standards.set(book, standard);
  return standard;
}

/** Whether an event is of what has expired. */
export const isCut = (event: Told, { before, types }: Cut): boolean =>
  Date.parse(event.occurredAt) < (types.get(event.type) ?? before) && !isConsent(event);

/** A cut as an outbox names it, without spaces. */
export const cutText = ({ before, types }: Cut): string =>
  [before, ...[...types].map(([type, at]) => `${type}=${at}`)].join(',');

export function parseCut(text: string): Cut {
  const [before, ...types] = text.split(',');
  return {
    before: Number(before),
    types: new Map(types.map((it) => it.split('=')).map(([type = '', at]) => [type, Number(at)])),
  };
}
