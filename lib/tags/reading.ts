import { allows, type Consents } from '../consent/consents.ts';
import type { Json } from '../events/event.ts';
import { reachedFrom, timeIn } from './anchors.ts';
import { bucketOf } from './bucket.ts';
import type { Cell } from './cells.ts';
import { averageOf, dayCount, lift, longestRun, merge, type Slot, sumOf } from './columns.ts';
import { answer, type DateValue, dateValue } from './dates.ts';
import { columnOf, partOf } from './features.ts';
import { WAS } from './held.ts';
import type { EventsReference } from './leaves.ts';
import { preferred } from './preference.ts';
import { partsFor, rfmScore } from './rfm-cuts.ts';
import type { DateLeaf, EventsLeaf, Leaf, RuleBook, TagValue } from './rulebook.ts';
import { scoreAnswers } from './scores.ts';
import { completed } from './sequences.ts';
import { lastRun, longestStretch, weeksWith } from './streaks.ts';
import { toCel } from './values.ts';
import { type Dates, daysInside, isInside, lastDays, MAX_DAYS, type Window } from './windows.ts';

/** What rules can see of a profile. */
export interface View {
  readonly cells: Readonly<Record<string, Cell>>;
  /** Traits as they are now; `null` is no trait. */
  readonly traits: Readonly<Record<string, Json>>;
  /** The tags that were held until now: what `held(…)` goes by. Without them nothing was. */
  readonly was?: ReadonlyMap<string, { readonly value: TagValue }>;
  /** What was said of consent; without it nothing was. */
  readonly consents?: Consents | undefined;
}

/** Stands for a value that is beyond what is kept: missing, and an explanation says why. */
export const BEYOND: Json = Object.freeze({});

/** Stands for a value that is not there; made once, because it is thrown often. */
const missing = new Error('the value is missing');

/**
 * The leaves of a book, read from one profile at one instant: each when it is first asked for, and once. It is the
 * context in which compiled rules run: a name is a leaf, a leaf without a value is an error there.
 */
export class Reading extends Map<string, unknown> {
  readonly held: Map<string, TagValue>;
  at: number;
  /** Whether the value that is asked for was held until now. */
  was = false;
  private readonly book: RuleBook;
  private readonly view: View;
  today: number;
  private readonly memo: (Json | undefined)[] = [];
  private readonly known: boolean[] = [];

  constructor(book: RuleBook, view: View, at: number, held: Map<string, TagValue>) {
    super();
    this.book = book;
    this.view = view;
    this.held = held;
    this.at = at;
    this.today = book.calendar.brandDay(at);
  }

  override get(name: string): unknown {
    if (name === WAS) return this.was;
    const leaf = this.book.leafNamed(name);
    const value = leaf && this.value(leaf);
    if (leaf === undefined || value === undefined || value === BEYOND) throw missing;
    if (leaf.type === 'int' && typeof value === 'number') return BigInt(value);
    if (leaf.type === 'time' && typeof value === 'number') return new Date(value);
    return leaf.type === 'any' ? toCel(value) : value;
  }

  /** A leaf's value; times in milliseconds; undefined if it has none. */
  value(leaf: Leaf): Json | undefined {
    switch (leaf.kind) {
      case 'hasTag':
        return this.held.has(leaf.of);
      case 'tagValue':
        return this.held.get(leaf.of);
      case 'trait':
      case 'hasTrait': {
        const value = Object.hasOwn(this.view.traits, leaf.of)
          ? (this.view.traits[leaf.of] ?? undefined)
          : undefined;
        return leaf.kind === 'trait' ? value : value !== undefined;
      }
      case 'consent':
        return allows(this.view.consents, leaf.of, this.book.consent);
      case 'rfm':
        return this.once(leaf, () => {
          const parts = partsFor(this.book, leaf);
          return parts && rfmScore(parts, leaf.score, (part) => this.value(part));
        });
      case 'score':
        return this.once(leaf, () => {
          const plan = this.book.scores.get(leaf.score);
          return plan && scoreAnswers(plan, leaf, this.today, (part) => this.value(part));
        });
      case 'bucket':
        return this.once(leaf, () => bucketOf(leaf, this.view.cells[leaf.feature.id]?.t?.[0] ?? null));
      case 'events':
        return this.once(leaf, () => this.aggregate(leaf));
      case 'date':
        return this.once(leaf, () => {
          const date = this.date(leaf);
          return date && answer(leaf.ask, date, this.today);
        });
    }
  }

  /** The date that is asked. */
  date({ of }: DateLeaf): DateValue | undefined {
    return dateValue(this.value(of), of.type === 'time', this.book.calendar);
  }

  /** Goes on to a later instant and reads these leaves again. Returns those whose value is another. */
  moveTo(at: number, leaves: Iterable<Leaf>): Leaf[] {
    const before = [...leaves].map((leaf) => ({ leaf, value: this.value(leaf) }));
    this.at = at;
    this.today = this.book.calendar.brandDay(at);
    for (const { leaf } of before) this.known[leaf.index] = false;
    return before.filter(({ leaf, value }) => this.value(leaf) !== value).map(({ leaf }) => leaf);
  }

  private once(leaf: Leaf, read: () => Json | undefined): Json | undefined {
    if (!this.known[leaf.index]) {
      this.memo[leaf.index] = read();
      this.known[leaf.index] = true;
    }
    return this.memo[leaf.index];
  }

  private aggregate(leaf: EventsLeaf): Json | undefined {
    const { window, anchor, aggregate } = leaf.reference;
    const cell = this.view.cells[leaf.feature.id];
    if (leaf.feature.sequence) {
      const { first, last } = completed(leaf.feature.sequence, cell, this.book.calendar);
      return aggregate === 'any' ? last !== null : ((aggregate === 'first' ? first : last) ?? undefined);
    }
    if (aggregate === 'firstEver') return this.isFirstInside(leaf, cell?.t?.[leaf.slot] ?? null);
    if (!window && !anchor) {
      if (aggregate === 'any') return cell?.t !== undefined;
      return finish(leaf.reference, cell?.t?.[leaf.slot] ?? null);
    }
    const seen = anchor ? this.around(leaf, cell) : window ? this.inWindow(leaf, window, cell) : undefined;
    if (!seen) return undefined;
    if (aggregate === 'any') return seen.length > 0;
    if (partOf(leaf.reference) === 'hourly') return this.overHours(leaf, seen);
    if (aggregate === 'days') return seen.length;
    if (aggregate === 'daysInRow') return longestStretch(seen);
    if (aggregate === 'streak') return lastRun(seen, this.today);
    if (aggregate === 'weeksWith') return weeksWith(seen, leaf.slot + 1, leaf.reference.least ?? 1);
    const column = columnOf(aggregate, true);
    let slot: Slot = null;
    if (column) for (const bucket of seen) slot = merge(column, slot, bucket[leaf.slot + 1] ?? null);
    return finish(leaf.reference, slot);
  }

  private inWindow({ reference }: EventsLeaf, window: Window, cell: Cell | undefined) {
    return partOf(reference) === 'daily'
      ? bucketsIn(cell, daysInside(window, this.today))
      : this.entriesIn(cell, window);
  }

  /** Where an anchored window stands, in days or milliseconds; undefined without its anchor. */
  reached({ reference: { anchor }, anchor: of }: EventsLeaf): Dates | undefined {
    if (!anchor || !of) return undefined;
    const value = this.value(of);
    if (anchor.unit === 'hour') return typeof value === 'number' ? reachedFrom(anchor, value) : undefined;
    const day = dateValue(value, of.type === 'time', this.book.calendar)?.day;
    return day === undefined ? undefined : reachedFrom(anchor, day);
  }

  private around(leaf: EventsLeaf, cell: Cell | undefined): readonly Slot[][] | undefined {
    const reached = this.reached(leaf);
    if (!reached) return undefined;
    if (leaf.reference.anchor?.unit === 'hour')
      return (cell?.h ?? []).filter(([at]) => Number(at) >= reached.from && Number(at) < reached.to);
    const oldest =
      leaf.anchor?.kind === 'events' ? reached.from : daysInside(lastDays(MAX_DAYS), this.today).from;
    return bucketsIn(cell, { from: Math.max(reached.from, oldest), to: reached.to });
  }

  private overHours({ reference }: EventsLeaf, entries: readonly Slot[][]): Json | undefined {
    const contributions = entries.map(([at, id, value]) => ({
      at: Number(at),
      id: String(id ?? ''),
      day: 0,
      value,
    }));
    if (reference.aggregate === 'days')
      return new Set(contributions.map(({ at }) => this.book.calendar.brandDay(at))).size;
    const column = columnOf(reference.aggregate, true);
    let slot: Slot = null;
    if (column) for (const it of contributions) slot = merge(column, slot, lift([column], it)[0] ?? null);
    return finish(reference, slot);
  }

  private entriesIn(cell: Cell | undefined, window: Window): readonly Slot[][] {
    return (cell?.h ?? []).filter(([at]) => isInside(window, Number(at), 0, this.at, this.today));
  }

  private isFirstInside({ reference: { window, dates } }: EventsLeaf, first: Slot): boolean {
    if (first === null) return false;
    const at = Number(first);
    const day = this.book.calendar.brandDay(at);
    if (window) return isInside(window, at, day, this.at, this.today);
    return dates !== undefined && day >= dates.from && day < dates.to;
  }
}

/** The buckets of brand-days. */
function bucketsIn(cell: Cell | undefined, inside: Dates): readonly Slot[][] {
  const buckets = cell?.d;
  if (!buckets) return [];
  let to = buckets.length;
  while (to > 0 && Number(buckets[to - 1]?.[0]) >= inside.to) to--;
  let from = to;
  while (from > 0 && Number(buckets[from - 1]?.[0]) >= inside.from) from--;
  return buckets.slice(from, to);
}

function finish({ aggregate, property, least }: EventsReference, slot: Slot): Json | undefined {
  if (aggregate === 'count') return Number(slot);
  if (aggregate === 'days') return dayCount(slot);
  if (aggregate === 'daysInRow') return longestRun(slot);
  if (aggregate === 'distinct') return Array.isArray(slot) ? slot.length : 0;
  if (aggregate === 'sum') return slot === null ? 0 : sumOf(slot);
  if (slot === null) return undefined;
  if (aggregate === 'avg') return averageOf(slot);
  if (aggregate === 'preference') {
    const { value, beyond } = preferred(slot);
    return beyond ? BEYOND : value;
  }
  if (aggregate === 'nth') return timeIn(slot, least);
  if ((aggregate === 'first' || aggregate === 'last') && property !== undefined)
    return Array.isArray(slot) ? slot[2] : undefined;
  return slot;
}
