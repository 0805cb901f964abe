import type { Calendar } from './calendar.ts';
import type { Cell, Cells } from './cells.ts';
import { turningDays } from './dates.ts';
import { hold, isStranger, rememberedBy, type View } from './evaluate.ts';
import { partOf, windowsOf } from './features.ts';
import { Reading } from './reading.ts';
import { partsFor, rfmPartsOf } from './rfm-cuts.ts';
import type { CompiledRule, DateLeaf, EventsLeaf, Leaf, RuleBook, ScoreLeaf, TagValue } from './rulebook.ts';
import { scoreTurns } from './scores.ts';
import { periodAfter, stayOf, type Window } from './windows.ts';

/**
 * The instants in (from, to] at which the content of some window may change although nothing happens, ascending,
 * each once. An event of brand-day d enters a window when d begins and leaves one of n days when d + n begins; over
 * h hours it enters at its own time and leaves exactly h hours later; of weeks and months it enters and leaves when
 * one begins; a date is asked anew on the days that `dates.ts` names. Between two of these no leaf changes.
 *
 * @param traits without them every midnight is an instant at which a question about a trait may turn
 */
export function boundaries(
  book: RuleBook,
  cells: Readonly<Cells>,
  from: number,
  to: number,
  traits?: View['traits'],
): number[] {
  if (!(to > from) || (traits && isStranger(book, { cells, traits }))) return [];
  const days: Span = [book.calendar.brandDay(from), book.calendar.brandDay(to)];
  const found = new Set<number>();
  for (const { id, dayWindows, hourWindows, firstWindows, firstSlot } of book.features) {
    const cell = cells[id];
    if (!cell) continue;
    for (const window of dayWindows) edges(cell, window, book.calendar, [from, to], days, found);
    for (const window of hourWindows) edges(cell, window, book.calendar, [from, to], days, found);
    for (const window of firstWindows)
      edgesOfFirst(cell, firstSlot, window, book.calendar, [from, to], found);
  }
  if (book.dates.length > 0 || book.fading.length > 0) {
    const reading = new Reading(book, { cells, traits: traits ?? {} }, from, new Map());
    for (const leaf of book.fading)
      addInside(fadingDays(leaf, reading, book, days).map(book.calendar.startOfDay), [from, to], found);
    for (const leaf of book.dates) {
      const isUntold = leaf.of.kind !== 'events' && !traits;
      const turns = isUntold ? daysFrom(days) : turnsOf(leaf, reading, days);
      addInside(turns.map(book.calendar.startOfDay), [from, to], found);
    }
  }
  return [...found].sort(ascending);
}

export interface ChangeOptions {
  /** How many boundaries are tried. */
  readonly limit?: number;
  /** Only this tag's value counts. */
  readonly tag?: string;
  /** The tags that are held at that instant, where somebody has evaluated them. */
  readonly held?: ReadonlyMap<string, { readonly value: TagValue }>;
}

export interface Change {
  readonly at: number;
  /** False: so many boundaries were tried that this is only where the search stopped. Until then nothing changes. */
  readonly exact: boolean;
}

/**
 * The first instant after `at` at which some tag (or the one asked for) has another value, if nothing happens until
 * then; undefined if none ever has. Early, never late: past `limit` boundaries the answer is where it stopped.
 */
export function nextChange(
  book: RuleBook,
  view: View,
  at: number,
  { limit = 64, tag, held }: ChangeOptions = {},
): Change | undefined {
  if (isStranger(book, view)) return undefined;
  const rules = tag === undefined ? book.rules : rulesBehind(book, tag);
  const reading = new Reading(book, view, at, held ? valuesOf(held) : rememberedBy(rules, view));
  const leaves = tag === undefined ? book.read : new Set(rules.flatMap((rule) => rule.leaves));
  const { touched, known } = edgesOf(book, leaves, view, reading);
  if (touched.size === 0) return undefined;
  if (!held) for (const rule of rules) hold(rule, reading);
  const instants = [...touched.keys()].filter((instant) => instant <= known).sort(ascending);
  for (const instant of instants.slice(0, limit)) {
    const changed = new Set(reading.moveTo(instant, touched.get(instant) ?? []));
    if (changed.size === 0) continue;
    for (const rule of rules) {
      // Asked for one tag, those that it reads may change on the way: then everything behind it is looked at.
      if (tag === undefined && !rule.leaves.some((leaf) => changed.has(leaf))) continue;
      const before = reading.held.get(rule.tag);
      hold(rule, reading);
      if (reading.held.get(rule.tag) !== before && (tag === undefined || tag === rule.tag))
        return { at: instant, exact: true };
    }
  }
  const last = instants[limit - 1];
  if (last !== undefined && instants.length > limit) return { at: last, exact: false };
  return known === FOREVER ? undefined : { at: known, exact: false };
}

const valuesOf = (held: NonNullable<ChangeOptions['held']>): Map<string, TagValue> =>
  new Map([...held].map(([tag, { value }]) => [tag, value]));

/** The days of a span after its first. */
const daysFrom = ([from, to]: Span): number[] => Array.from({ length: to - from }, (_, i) => from + 1 + i);

/** The days of a span with which a date leaf may have another answer. */
function turnsOf(leaf: DateLeaf, reading: Reading, [from, to]: Span): number[] {
  const date = reading.date(leaf);
  return date ? turningDays(leaf.ask, date, from, to) : [];
}

/** The days of a span with which a score passes its bound. */
function fadingDays(leaf: ScoreLeaf, reading: Reading, { scores }: RuleBook, span: Span): number[] {
  const plan = scores.get(leaf.score);
  return plan ? scoreTurns(plan, leaf, (part) => reading.value(part), span) : [];
}

type Span = readonly [from: number, to: number];

const ascending = (a: number, b: number) => a - b;
const FOREVER = Number.POSITIVE_INFINITY;

/** Adds the instants in (from, to] at which an event of the cell enters or leaves a window. */
function edges(
  cell: Cell,
  window: Window,
  calendar: Calendar,
  span: Span,
  [fromDay, toDay]: Span,
  found: Set<number>,
): void {
  if (window.unit === 'hour') {
    for (const [time] of cell.h ?? []) addInside(stayOf(window, Number(time), calendar), span, found);
    return;
  }
  const buckets = cell.d ?? [];
  for (let i = buckets.length - 1; i >= 0; i--) {
    const day = Number(buckets[i]?.[0]);
    const leaves = periodAfter(window.unit, day, window.from);
    if (leaves <= fromDay) break; // and so has every earlier day
    const enters = periodAfter(window.unit, day, window.to);
    if (enters > fromDay && enters <= toDay) addInside([calendar.startOfDay(enters)], span, found);
    if (leaves <= toDay) addInside([calendar.startOfDay(leaves)], span, found);
  }
}

/** The same of the first event of all time alone. */
function edgesOfFirst(
  cell: Cell,
  slot: number,
  window: Window,
  calendar: Calendar,
  span: Span,
  found: Set<number>,
): void {
  const first = cell.t?.[slot];
  if (typeof first === 'number') addInside(stayOf(window, first, calendar), span, found);
}

function addInside(instants: readonly number[], [from, to]: Span, found: Set<number>): void {
  for (const at of instants) if (at > from && at <= to) found.add(at);
}

/**
 * What the rules read that passes with time, by the instants after `at` at which it may change. What comes back every
 * year is told up to `known`.
 */
function edgesOf(
  book: RuleBook,
  leaves: Iterable<Leaf>,
  view: View,
  reading: Reading,
): { touched: Map<number, Set<Leaf>>; known: number } {
  let known = FOREVER;
  const touched = new Map<number, Set<Leaf>>();
  const { at } = reading;
  const today = book.calendar.brandDay(at);
  const touch = (instant: number, ...leaves: Leaf[]) => {
    const known = touched.get(instant) ?? new Set();
    for (const leaf of leaves) known.add(leaf);
    touched.set(instant, known);
  };
  const note = (part: EventsLeaf, leaf: Leaf) => {
    const { feature, reference } = part;
    const cell = view.cells[feature.id];
    if (!cell) return;
    const found = new Set<number>();
    const ahead: Span = [at, FOREVER];
    for (const window of windowsOf(reference)) {
      if (partOf(reference) === 'total')
        edgesOfFirst(cell, feature.firstSlot, window, book.calendar, ahead, found);
      else edges(cell, window, book.calendar, ahead, [today, FOREVER], found);
    }
    for (const instant of found) touch(instant, part, leaf);
  };
  for (const leaf of leaves) {
    if (leaf.kind === 'events') note(leaf, leaf);
    if (leaf.kind === 'date') {
      const turns = turnsOf(leaf, reading, [today + 1, FOREVER]).map(book.calendar.startOfDay);
      for (const instant of turns) touch(instant, leaf);
      if (leaf.ask.is === 'anniversary')
        known = Math.min(known, ...(turns.length > 0 ? [Math.max(...turns)] : []));
    }
    if (leaf.kind === 'score')
      for (const day of fadingDays(leaf, reading, book, [today + 1, FOREVER]))
        touch(book.calendar.startOfDay(day), leaf);
    if (leaf.kind === 'rfm')
      for (const part of rfmPartsOf(partsFor(book, leaf), leaf.score)) note(part, leaf);
  }
  return { touched, known };
}

/** The rule of a tag and all that it reads, in the book's order. */
export function rulesBehind(book: RuleBook, tag: string): CompiledRule[] {
  const behind = new Set<string>();
  const visit = (name: string): void => {
    const rule = behind.has(name) ? undefined : book.ruleOf(name);
    if (!rule) return;
    behind.add(name);
    rule.reads.forEach(visit);
  };
  visit(tag);
  return book.rules.filter((rule) => behind.has(rule.tag));
}
