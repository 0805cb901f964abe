// Counted paths for tests, and the 10,000 published ones where they lie beside the repository.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { type ChannelCredit, type CountedPaths, countPaths } from '../../lib/attribution/paths.ts';
import { pathsReader } from '../../lib/attribution/paths-file.ts';

const reference = resolve(import.meta.dirname, '../../../shared/reference/channelattribution');
export const hasPathData = existsSync(resolve(reference, 'PathData.csv'));
export const withoutPathData = hasPathData ? '' : ' (skipped: the reference data is not here)';

const textOf = (file: string) => readFileSync(resolve(reference, file), 'utf8');

export function pathData(): CountedPaths {
  const reader = pathsReader();
  for (const line of textOf('PathData.csv').split('\n')) reader.take(line);
  return reader.end().paths;
}

/** The rows of a published result, as numbers by the name that begins them. */
export function published(file: string): Map<string, number[]> {
  const rows = textOf(file).trim().replaceAll('"', '').split('\n').slice(1);
  return new Map(rows.map((row) => row.split(',')).map(([name = '', ...cells]) => [name, cells.map(Number)]));
}

/** Paths by their text: conversions, what all of them are worth, and null paths. */
export function aPaths(rows: Record<string, readonly [conversions: number, value?: number, nulls?: number]>) {
  return countPaths(
    Object.entries(rows).map(([text, [conversions, value = 0, nulls = 0]]) => [
      text === '' ? [] : text.split('>').map((it) => it.trim()),
      { conversions, value, nulls },
    ]),
  );
}

/** The sample of DP6's Marketing Attribution Models: each path converts once, worth 3. */
export const dp6 = () =>
  aPaths({
    A: [1, 3],
    'A>B': [1, 3],
    'A>B>C': [1, 3],
    B: [1, 3],
    'B>A': [1, 3],
    'B>C>A': [1, 3],
    C: [1, 3],
    'C>A': [1, 3],
    'C>B>A': [1, 3],
  });

export type Row = readonly [
  readonly string[],
  { readonly conversions: number; readonly value: number; readonly nulls: number },
];

const channel = fc.constantFrom('a', 'b', 'c', 'd', 'e');

/** Rows of a small file, repeats of channels and of paths included. */
export const someRows: fc.Arbitrary<Row[]> = fc.array(
  fc
    .tuple(
      fc.array(channel, { minLength: 1, maxLength: 7 }),
      fc.nat({ max: 4 }),
      fc.nat({ max: 500 }),
      fc.nat({ max: 4 }),
    )
    .map(
      ([path, conversions, worth, nulls]): Row => [path, { conversions, value: conversions * worth, nulls }],
    ),
  { minLength: 1, maxLength: 12 },
);

/** Credits by channel, 0 where nothing was earned left out, to so many digits. */
export function byChannel(
  credits: readonly ChannelCredit[],
  of: 'conversions' | 'value' = 'conversions',
  digits = 9,
): Record<string, number> {
  const rows = credits.map((it) => [it.channel, Number(it[of].toFixed(digits))] as const);
  return Object.fromEntries(rows.filter(([, credit]) => credit !== 0));
}

export const totalOf = (
  credits: readonly ChannelCredit[],
  of: 'conversions' | 'value' = 'conversions',
): number => credits.reduce((sum, it) => sum + it[of], 0);
