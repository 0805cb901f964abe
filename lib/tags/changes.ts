import { HOUR } from '../platform/clock.ts';
import type { Calendar } from './calendar.ts';
import type { Cell, Cells } from './cells.ts';
import { evaluateRule, type View } from './evaluate.ts';
import type { Window } from './leaves.ts';
import { Reading } from './reading.ts';
import { rfmPartsOf } from './rfm-cuts.ts';
import type { CompiledRule, EventsLeaf, Leaf, RuleBook } from './rulebook.ts';

/**
 * The instants in (from, to] at which the content of some window may change although nothing happens, ascending,
 * each once. An event of brand-day d enters a window when d begins and leaves one of n days when d + n begins; over
 * h hours it enters at its own time and leaves exactly h hours later. Between two of these no leaf changes.
 */
export function boundaries(
  book: Pick<RuleBook, 'features' | 'calendar'>,
  cells: Readonly<Cells>,
  from: number,
  to: number,
): number[] {
  if (!(to > from)) return [];
  const days: Span = [book.calendar.brandDay(from), book.calendar.brandDay(to)];
  const found = new Set<number>();
  for (const { id, dayWindows, hourWindows } of book.features) {
    const cell = cells[id];
    if (!cell) continue;
    for (const length of dayWindows)
      edges(cell, { unit: 'day', length }, book.calendar, [from, to], days, found);
    for (const length of hourWindows)
      edges(cell, { unit: 'hour', length }, book.calendar, [from, to], days, found);
  }
  return [...found].sort(ascending);
}

export interface ChangeOptions {
  /** How many boundaries are tried. */
  readonly limit?: number;
  /** Only this tag's value counts. */
  readonly tag?: string;
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
  { limit = 64, tag }: ChangeOptions = {},
): Change | undefined {
  const rules = tag === undefined ? book.rules : rulesBehind(book, tag);
  const touched = edgesOf(book, rules, view, at);
  if (touched.size === 0) return undefined;
  const reading = new Reading(book, view, at, new Map());
  for (const rule of rules) hold(rule, reading);
  const instants = [...touched.keys()].sort(ascending);
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
  return instants.length > limit && last !== undefined ? { at: last, exact: false } : undefined;
}

type Span = readonly [from: number, to: number];

const ascending = (a: number, b: number) => a - b;
const FOREVER = Number.POSITIVE_INFINITY;

function hold(rule: CompiledRule, reading: Reading): void {
  const value = evaluateRule(rule, reading);
  if (value === undefined) reading.held.delete(rule.tag);
  else reading.held.set(rule.tag, value);
}

/** Adds the instants in (from, to] at which an event of the cell enters or leaves a window. */
function edges(
  cell: Cell,
  { unit, length }: Window,
  calendar: Calendar,
  [from, to]: Span,
  [fromDay, toDay]: Span,
  found: Set<number>,
): void {
  const add = (at: number) => {
    if (at > from && at <= to) found.add(at);
  };
  if (unit === 'hour') {
    for (const [time] of cell.h ?? []) {
      add(Number(time));
      add(Number(time) + length * HOUR);
    }
    return;
  }
  for (const [bucket] of cell.d ?? []) {
    const day = Number(bucket);
    if (day > fromDay && day <= toDay) add(calendar.startOfDay(day));
    if (day + length > fromDay && day + length <= toDay) add(calendar.startOfDay(day + length));
  }
}

/** What the rules read that passes with time, by the instants after `at` at which it may change. */
function edgesOf(
  book: RuleBook,
  rules: readonly CompiledRule[],
  view: View,
  at: number,
): Map<number, Set<Leaf>> {
  const touched = new Map<number, Set<Leaf>>();
  const today = book.calendar.brandDay(at);
  const note = (part: EventsLeaf, leaf: Leaf) => {
    const cell = view.cells[part.feature.id];
    const { window } = part.reference;
    if (!cell || !window) return;
    const found = new Set<number>();
    edges(cell, window, book.calendar, [at, FOREVER], [today, FOREVER], found);
    for (const instant of found) {
      const leaves = touched.get(instant) ?? new Set();
      touched.set(instant, leaves.add(part).add(leaf));
    }
  };
  for (const leaf of new Set(rules.flatMap((rule) => rule.leaves))) {
    if (leaf.kind === 'events') note(leaf, leaf);
    if (leaf.kind === 'rfm') for (const part of rfmPartsOf(book.rfm, leaf.score)) note(part, leaf);
  }
  return touched;
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
