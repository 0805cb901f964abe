import { standingOf } from '../consent/consents.ts';
import type { Json } from '../events/event.ts';
import { HOUR, toIso } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { contributionOf, emptyCells, foldEvent, lifted } from './cells.ts';
import { nextChange, rulesBehind } from './changes.ts';
import { type Contribution, MAX_DISTINCT, merge, type Slot } from './columns.ts';
import { evaluateRule, evaluateTags, type TagValue, type View } from './evaluate.ts';
import { columnOf, type FoldedEvent, featureText, type SeenEvent, seeEvent } from './features.ts';
import type { Aggregate } from './leaves.ts';
import { MAX_WEIGHED } from './preference.ts';
import { BEYOND, Reading } from './reading.ts';
import { partsFor, rfmPartsOf } from './rfm-cuts.ts';
import type { CompiledRule, EventsLeaf, Leaf, RuleBook, ScoreLeaf } from './rulebook.ts';
import { phaseOn, scoreOn } from './scores.ts';
import { rowOf, waysOf } from './sequences.ts';
import { type Dates, daysInside, isInside, lastDays, type Window } from './windows.ts';

export interface ExplainedLeaf {
  /** As in the rule, in canonical form. */
  readonly text: string;
  /** What is counted, or `trait`, `tag`, `rfm`, `bucket`, `consent`. */
  readonly feature: string;
  /** Brand-days: from ≤ event < to. Hours: from < event ≤ to. */
  readonly window?: { readonly from: string; readonly to: string };
  /** The cuts of a population that a score goes by. */
  readonly cuts?: {
    readonly version: number;
    readonly asOf: string;
    /** How many were ranked. */
    readonly customers: number;
    readonly of: readonly (number | null)[];
  };
  /** The phase of the business whose weights a score goes by. */
  readonly phase?: string;
  /** Times as text; null where there is no value, so that nothing that needs it holds. */
  readonly value: Json;
}

export interface Explanation {
  readonly tag: string;
  readonly version: number;
  /** The rule as its author wrote it; of `values`, one line for each. */
  readonly rule: string;
  readonly value: TagValue | false;
  /** Which of the rule's `values` holds. */
  readonly matched?: string;
  readonly leaves: readonly ExplainedLeaf[];
  /** When the tag will have another value if nothing happens; absent if it keeps this one for ever, or for years. */
  readonly nextChangeAt?: string;
}

/** Enough for windows over the longest history: an explanation names the very instant. */
const ALL_BOUNDARIES = 10_000;

/**
 * Why a profile has a tag, or has it not, at an instant.
 *
 * @throws RejectedError `unknown_tag` if no rule earns it
 */
export function explainTag(book: RuleBook, tag: string, view: View, at: number): Explanation {
  const rule = ruleOf(book, tag);
  const reading = new Reading(book, view, at, new Map(evaluateTags(book, view, at)));
  const value = evaluateRule(rule, reading) ?? false;
  const next = nextChange(book, view, at, { tag, limit: ALL_BOUNDARIES });
  return {
    tag,
    version: rule.version,
    rule: rule.rule.when ?? rule.branches.map(({ value, source }) => `${value}: ${source}`).join('\n'),
    value,
    ...(typeof value === 'string' ? { matched: value } : {}),
    leaves: rule.leaves.map((leaf) => explainLeaf(book, leaf, reading)),
    ...(next?.exact ? { nextChangeAt: toIso(next.at) } : {}),
  };
}

/**
 * The ids of the events that stand behind a tag at an instant, of the rule's own leaves and of the tags that it
 * reads, by time and id. `first` and `last`, `min` and `max` stand on the event that gives the value alone.
 *
 * @param events all events of the profile, in any order
 * @param traits as they are at that instant; where a window is anchored on one that is not given, every event counts
 * @param held since when tags are held: behind one that is kept by `held(…)` stands also what earned it then
 */
export function evidence(
  book: RuleBook,
  tag: string,
  events: readonly FoldedEvent[],
  at: number,
  traits: View['traits'] = {},
  held: ReadonlyMap<string, { readonly since: number }> = new Map(),
): string[] {
  ruleOf(book, tag);
  const behind = rulesBehind(book, tag);
  const earned = behind.flatMap((rule) => {
    const since = rule.remembers ? held.get(rule.tag)?.since : undefined;
    return since === undefined ? [] : [{ rules: [rule], at: since }];
  });
  const counted = new Map<string, number>();
  for (const it of [{ rules: behind, at }, ...earned]) {
    const leaves = it.rules.flatMap((rule) => rule.leaves.flatMap((leaf) => partsOf(book, leaf)));
    for (const [id, time] of countedAt(it.at, new Set(leaves), book, events, traits)) counted.set(id, time);
  }
  return [...counted].sort(([a, atA], [b, atB]) => atA - atB || (a < b ? -1 : 1)).map(([id]) => id);
}

/** The ids of the events by whose word consents stand that a tag's rules ask for. */
export const saidBehind = (book: RuleBook, tag: string, { consents }: View): string[] =>
  rulesBehind(book, tag)
    .flatMap(({ leaves }) => leaves)
    .flatMap((leaf) =>
      leaf.kind === 'consent' ? (standingOf(consents, leaf.of, book.consent).by?.event ?? []) : [],
    );

/** The events that stand behind leaves at an instant, with their times. */
function countedAt(
  at: number,
  leaves: ReadonlySet<EventsLeaf>,
  book: RuleBook,
  events: readonly FoldedEvent[],
  traits: View['traits'],
): Map<string, number> {
  const reading = readingOf(book, events, at, traits);
  const seen = events.map((event) => ({
    event,
    day: book.calendar.brandDay(event.at),
    value: seeEvent(event, book.calendar),
  }));
  const counted = new Map<string, number>();
  for (const leaf of leaves) {
    if (leaf.feature.sequence) {
      for (const event of stepsBehind(leaf, seen, at, book)) counted.set(event.id, event.at);
      continue;
    }
    const inside = seen.flatMap(({ event, day, value }) => {
      if (event.at > at || event.type !== leaf.feature.type) return [];
      const isInside = leaf.anchor
        ? isReached(leaf, event.at, day, reading)
        : counts(book, leaf, event.at, day, at);
      return isInside ? (contributionOf(leaf.feature, event, day, value) ?? []) : [];
    });
    for (const { event, day, value } of seen)
      if (isAnchor(leaf, event, day, value, at)) counted.set(event.id, event.at);
    for (const { id, at } of behind(leaf, inside)) counted.set(id, at);
  }
  return counted;
}

/** What rules read of a profile of these events. */
function readingOf(
  book: RuleBook,
  events: readonly FoldedEvent[],
  at: number,
  traits: View['traits'],
): Reading {
  const cells = emptyCells();
  for (const event of events) if (event.at <= at) foldEvent(book, cells, event);
  return new Reading(book, { cells, traits }, at, new Map());
}

function isReached(leaf: EventsLeaf, time: number, day: number, reading: Reading): boolean {
  const reached = reading.reached(leaf);
  if (!reached) return leaf.anchor?.kind === 'trait';
  const point = leaf.reference.anchor?.unit === 'hour' ? time : day;
  return point >= reached.from && point < reached.to;
}

/** The events of every way through a sequence; behind its first or last end those of the ways that end there. */
function stepsBehind(
  { feature: { sequence }, reference: { aggregate } }: EventsLeaf,
  seen: readonly { event: FoldedEvent; value: SeenEvent }[],
  at: number,
  { calendar }: RuleBook,
): FoldedEvent[] {
  if (!sequence) return [];
  const known = seen.filter(({ event }) => event.at <= at);
  const ways = waysOf(
    sequence,
    known.flatMap(({ event, value }) => rowOf(sequence, event, value) ?? []),
    calendar,
  );
  const end = aggregate === 'any' ? undefined : ways.at(aggregate === 'first' ? 0 : -1)?.at;
  const ids = new Set(ways.filter((way) => end === undefined || way.at === end).flatMap((way) => way.ids));
  return known.map(({ event }) => event).filter(({ id }) => ids.has(id));
}

/** Whether a leaf's window could stand at an event: without this one it would stand at another. */
function isAnchor(
  { anchor }: EventsLeaf,
  event: FoldedEvent,
  day: number,
  value: SeenEvent,
  at: number,
): boolean {
  if (anchor?.kind !== 'events' || event.type !== anchor.feature.type || event.at > at) return false;
  return contributionOf(anchor.feature, event, day, value) !== undefined;
}

function ruleOf(book: RuleBook, tag: string): CompiledRule {
  const rule = book.ruleOf(tag);
  if (!rule) throw new RejectedError('unknown_tag', `no rule earns the tag ${JSON.stringify(tag)}`, 404);
  return rule;
}

/** A leaf as it is read. */
export function explainLeaf(book: RuleBook, leaf: Leaf, reading: Reading): ExplainedLeaf {
  const value = reading.value(leaf);
  const base = { text: leaf.text, value: shown(leaf, value) };
  if (leaf.kind === 'events') {
    const { window, dates } = leaf.reference;
    const span = leaf.anchor
      ? reachOf(book, leaf, reading)
      : window
        ? spanOf(book, window, reading.at)
        : dates && timesOf(book, dates);
    return { ...base, feature: featureText(leaf.feature), ...(span ? { window: span } : {}) };
  }
  if (leaf.kind === 'rfm') {
    const { event, windowDays } = book.rfm.settings;
    const window = spanOf(book, lastDays(windowDays), reading.at);
    const edition = leaf.by && book.quintiles?.edition;
    if (!edition) return { ...base, feature: event, window };
    const { version, asOf, customers } = edition;
    return { ...base, feature: event, window, cuts: { version, asOf, customers, of: edition[leaf.score] } };
  }
  if (leaf.kind === 'score') return { ...base, feature: 'score', ...explainScore(book, leaf, reading) };
  if (leaf.kind === 'date') {
    const feature = leaf.of.kind === 'events' ? featureText(leaf.of.feature) : 'trait';
    return { ...base, feature };
  }
  if (leaf.kind === 'bucket' || leaf.kind === 'consent') return { ...base, feature: leaf.kind };
  return { ...base, feature: leaf.kind === 'trait' || leaf.kind === 'hasTrait' ? 'trait' : 'tag' };
}

/** The score itself and not whether it passes, and the phase whose weights count. */
function explainScore({ scores }: RuleBook, leaf: ScoreLeaf, reading: Reading) {
  const plan = scores.get(leaf.score);
  if (!plan) return {};
  const phase = phaseOn(plan, reading.today);
  const value = scoreOn(plan, reading.today, (part) => reading.value(part));
  return { value, ...(phase !== undefined && { phase }) };
}

/** Beyond its bound a number of different values is not known, and that is said. */
function shown(leaf: Leaf, value: Json | undefined): Json {
  if (value === BEYOND) return `more than ${MAX_WEIGHED} values`;
  if (typeof value !== 'number') return value ?? null;
  if (leaf.type === 'time') return toIso(value);
  const isCut = leaf.kind === 'events' && leaf.reference.aggregate === 'distinct' && value > MAX_DISTINCT;
  return isCut ? `more than ${MAX_DISTINCT}` : value;
}

/** Where an anchored window stands. */
function reachOf(book: RuleBook, leaf: EventsLeaf, reading: Reading) {
  const reached = reading.reached(leaf);
  if (!reached || leaf.reference.anchor?.unit !== 'hour') return reached && timesOf(book, reached);
  return { from: toIso(reached.from), to: toIso(reached.to) };
}

function spanOf(book: RuleBook, window: Window, at: number): { from: string; to: string } {
  const { unit, from, to } = window;
  if (unit === 'hour') return { from: toIso(at - from * HOUR), to: toIso(at - to * HOUR) };
  return timesOf(book, daysInside(window, book.calendar.brandDay(at)));
}

const timesOf = ({ calendar }: RuleBook, { from, to }: Dates): { from: string; to: string } => ({
  from: toIso(calendar.startOfDay(from)),
  to: toIso(calendar.startOfDay(to)),
});

/**
 * Whether an event can stand behind a leaf. Behind `firstEver` stands every event up to the end of its window: without
 * those before the window another would be the first.
 */
function counts(book: RuleBook, { reference }: EventsLeaf, time: number, day: number, at: number): boolean {
  const { window, dates, aggregate } = reference;
  if (!window) return aggregate !== 'firstEver' || dates === undefined || day < dates.to;
  const today = book.calendar.brandDay(at);
  if (aggregate !== 'firstEver') return isInside(window, time, day, at, today);
  return window.unit === 'hour' ? time <= at - window.to * HOUR : day < daysInside(window, today).to;
}

function partsOf(book: RuleBook, leaf: Leaf): readonly EventsLeaf[] {
  if (leaf.kind === 'events') return [leaf];
  if (leaf.kind === 'score') return book.scores.get(leaf.score)?.parts.map((it) => it.leaf) ?? [];
  return leaf.kind === 'rfm' ? rfmPartsOf(partsFor(book, leaf), leaf.score) : [];
}

/** Of the contributions in a window, those that make the value. */
function behind(
  { reference: { aggregate } }: EventsLeaf,
  inside: readonly Contribution[],
): readonly Contribution[] {
  const column = columnOf(aggregate, false);
  if (!column) return inside;
  const taken = inside.flatMap((contribution) => {
    const [slot] = lifted([column], contribution) ?? [];
    return slot === undefined ? [] : [{ contribution, slot }];
  });
  if (!oneEvent.has(aggregate)) return taken.map((it) => it.contribution);
  const value = taken.reduce<Slot>((so, { slot }) => merge(column, so, slot), null);
  const found = taken.filter(({ slot }) => JSON.stringify(slot) === JSON.stringify(value));
  return found.map((it) => it.contribution);
}

/** Aggregates whose value is that of one event. */
const oneEvent: ReadonlySet<Aggregate> = new Set(['first', 'last', 'min', 'max']);
