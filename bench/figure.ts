/** One line of the table. */
export interface Row {
  readonly figure: string;
  /** As it is printed, with its unit. */
  readonly value: string;
  /** The bar, as it is printed; absent: the figure is only shown. */
  readonly bar?: string;
  /** Whether the bar is met; absent where there is none. */
  readonly ok?: boolean;
  /** The plain numbers, for machines. */
  readonly numbers: Readonly<Record<string, number>>;
}

export interface Measured {
  readonly rows: readonly Row[];
  /** How it was measured, and where it goes: lines under the table. */
  readonly details: readonly string[];
}

/** A figure that is published: measured by `npm run bench -- --only NAME`. */
export interface Figure {
  readonly name: string;
  /** Whether it counts (the same on every machine) or times. */
  readonly kind: 'count' | 'time';
  readonly measure: () => Promise<Measured>;
}

/** A row with an upper bound. */
export const atMost = (
  figure: string,
  value: number,
  bound: number,
  print: (value: number) => string,
  numbers: Row['numbers'] = {},
): Row => ({
  figure,
  value: print(value),
  bar: `≤ ${print(bound)}`,
  ok: value <= bound,
  numbers: { value, ...numbers },
});
