import type { Row } from './template.ts';

/** Line numbers, both ends in: `[[3, 5], [8, 8]]`. */
export type Ranges = readonly (readonly [number, number])[];

/** One row of a file, and where it stands; or why it is none. */
export type Line =
  | { readonly line: number; readonly row: Row }
  | { readonly line: number; readonly reason: string; readonly message: string };

/** What became of rows: never of a value in them, which may be personal. */
export interface Refusal {
  readonly lines: Ranges;
  readonly rows: number;
  /** A stable code: one of the event's faults, or one of the file's. */
  readonly reason: string;
  readonly message: string;
}

/** One row, or the rows of a group, ready to be an event. */
export interface Gathered {
  readonly lines: Ranges;
  readonly rows: number;
  readonly row: Row;
}

export const isRefusal = (it: Gathered | Refusal): it is Refusal => 'reason' in it;

/** `12-15,17` */
export const rangesText = (ranges: Ranges): string =>
  ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',');

export const firstOf = (ranges: Ranges): number => ranges[0]?.[0] ?? 0;
