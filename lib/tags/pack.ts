import { z } from 'zod';
import type { Json } from '../events/event.ts';
import type { Cell, Cells } from './cells.ts';
import type { Slot } from './columns.ts';

const slot: z.ZodType<Slot> = z.lazy(() =>
  z.union([z.number(), z.string(), z.boolean(), z.null(), z.array(slot)]),
);
const packedCell = z.tuple([
  z.union([z.array(slot), z.literal(0)]),
  z.int(),
  z.array(slot),
  z.array(z.array(slot)),
]);
const packedCells = z.record(z.string(), packedCell);

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

/** @throws ZodError if it is not what `packCells` made */
export function unpackCells(packed: unknown): Cells {
  const cells: Cells = {};
  for (const [id, [t, width, d, h]] of Object.entries(packedCells.parse(packed))) {
    const cell: Cell = {};
    if (t !== 0) cell.t = t;
    if (d.length > 0)
      cell.d = sums(Array.from({ length: d.length / width }, (_, i) => d.slice(i * width, (i + 1) * width)));
    if (h.length > 0) cell.h = sums(h);
    cells[id] = cell;
  }
  return cells;
}

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
