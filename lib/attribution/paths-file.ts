import { csvReader } from '../import/csv.ts';
import { decimalOf } from '../import/decimal.ts';
import { type CountedPaths, pathCounter } from './paths.ts';

/** What is wrong with a file of paths, and what to do about it. */
export class PathsFileError extends Error {
  override readonly name = 'PathsFileError';
}

/** How a file of aggregated paths is written. What is left out is found in the first line, or is as it usually is. */
export interface PathsFormat {
  /** Between two cells; found in the first line unless given: `;`, `,` or a tab. */
  readonly delimiter?: string;
  /** Between two channels of a path; blanks around it do not count. */
  readonly separator?: string;
  /** Names of the columns. The value and null columns may be missing: there is then no value, and no contrast. */
  readonly columns?: Partial<Columns>;
}

interface Columns {
  readonly path: string;
  readonly conversions: string;
  readonly value: string;
  readonly nulls: string;
}

export interface PathsReader {
  /** The next line of the file, without its line break. @throws PathsFileError naming the line, never what stands in it */
  take(line: string): void;
  end(): PathsRead;
}

export interface PathsRead {
  readonly paths: CountedPaths;
  readonly rows: number;
  /** Whether the file has the column. */
  readonly has: { readonly value: boolean; readonly nulls: boolean };
}

/** Names that a column goes by where none is given, in any case of letters. */
const USUAL: { readonly [column in keyof Columns]: readonly string[] } = {
  path: ['path'],
  conversions: ['total_conversions', 'conversions'],
  value: ['total_conversion_value', 'conversion_value', 'value'],
  nulls: ['total_null', 'null', 'nulls'],
};

/**
 * Reads a CSV file of aggregated paths, line by line:
 *
 *     path;total_conversions;total_conversion_value;total_null
 *     wecom > mini-program > shop;2;199.80;11
 *
 * Numbers are decimal with a point, 0 or more. An empty path is nobody's: what nobody led to. The same path may stand in
 * several lines. One bad line ends the reading: what is left out in silence would shift every share.
 */
export function pathsReader({ delimiter, separator = '>', columns = {} }: PathsFormat = {}): PathsReader {
  if (separator.trim() === '')
    throw new PathsFileError('the separator of a path is blank: say --separator ">"');
  const between = separator.trim();
  const counter = pathCounter();
  const numbers = new Map<string, number>(); // of a channel as it is written, blanks and all
  let csv: ReturnType<typeof csvReader> | undefined;
  let at: { [column in keyof Columns]: number } | undefined;
  let width = 0;
  let rows = 0;

  const channel = (text: string, line: number): number => {
    const known = numbers.get(text);
    if (known !== undefined) return known;
    const name = text.trim();
    if (name === '') throw new PathsFileError(`line ${line}: a channel of the path has no name`);
    const number = counter.numberOf(name);
    numbers.set(text, number);
    return number;
  };

  const row = (cells: readonly string[], line: number) => {
    if (at === undefined) {
      width = cells.length;
      at = columnsOf(
        cells.map((it) => it.trim()),
        columns,
      );
      return;
    }
    if (cells.length !== width)
      throw new PathsFileError(
        `line ${line}: ${cells.length} cells, and the first line names ${width} columns`,
      );
    const text = cells[at.path]!;
    const conversions = countOf(cells[at.conversions], 'conversions', line);
    const value = countOf(cells[at.value], 'value', line);
    const nulls = countOf(cells[at.nulls], 'nulls', line);
    if (value > 0 && conversions === 0)
      throw new PathsFileError(`line ${line}: a value without conversions: whose is it?`);
    rows += 1;
    const path = text.trim() === '' ? [] : text.split(between).map((it) => channel(it, line));
    counter.add(path, { conversions, value, nulls });
  };

  const read = (records: ReturnType<ReturnType<typeof csvReader>['take']>) => {
    for (const record of records) {
      if (!('cells' in record)) throw new PathsFileError(`line ${record.line}: ${record.message}`);
      row(record.cells, record.line);
    }
  };

  return {
    take(line) {
      if (csv) return read(csv.take(line));
      csv = csvReader(delimiter ?? delimiterOf(line));
      read(csv.take(line.replace(/^\uFEFF/, ''))); // a byte order mark is no part of the first name
    },
    end() {
      if (csv) read(csv.end());
      if (at === undefined)
        throw new PathsFileError('the file is empty: its first line has to name the columns');
      return { paths: counter.counted(), rows, has: { value: at.value >= 0, nulls: at.nulls >= 0 } };
    },
  };
}

/** The delimiter that the first line has most of; `>` stands in paths, and paths in no first line. */
function delimiterOf(line: string): string {
  const often = (it: string) => line.split(it).length;
  return [';', ',', '\t'].reduce((best, it) => (often(it) > often(best) ? it : best));
}

function columnsOf(found: readonly string[], asked: Partial<Columns>): { [column in keyof Columns]: number } {
  const lower = found.map((it) => it.toLowerCase());
  const place = (column: keyof Columns, isNeeded: boolean): number => {
    const name = asked[column];
    const at =
      name !== undefined
        ? found.indexOf(name)
        : (USUAL[column].map((it) => lower.indexOf(it)).find((it) => it >= 0) ?? -1);
    if (at < 0 && (isNeeded || name !== undefined))
      throw new PathsFileError(
        `the first line names no column ${name ?? USUAL[column].join(' or ')}: it has ${found.length} (say --${column} NAME)`,
      );
    return at;
  };
  return {
    path: place('path', true),
    conversions: place('conversions', true),
    value: place('value', false),
    nulls: place('nulls', false),
  };
}

/** A number of a cell; an empty or missing one is 0. */
function countOf(cell: string | undefined, column: string, line: number): number {
  const text = cell?.trim() ?? '';
  if (text === '') return 0;
  const number = decimalOf(text) === undefined ? Number.NaN : Number(text);
  if (!(number >= 0) || number > Number.MAX_SAFE_INTEGER)
    throw new PathsFileError(
      `line ${line}: the ${column} are no number of 0 or more: digits and a point, refunds already taken off`,
    );
  return number;
}
