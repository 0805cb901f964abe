import { createReadStream } from 'node:fs';
import { pipeline, type Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { isRecord, readJson } from '../channels/json.ts';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { checkColumns } from './columns.ts';
import { type CsvRecord, csvReader } from './csv.ts';
import type { Line } from './line.ts';
import { ImportError, type Mapping } from './mapping.ts';

/** A file being read, from its beginning and in memory that does not grow with it. */
export interface Rows {
  /** The columns that the first line names; a file of JSON names none. */
  readonly columns: readonly string[] | undefined;
  readonly lines: AsyncIterable<Line>;
  /** Bytes of the file read so far, as they lie on the disk. */
  bytesRead(): number;
  close(): void;
}

/** A file without line breaks would otherwise come into memory whole. */
const LINE_LENGTH = 1024 * 1024;

/** Undecodable bytes become this character: the row is refused, not brought in with a hole. */
const REPLACEMENT = '\uFFFD';

/**
 * Opens a file of rows: CSV whose first line names the columns, or NDJSON, where `a.b` is the column of a nested field.
 * A name that ends in `.gz` is decompressed.
 *
 * @throws ImportError if it cannot be read or has not the columns that the mapping speaks of
 */
export async function openRows(file: string, mapping: Mapping): Promise<Rows> {
  const format = mapping.format ?? formatOf(file);
  const source = createReadStream(file, { highWaterMark: 256 * 1024 });
  const bytesRead = () => source.bytesRead;
  const close = () => void source.destroy();
  const stages: Transform[] = [];
  if (file.endsWith('.gz')) stages.push(createGunzip());
  if (!/^utf-?8$/i.test(mapping.encoding)) stages.push(decoder(mapping.encoding));
  // Each failure goes on to the next stream, and comes out of the last, where it is read.
  const through = (from: Readable, stage: Transform): Readable => pipeline(from, stage, () => {});
  const text = stages.reduce<Readable>(through, source);
  if (format === 'ndjson')
    return { columns: undefined, lines: described(file, jsonLines(text)), bytesRead, close };
  const records = described(file, csvRecords(text, mapping.delimiter));
  const first = await records.next();
  if (first.done || !('cells' in first.value)) {
    close();
    throw new ImportError(`${file}: its first line has to name the columns`);
  }
  const columns = first.value.cells.map((name) => name.trim());
  try {
    checkColumns(mapping, columns);
    if (new Set(columns).size < columns.length) throw new ImportError(`${file}: two columns have one name`);
  } catch (error) {
    close();
    throw error;
  }
  return { columns, lines: rowsOf(records, columns), bytesRead, close };
}

function formatOf(file: string): 'csv' | 'ndjson' {
  const name = file.toLowerCase().replace(/\.gz$/, '');
  if (name.endsWith('.csv')) return 'csv';
  if (name.endsWith('.ndjson') || name.endsWith('.jsonl')) return 'ndjson';
  throw new ImportError(
    `${file} ends neither in .csv nor in .ndjson (.gz): say format: csv or ndjson in the mapping`,
  );
}

async function* csvRecords(text: Readable, delimiter: string): AsyncGenerator<CsvRecord> {
  const reader = csvReader(delimiter);
  for await (const line of textLines(text)) yield* reader.take(line);
  yield* reader.end();
}

async function* rowsOf(records: AsyncIterable<CsvRecord>, columns: readonly string[]): AsyncGenerator<Line> {
  const index = new Map(columns.map((column, i) => [column, i]));
  for await (const record of records) {
    if (!('cells' in record)) yield record;
    else if (record.cells.length !== columns.length) {
      const message = `${record.cells.length} cells, and the first line names ${columns.length} columns`;
      yield { line: record.line, reason: 'bad_columns', message };
    } else if (record.cells.some((cell) => cell.includes(REPLACEMENT))) yield undecodable(record.line);
    else {
      const { cells } = record;
      yield {
        line: record.line,
        row: { get: (column) => cells[index.get(column) ?? -1] },
      };
    }
  }
}

const undecodable = (line: number): Line => ({
  line,
  reason: 'undecodable',
  message: 'bytes that are no text in this encoding: say encoding: gb18030 (or another) in the mapping',
});

async function* jsonLines(text: Readable): AsyncGenerator<Line> {
  let line = 0;
  for await (const row of textLines(text)) {
    line += 1;
    if (row.trim() === '') continue;
    if (row.includes(REPLACEMENT)) yield undecodable(line);
    else yield jsonLine(line, row);
  }
}

/** The lines of a text, without a byte order mark. */
async function* textLines(text: Readable): AsyncGenerator<string> {
  let rest = '';
  let isFirst = true;
  for await (const piece of text.setEncoding('utf8')) {
    const lines = (rest + String(piece)).split('\n');
    if (isFirst) lines[0] = lines[0]?.replace(/^\uFEFF/, '') ?? '';
    isFirst = false;
    rest = lines.pop() ?? '';
    if (rest.length > LINE_LENGTH)
      throw new ImportError(`a line of more than ${LINE_LENGTH} characters: is this text?`);
    yield* lines;
  }
  if (rest !== '') yield rest;
}

function jsonLine(line: number, text: string): Line {
  try {
    const value = readJson(text);
    if (!isRecord(value)) return { line, reason: 'undecodable', message: 'a line of NDJSON is one object' };
    return { line, row: { get: (column) => textAt(value, column) } };
  } catch (error) {
    if (error instanceof FaultError) return { line, reason: error.reason, message: error.message };
    throw error;
  }
}

/** The field as text: by its whole name, or step by step where the name has points. Objects and lists are none. */
function textAt(value: { [name: string]: Json }, column: string): string | undefined {
  let at: Json | undefined = Object.hasOwn(value, column) ? value[column] : undefined;
  if (at === undefined && column.includes('.')) {
    at = value;
    for (const step of column.split('.')) at = isRecord(at) && Object.hasOwn(at, step) ? at[step] : undefined;
  }
  return typeof at === 'string'
    ? at
    : typeof at === 'number' || typeof at === 'boolean'
      ? String(at)
      : undefined;
}

function decoder(encoding: string): Transform {
  const text = decoderOf(encoding);
  return new Transform({
    transform: (bytes, _, done) => done(null, text.decode(bytes, { stream: true })),
    flush: (done) => done(null, text.decode()),
  });
}

function decoderOf(encoding: string) {
  try {
    return new TextDecoder(encoding);
  } catch {
    throw new ImportError(`no encoding "${encoding}": say utf-8, gb18030, utf-16le, …`);
  }
}

/** What the file system, gzip and the parser throw, as one sentence with the file's name. */
async function* described<T>(file: string, rows: AsyncIterable<T>): AsyncGenerator<T, undefined> {
  try {
    yield* rows;
  } catch (error) {
    if (error instanceof ImportError) throw error;
    throw new ImportError(`${file}: ${error instanceof Error ? error.message : error}`);
  }
}
