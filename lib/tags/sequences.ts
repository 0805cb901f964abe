import type { Json } from '../events/event.ts';
import { HOUR } from '../platform/clock.ts';
import type { Calendar } from './calendar.ts';
import type { Cell } from './cells.ts';
import { merge, type Slot, shortened } from './columns.ts';
import type { FoldedEvent, SeenEvent } from './features.ts';
import type { Length, Sequence, Step } from './sequence-text.ts';

/** So many beginnings are followed at once; of more, those that began first are given up. */
export const MAX_OPEN = 32;

interface SeenStep extends Step {
  admits(seen: SeenEvent): boolean;
}

/** A sequence whose conditions are compiled. */
export interface SequencePlan extends Sequence {
  readonly steps: readonly SeenStep[];
  readonly without?: SeenStep;
}

/**
 * One event as a sequence sees it: which steps it can be (a bit each, the bit after the last for what must not come
 * between) and the value of the property that all share.
 */
interface Row {
  readonly at: number;
  readonly mask: number;
  readonly key: Slot;
  readonly id?: string;
}

/** The steps up to `step` found in order, the last of them at `last`. Of two alike the one that began later is worth more. */
interface Open {
  readonly step: number;
  readonly last: number;
  readonly key: Slot;
  readonly start: number;
  readonly ids: readonly string[];
}

/** What has been found when the events up to an instant are known. */
interface Found {
  readonly open: readonly Open[];
  readonly first: Slot;
  readonly last: Slot;
  /** The events of each way to the end that was found. */
  readonly ways: readonly { readonly at: number; readonly ids: readonly string[] }[];
}

const NOTHING: Found = { open: [], first: null, last: null, ways: [] };

/** The steps that an event can be; undefined if it is none of them. */
export function rowOf(plan: SequencePlan, event: FoldedEvent, seen: SeenEvent): Row | undefined {
  const key = plan.same === undefined ? 0 : keyOf(event.properties[plan.same]);
  let mask = 0;
  for (const [i, { type, admits }] of plan.steps.entries())
    if (type === event.type && key !== null && admits(seen)) mask |= 1 << i;
  const { without } = plan;
  if (without?.type === event.type && without.admits(seen)) mask |= 1 << plan.steps.length;
  return mask === 0 ? undefined : { at: event.at, mask, key, id: event.id };
}

const keyOf = (value: Json | undefined): Slot =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? shortened(value)
    : null;

/**
 * Goes on by the events of one instant. Steps come strictly one after the other: no two of them at one instant, and
 * what must not come between breaks what began before it and ends after it.
 */
function step(plan: SequencePlan, found: Found, rows: readonly Row[], calendar: Calendar): Found {
  const at = rows[0]?.at ?? 0;
  const end = plan.steps.length - 1;
  const before = found.open.filter((it) => isAlive(plan, it, at, calendar));
  const after: Open[] = [];
  const ways = [...found.ways];
  for (const { mask, key, id } of rows) {
    const ids = id === undefined ? [] : [id];
    if (mask & 1) after.push({ step: 0, last: at, key, start: at, ids });
    for (const it of before) {
      if (!(mask & (1 << (it.step + 1))) || it.step === end || !same(it.key, key)) continue;
      const next = { ...it, step: it.step + 1, last: at, ids: [...it.ids, ...ids] };
      if (next.step === end) ways.push({ at, ids: next.ids });
      else after.push(next);
    }
  }
  const breaking = rows.filter(({ mask }) => mask & (1 << plan.steps.length));
  const isBroken = ({ key, start }: Open) =>
    start < at && breaking.some((it) => it.key === null || same(it.key, key));
  const isDone = ways.length > found.ways.length;
  return {
    open: best([...before, ...after].filter((it) => !isBroken(it))),
    first: isDone ? merge('first', found.first, at) : found.first,
    last: isDone ? merge('last', found.last, at) : found.last,
    ways: rows[0]?.id === undefined ? [] : ways,
  };
}

const same = (a: Slot, b: Slot): boolean => a === b;

/** Whether a step may still follow at an instant. */
function isAlive(
  { within, gap }: SequencePlan,
  { start, last }: Open,
  at: number,
  calendar: Calendar,
): boolean {
  return (
    apart(start, at, within, calendar) < within.length &&
    (!gap || apart(last, at, gap, calendar) <= gap.length)
  );
}

const apart = (from: number, to: number, { unit }: Length, calendar: Calendar): number =>
  unit === 'hour' ? (to - from) / HOUR : calendar.brandDay(to) - calendar.brandDay(from);

/**
 * Of a value and step, the one that began last; of too many, those that began last. In one order.
 *
 * The one that began last has come along last too: where another came along later, its way crosses this one's, and from
 * the crossing on they are one way, with no longer gap.
 */
function best(open: readonly Open[]): Open[] {
  const sorted = [...open].sort(byWorth);
  const kept = sorted.filter(
    (it, i) => sorted.findIndex((other) => other.step === it.step && same(other.key, it.key)) === i,
  );
  return kept.slice(0, MAX_OPEN);
}

const byWorth = (a: Open, b: Open): number =>
  b.start - a.start ||
  b.last - a.last ||
  a.step - b.step ||
  compare(`${typeof a.key}${a.key}`, `${typeof b.key}${b.key}`);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Runs over rows in order. */
function run(plan: SequencePlan, from: Found, rows: readonly Row[], calendar: Calendar): Found {
  let found = from;
  for (let i = 0; i < rows.length; ) {
    let next = i + 1;
    while (rows[next]?.at === rows[i]?.at && next < rows.length) next++;
    found = step(plan, found, rows.slice(i, next), calendar);
    i = next;
  }
  return found;
}

/** The events of every way to the end, by the time of the end. */
export const waysOf = (plan: SequencePlan, rows: readonly Row[], calendar: Calendar): Found['ways'] =>
  run(
    plan,
    NOTHING,
    [...rows].sort((a, b) => a.at - b.at),
    calendar,
  ).ways;

// In a cell: `t` has the first and the last end, `h` what is open, `[last, -1 - step, key, start]`, and the events
// since, `[at, mask, key]`.

const opened = ([last, step, key = null, start]: readonly Slot[]): Open => ({
  ...{ step: -1 - Number(step), last: Number(last), key, start: Number(start), ids: [] },
});

/** Adds an event to a cell. The same cell, whichever event came first. */
export function addRow(cell: Cell, { at, mask, key }: Row): void {
  const row: Slot[] = [at, mask, key];
  cell.h ??= [];
  let place = cell.h.length;
  while (place > 0 && order(cell.h[place - 1]!, row) > 0) place--;
  const before = cell.h[place - 1];
  if (!before || order(before, row) !== 0) cell.h.splice(place, 0, row);
  const known = progress.get(cell);
  if (known && known.rows > place) progress.delete(cell);
}

const order = (a: readonly Slot[], b: readonly Slot[]): number =>
  Number(a[0]) - Number(b[0]) ||
  Number(a[1]) - Number(b[1]) ||
  compare(JSON.stringify(a[2]), JSON.stringify(b[2]));

/** How far a cell has been read: a long history is read once, not with every event. */
const progress = new WeakMap<Cell, { readonly rows: number; readonly found: Found }>();

/** What a cell says of its sequence. */
export function completed(plan: SequencePlan, cell: Cell | undefined, calendar: Calendar): Found {
  if (!cell) return NOTHING;
  const rows = cell.h ?? [];
  const known = progress.get(cell) ?? begin(cell);
  let newest = rows.length; // more may come at the newest instant
  while (newest > known.rows && rows[newest - 1]?.[0] === rows.at(-1)?.[0]) newest--;
  const found = run(plan, known.found, rows.slice(known.rows, newest).map(toRow), calendar);
  progress.set(cell, { rows: newest, found });
  return run(plan, found, rows.slice(newest).map(toRow), calendar);
}

const toRow = ([at, mask, key = null]: readonly Slot[]): Row => ({ at: Number(at), mask: Number(mask), key });

function begin({ t, h = [] }: Cell): { rows: number; found: Found } {
  const open = h.filter(([, step]) => Number(step) < 0).map(opened);
  return {
    rows: open.length,
    found: { open: open.sort(byWorth), first: t?.[0] ?? null, last: t?.[1] ?? null, ways: [] },
  };
}

/** Forgets the events up to an instant, when all of them are known: what has ended and what is open stays. */
export function pruneRows(plan: SequencePlan, cell: Cell, calendar: Calendar, at: number): void {
  const later = (cell.h ?? []).filter(([time, step]) => Number(time) > at && Number(step) > 0);
  const past: Cell = { ...cell, h: (cell.h ?? []).filter((row) => !later.includes(row)) };
  const { open, first, last } = completed(plan, past, calendar);
  const alive = open.filter((it) => isAlive(plan, it, at, calendar));
  const rows = alive.map(({ step, last, key, start }): Slot[] => [last, -1 - step, key, start]);
  cell.h = [...rows.sort(order), ...later];
  if (first !== null) cell.t = [first, last];
  progress.delete(cell);
}
