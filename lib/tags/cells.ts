import { HOUR } from '../platform/clock.ts';
import { stillReached, timeIn } from './anchors.ts';
import { type Column, type Contribution, lift, merge, type Slot } from './columns.ts';
import { ANY_TYPE, type Feature, type FoldedEvent, type SeenEvent, seeEvent } from './features.ts';
import type { RuleBook } from './rulebook.ts';
import { addRow, pruneRows, rowOf } from './sequences.ts';
import { daysInside } from './windows.ts';

export type { FoldedEvent } from './features.ts';

/** What is kept of one feature for one profile. */
export interface Cell {
  /** All time: a slot for each of the feature's `total` columns. */
  t?: Slot[];
  /** Brand-days with an event, ascending: `[day, slot…]`, a slot for each of the `daily` columns. */
  d?: Slot[][];
  /** Events one by one, by time and id: `[at]`, or `[at, id, value]` of a property. Only where a window has hours. */
  h?: Slot[][];
}

/**
 * The state of all features of one profile: plain JSON by feature id, in one canonical form. Features without an
 * event have no cell.
 *
 * Law: a commutative fold. Any order of `foldEvent` over one set of events gives equal cells, equal as text too;
 * `prune` at an instant commutes with it (fold what is older, and prune again). Windows that stand at another event
 * and sequences are an exception: they are pruned by what is known, so everything up to that instant has to be folded before.
 */
export type Cells = Record<string, Cell>;

export const emptyCells = (): Cells => ({});

/** Cells of their own: folding into them leaves the original alone. Slots and buckets are shared, they never change. */
export function copyCells(cells: Readonly<Cells>): Cells {
  const copy: Cells = {};
  for (const [id, { t, d, h }] of Object.entries(cells))
    copy[id] = { ...(t ? { t } : {}), ...(d ? { d: [...d] } : {}), ...(h ? { h: [...h] } : {}) };
  return copy;
}

/** Folds one event into cells, in place. Each event once: who calls knows which were folded. */
export function foldEvent(
  book: Pick<RuleBook, 'featuresOf' | 'calendar'>,
  cells: Cells,
  event: FoldedEvent,
): void {
  const features = [...book.featuresOf(event.type), ...book.featuresOf(ANY_TYPE)];
  if (features.length === 0) return;
  const seen = seeEvent(event, book.calendar);
  const day = book.calendar.brandDay(event.at);
  for (const feature of features) {
    if (feature.sequence) {
      const row = rowOf(feature.sequence, event, seen);
      if (row) addRow(cellOf(cells, feature.id), row);
      continue;
    }
    const contribution = contributionOf(feature, event, day, seen);
    if (contribution) add(feature, cells, contribution);
  }
}

/** Drops what no instant from `at` on can see: the past outside of every window. Totals stay. */
export function prune(book: Pick<RuleBook, 'features' | 'calendar'>, cells: Cells, at: number): void {
  const today = book.calendar.brandDay(at);
  for (const { id, dayWindows, hourWindows, anchor, sequence } of book.features) {
    const cell = cells[id];
    if (!cell) continue;
    if (sequence) {
      pruneRows(sequence, cell, book.calendar, at);
      putInOrder(cell);
      dropEmpty(cells, id);
      continue;
    }
    if (anchor) {
      const known = timeIn(cells[anchor.id]?.t?.[anchor.slot] ?? null, anchor.nth);
      const stays = stillReached(anchor, known, book.calendar, at);
      if (cell.d) cell.d = cell.d.filter(([day]) => stays(Number(day)));
      if (cell.h) cell.h = cell.h.filter(([time]) => stays(Number(time)));
      dropEmpty(cells, id);
      continue;
    }
    const oldestDay = Math.min(...dayWindows.map((window) => daysInside(window, today).from));
    const oldestAt = at - Math.max(...hourWindows.map(({ from }) => from)) * HOUR;
    if (cell.d) cell.d = cell.d.filter(([day]) => Number(day) >= oldestDay);
    if (cell.h) cell.h = cell.h.filter(([time]) => Number(time) > oldestAt);
    dropEmpty(cells, id);
  }
}

function dropEmpty(cells: Cells, id: string): void {
  const cell = cells[id];
  if (cell?.d?.length === 0) delete cell.d;
  if (cell?.h?.length === 0) delete cell.h;
  if (cell && !cell.t && !cell.d && !cell.h) delete cells[id];
}

/** What an event gives to a feature of its type; undefined if the filter refuses it or the property is missing or null. */
export function contributionOf(
  feature: Feature,
  { id, at, properties }: FoldedEvent,
  day: number,
  seen: SeenEvent,
): Contribution | undefined {
  if (feature.dates && (day < feature.dates.from || day >= feature.dates.to)) return undefined;
  if (feature.property === undefined)
    return feature.admits(seen) ? { at, id, day, halfLife: feature.halfLife } : undefined;
  const value = Object.hasOwn(properties, feature.property) ? properties[feature.property] : undefined;
  if (value === undefined || value === null || !feature.admits(seen)) return undefined;
  return { at, id, day, value, halfLife: feature.halfLife };
}

/** The slots that a contribution gives to columns; undefined if none of them takes its kind of value. */
export function lifted(
  columns: readonly Column[] | undefined,
  contribution: Contribution,
): Slot[] | undefined {
  if (!columns) return undefined;
  const slots = lift(columns, contribution);
  return slots.length > 0 && slots.every((slot) => slot === null) ? undefined : slots;
}

function add(feature: Feature, cells: Cells, contribution: Contribution): void {
  const total = lifted(feature.total, contribution);
  const daily = lifted(feature.daily, contribution);
  const hourly = lifted(feature.hourly, contribution);
  if (!total && !daily && !hourly) return;
  const cell = cellOf(cells, feature.id);
  const { t, d, h } = cell;
  const { at, id, day, value } = contribution;
  if (total && feature.total) cell.t = t ? mergeAll(feature.total, t, total) : total;
  if (daily && feature.daily) {
    cell.d ??= [];
    const place = placeOf(cell.d, (bucket) => Number(bucket[0]) < day);
    const bucket = cell.d[place];
    if (bucket?.[0] === day) cell.d[place] = [day, ...mergeAll(feature.daily, bucket.slice(1), daily)];
    else cell.d.splice(place, 0, [day, ...daily]);
  }
  if (hourly) {
    const entry: Slot[] = value === undefined ? [at] : [at, id, plain(value)];
    cell.h ??= [];
    cell.h.splice(
      placeOf(cell.h, (other) => isBefore(other, entry)),
      0,
      entry,
    );
  }
  if ((cell.t && !t) || (cell.d && !d) || (cell.h && !h)) putInOrder(cell);
}

/** The parts of a cell in one order, whichever came first. */
function putInOrder(cell: Cell): void {
  const { t, d, h } = cell;
  delete cell.t;
  delete cell.d;
  delete cell.h;
  if (t) cell.t = t;
  if (d) cell.d = d;
  if (h) cell.h = h;
}

const mergeAll = (columns: readonly Column[], a: readonly Slot[], b: readonly Slot[]): Slot[] =>
  columns.map((name, i) => merge(name, a[i] ?? null, b[i] ?? null));

const plain = (value: Contribution['value']): Slot =>
  typeof value === 'number'
    ? value + 0
    : typeof value === 'string' || typeof value === 'boolean'
      ? value
      : null;

const isBefore = (a: readonly Slot[], b: readonly Slot[]): boolean =>
  a[0] === b[0] ? String(a[1]) < String(b[1]) : Number(a[0]) < Number(b[0]);

/** Where the first item stands that is not before; events mostly come in order, so the search begins at the end. */
function placeOf(items: readonly Slot[][], isEarlier: (item: Slot[]) => boolean): number {
  let place = items.length;
  while (place > 0 && !isEarlier(items[place - 1]!)) place--;
  return place;
}

/** The feature's cell; a new one is put in its place by name, so that the text of cells does not tell the order. */
function cellOf(cells: Cells, id: string): Cell {
  const known = cells[id];
  if (known) return known;
  const cell: Cell = {};
  const later = Object.entries(cells).filter(([other]) => other > id);
  for (const [other] of later) delete cells[other];
  cells[id] = cell;
  for (const [other, value] of later) cells[other] = value;
  return cell;
}
