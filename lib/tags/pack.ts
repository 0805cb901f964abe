import type { Json } from '../events/event.ts';
import type { Cell, Cells } from './cells.ts';
import type { Slot } from './columns.ts';

/**
 * Cells for the disk: buckets flat, days and times as distances from the one before. A sixth smaller than plain
 * cells once compressed. Equal cells give equal text; `unpackCells` gives them back.
 */
export function packCells(cells: Readonly<Cells>): Json {
  const packed: Record<string, Json> = {};
  for (const [id, { t, d = [], h = [] }] of Object.entries(cells)) {
    const width = d[0]?.length ?? 0;
    packed[id] = [t ?? 0, width, distances(d).flat(), distances(h)];
  }
  return packed;
}

/** The cells that `packCells` packed. @throws Error if it is of another form */
export function unpackCells(packed: unknown): Cells {
  const cells: Cells = {};
  for (const [id, cell] of Object.entries(isObject(packed) ? packed : unknown())) {
    const [t, width, d, h] = isSlots(cell) ? cell : unknown();
    if (typeof width !== 'number' || !Array.isArray(d) || !Array.isArray(h)) return unknown();
    cells[id] = unpackCell(t ?? 0, width, d, h);
  }
  return cells;
}

function unpackCell(t: Slot, width: number, d: readonly Slot[], h: readonly Slot[]): Cell {
  const cell: Cell = {};
  if (Array.isArray(t)) cell.t = t;
  if (d.length > 0) {
    const rows: Slot[][] = [];
    for (let i = 0; i < d.length; i += width) rows.push(d.slice(i, i + width));
    cell.d = sums(rows);
  }
  if (h.length > 0) cell.h = sums(h.map((row) => (Array.isArray(row) ? row : unknown())));
  return cell;
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isSlots = (value: unknown): value is Slot[] => Array.isArray(value) && value.every(isSlot);

const isSlot = (value: unknown): value is Slot =>
  value === null || typeof value !== 'object' ? typeof value !== 'undefined' : isSlots(value);

const unknown = (): never => {
  throw new Error('these are no packed cells');
};

/** Rows whose first number is its distance from that of the row before. */
function distances(rows: readonly Slot[][]): Slot[][] {
  let before = 0;
  return rows.map(([first, ...rest]) => {
    const distance = Number(first) - before;
    before = Number(first);
    return [distance, ...rest];
  });
}

function sums(rows: readonly Slot[][]): Slot[][] {
  let before = 0;
  return rows.map(([distance, ...rest]) => {
    before += Number(distance);
    return [before, ...rest];
  });
}
