import { noteTier, standing, type TierChange } from '../attribution/tier.ts';
import { allows, type Consents, hear } from '../consent/consents.ts';
import { countsAlways } from '../consent/said.ts';
import type { Event, Json } from '../events/event.ts';
import type { Brand } from '../platform/brand.ts';
import { type Cells, copyCells, emptyCells, foldEvent, prune } from '../tags/cells.ts';
import { boundaries } from '../tags/changes.ts';
import { evaluateTags, type TagValue, type View } from '../tags/evaluate.ts';
import type { RuleBook } from '../tags/rulebook.ts';
import { type Activity, foldActivity, isBooked } from './activity.ts';

/** A trait as the latest event that spoke of it left it; `null` says that it was taken away. */
export interface Trait {
  readonly value: Json;
  readonly at: string;
  readonly event: string;
}

/** A tag that is held: its value, the instant since which it has had it, the version of the rule that says so. */
export interface HeldTag {
  readonly value: TagValue;
  /** Milliseconds. An event's time or the end of a window, never the time at which somebody looked. */
  readonly since: number;
  readonly version: number;
}

/**
 * One profile, as its events have made it up to an instant. It is what a sequential reader would know who had read
 * the events in the order of their times and watched every window end: nothing here depends on arrival.
 */
export interface Person {
  readonly traits: Map<string, Trait>;
  readonly tags: Map<string, HeldTag>;
  cells: Cells;
  /** Of whoever has never said anything of it: none. */
  consents?: Consents | undefined;
  first?: { readonly at: string; readonly channel: string };
  last?: { readonly at: string; readonly channel: string };
  /** What was done on the newest brand-day. */
  activity?: Activity;
  /** The instant from which on nothing that happens is used (`lib/privacy/restriction.ts`): of the profile, told by its graph. */
  readonly restricted?: string | undefined;
  /** How they stood for the credit of their orders, where the brand goes by tags; a cluster keeps them of now alone (`Shown`). */
  tiers: readonly TierChange[];
  /** How far the walk has come, in milliseconds: every window end up to here has been looked at. */
  walkedTo: number;
}

export interface Rules {
  readonly book: RuleBook;
  readonly brand: Brand;
}

export const emptyPerson = (restricted?: string): Person => ({
  restricted,
  traits: new Map(),
  tags: new Map(),
  cells: emptyCells(),
  tiers: [],
  walkedTo: Number.NEGATIVE_INFINITY,
});

/** A copy that can be walked on without touching the original. */
export const copyPerson = (person: Person, restricted = person.restricted): Person => ({
  ...person,
  restricted,
  traits: new Map(person.traits),
  tags: new Map(person.tags),
  cells: copyCells(person.cells),
});

/** What rules see of a person. */
export const viewOf = (person: Person): View => ({
  cells: person.cells,
  traits: traitsOf(person),
  was: person.tags,
  consents: person.consents,
});

export function traitsOf(person: Person): Record<string, Json> {
  const traits: Record<string, Json> = {};
  for (const name of [...person.traits.keys()].sort()) {
    const value = person.traits.get(name)?.value;
    if (value !== undefined && value !== null) traits[name] = value;
  }
  return traits;
}

/**
 * Walks a person on through events in time order, all of them later than what the person has seen. Tags are evaluated
 * at every instant at which an event happened or a window's content changed, once: events of one instant are one
 * step, and so is a window that ends with them. So `since` is exact however late or in what batches the events came.
 *
 * What is said of consent holds from its own instant on. Events that nobody allowed to be analysed at their time count
 * for nothing but for when the person was seen, and an order or a refund for the day's books; so does all that happens from
 * the instant on at which they are restricted, and then they hold no tag.
 *
 * @param onDay is told each brand-day's activity as it grows
 */
export function walk(
  person: Person,
  events: readonly Event[],
  rules: Rules,
  onDay?: (activity: Activity) => void,
): void {
  for (let i = 0; i < events.length; ) {
    const from = i;
    const occurredAt = events[from]?.occurredAt ?? '';
    const at = Date.parse(occurredAt);
    const isFirst = !Number.isFinite(person.walkedTo);
    const isUsed = person.restricted === undefined || occurredAt < person.restricted;
    if (!isUsed) person.tags.clear();
    let speaks = isUsed && (isFirst || passTime(person, at, rules)); // a rule may hold of somebody of whom nothing is known
    while (events[i]?.occurredAt === occurredAt) i++;
    const together = events.slice(from, i);
    const consents = hear(person.consents, together);
    if (consents !== person.consents) {
      person.consents = consents;
      speaks ||= isUsed && rules.book.readsConsent;
    }
    const isAllowed = isUsed && allows(consents, 'analytics', rules.book.consent);
    const counted = isAllowed ? together : isUsed ? together.filter(countsAlways) : [];
    for (const event of counted) speaks = see(person, event, at, rules) || speaks;
    for (const { source } of together) {
      person.first ??= { at: occurredAt, channel: source.channel };
      person.last = { at: occurredAt, channel: source.channel };
    }
    if (speaks) evaluate(person, at, rules);
    person.walkedTo = at;
    for (const event of together) {
      if (!isAllowed && !isBooked(event, rules.brand)) continue;
      person.activity = foldActivity(person.activity, event, person, rules);
      onDay?.(person.activity);
    }
  }
}

/** Takes in one event; answers whether any rule reads anything of it. */
function see(person: Person, event: Event, at: number, { book }: Rules): boolean {
  const said = (value: Json): Trait => ({ value, at: event.occurredAt, event: event.id });
  for (const [name, value] of Object.entries(event.traits ?? {})) person.traits.set(name, said(value));
  for (const [name, value] of Object.entries(event.traitsOnce ?? {})) {
    const known = person.traits.get(name)?.value;
    if (known === undefined || known === null) person.traits.set(name, said(value));
  }
  const { id, type, properties, source } = event;
  foldEvent(book, person.cells, { id, type, at, properties, channel: source.channel });
  return event.traits !== undefined || event.traitsOnce !== undefined || book.featuresOf(type).length > 0;
}

/** Evaluates at each end of a window before an instant; answers whether one ends at the instant itself. */
function passTime(person: Person, to: number, rules: Rules): boolean {
  const ends = boundaries(rules.book, person.cells, person.walkedTo, to, traitsOf(person));
  for (const at of ends) if (at < to) evaluate(person, at, rules);
  return ends.at(-1) === to;
}

/**
 * Watches time pass up to an instant: re-evaluates at each end of a window on the way. Never goes backwards. Whoever is
 * restricted holds nothing, whatever the time.
 */
export function watch(person: Person, to: number, rules: Rules): void {
  if (person.restricted !== undefined) person.tags.clear();
  if (person.restricted !== undefined || !(to > person.walkedTo) || !Number.isFinite(person.walkedTo)) return;
  if (passTime(person, to, rules)) evaluate(person, to, rules);
  person.walkedTo = to;
}

/** Forgets what no window can see any more from here on. */
export function forget(person: Person, rules: Rules): void {
  if (Number.isFinite(person.walkedTo)) prune(rules.book, person.cells, person.walkedTo);
}

function evaluate(person: Person, at: number, { book, brand }: Rules): void {
  const earned = evaluateTags(book, viewOf(person), at);
  for (const { tag, version } of book.rules) {
    const value = earned.get(tag);
    if (value === undefined) person.tags.delete(tag);
    else if (person.tags.get(tag)?.value !== value) person.tags.set(tag, { value, since: at, version });
  }
  const { tags } = brand.attribution.composite.tier;
  if (tags) person.tiers = noteTier(person.tiers, at, standing(person.tags, tags));
}
