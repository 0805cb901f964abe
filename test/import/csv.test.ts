// Scope: the reader of CSV, against another one.
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CsvRecord, csvReader } from '../../lib/import/csv.ts';

function read(text: string, delimiter = ','): CsvRecord[] {
  const reader = csvReader(delimiter);
  return [...text.split('\n').flatMap((line) => reader.take(line)), ...reader.end()];
}

const aCell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', ' ', '禾', ';'), maxLength: 6 });
const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;

test('what is quoted comes back as it was, with the line where it began, as another reader has it', () => {
  const rows = fc.array(fc.array(aCell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(rows, fc.constantFrom('\n', '\r\n'), (cells, end) => {
      const text = cells.map((row) => row.map(quoted).join(',')).join(end);
      const found = read(text);
      expect(found.map((it) => 'cells' in it && it.cells)).toEqual(cells);
      expect(parse(text, { relax_column_count: true })).toEqual(cells);
      const breaks = (row: string[]) => row.join('').split('\n').length;
      expect(found.map(({ line }) => line)).toEqual(
        cells.map((_, i) => 1 + cells.slice(0, i).reduce((sum, row) => sum + breaks(row), 0)),
      );
    }),
  );
});

test('whatever a file holds, each of its lines is in exactly one row, refused or empty', () => {
  const aLine = fc.string({ unit: fc.constantFrom('a', '"', ','), maxLength: 8 });
  fc.assert(
    fc.property(fc.array(aLine, { maxLength: 12 }), (lines) => {
      const starts = read(lines.join('\n')).map(({ line }) => line);
      expect(starts).toEqual([...new Set(starts)].sort((a, b) => a - b));
      const found = read(lines.join('\n'));
      const inRows = found.reduce(
        (sum, it) =>
          sum + ('cells' in it ? it.cells.reduce((n, cell) => n + cell.split('\n').length - 1, 1) : 1),
        0,
      );
      const between = lines.filter((line, i) => line === '' && !covers(found, i + 1)).length;
      expect(inRows + between).toBe(Math.max(lines.length, between));
    }),
  );
});

/** Whether a line is inside of a row. */
const covers = (found: readonly CsvRecord[], line: number) =>
  found.some((it) => {
    const length = 'cells' in it ? it.cells.reduce((n, cell) => n + cell.split('\n').length - 1, 1) : 1;
    return it.line <= line && line < it.line + length;
  });

test('a quote inside of a plain cell is a character', () => {
  expect(read('12" PLATE,x\n"12"" PLATE",x')).toEqual([
    { line: 1, cells: ['12" PLATE', 'x'] },
    { line: 2, cells: ['12" PLATE', 'x'] },
  ]);
});

test('another delimiter', () => {
  expect(read('a;"b;c"\n1,5;2', ';').map((it) => 'cells' in it && it.cells)).toEqual([
    ['a', 'b;c'],
    ['1,5', '2'],
  ]);
});
