// Scope: files as they lie on a disk, told row by row with the line that each stands in.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readMapping } from '../../lib/import/mapping.ts';
import { openRows } from '../../lib/import/rows.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'siyu-rows-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const mappingOf = (head = '') =>
  readMapping(
    `name: test\n${head}\nrules: [{ type: seen, id: [a], time: { column: a }, identifiers: [{ kind: member_id, value: '{b}' }] }]`,
    'm.yaml',
  );

async function read(name: string, content: string | Buffer, head?: string) {
  const file = join(folder, name);
  await writeFile(file, content);
  const rows = await openRows(file, mappingOf(head));
  const found: unknown[] = [];
  for await (const line of rows.lines)
    found.push('row' in line ? [line.line, line.row.get('a'), line.row.get('b')] : [line.line, line.reason]);
  return found;
}

const csv = 'b,a\n1,2\n"3\n\n4",5\n\n6,7,8\n"x" y,9\n10,"11"\n';
const told = [
  [2, '2', '1'],
  [3, '5', '3\n\n4'],
  [7, 'bad_columns'],
  [8, 'bad_csv'],
  [9, '11', '10'],
];

describe('CSV', () => {
  test('each row has the line where it begins, also after cells with breaks, empty and broken lines', async () => {
    expect(await read('a.csv', csv)).toEqual(told);
  });

  test('it is the same compressed, with a byte order mark and with the line ends of Windows', async () => {
    expect(await read('a.csv.gz', gzipSync(csv))).toEqual(told);
    expect(await read('b.csv', `\uFEFF${csv}`)).toEqual(told);
    expect(await read('c.csv', 'b,a\r\n1,2\r\n\r\n3,4\r\n')).toEqual([
      [2, '2', '1'],
      [4, '4', '3'],
    ]);
  });

  test('a file of a Chinese spreadsheet is read in its encoding, and refused row by row in another', async () => {
    const bytes = Buffer.concat([
      Buffer.from('b,a\n'),
      Buffer.from([0xc7, 0xe5, 0xba, 0xcc]),
      Buffer.from(',1\nx,2\n'),
    ]);
    expect(await read('d.csv', bytes, 'encoding: gb18030')).toEqual([
      [2, '1', '清禾'],
      [3, '2', 'x'],
    ]);
    expect(await read('d.csv', bytes)).toEqual([
      [2, 'undecodable'],
      [3, '2', 'x'],
    ]);
  });

  test('a row stands in its line however long the file is', async () => {
    const long = Array.from({ length: 40_000 }, (_, i) =>
      i % 1000 === 7 ? `"q" ${i},z` : `member-${i},${i}`,
    );
    const found = await read('e.csv', `b,a\n${long.join('\n')}\n`);
    expect(found).toEqual(
      long.map((_, i) => (i % 1000 === 7 ? [i + 2, 'bad_csv'] : [i + 2, String(i), `member-${i}`])),
    );
  });

  test('a file that is not there, not compressed, or without its columns is one sentence', async () => {
    await expect(openRows(join(folder, 'none.csv'), mappingOf())).rejects.toThrow(/none\.csv.*ENOENT/);
    await expect(read('f.csv.gz', 'b,a\n1,2\n')).rejects.toThrow(/f\.csv\.gz: incorrect header/);
    await expect(read('g.csv', '')).rejects.toThrow('name the columns');
    await expect(read('h.csv', 'a,c\n1,2\n')).rejects.toThrow('the mapping reads b');
    await expect(read('i.txt', 'a,b\n')).rejects.toThrow('format');
    const torn = gzipSync(`b,a\n${'1,2\n'.repeat(100_000)}`).subarray(0, -20);
    await expect(read('j.csv.gz', torn)).rejects.toThrow(/j\.csv\.gz: unexpected end of file/);
  });

  test('a quote that nobody closes costs its own line, not the rest of the file', async () => {
    const rest = Array.from({ length: 2000 }, (_, i) => `${i},${i}`);
    const found = await read('k.csv', `b,a\n1,2\n"3,4\n${rest.join('\n')}\n5,"6"\n`);
    const told = rest.map((_, i) => [i + 4, String(i), String(i)]);
    expect(found).toEqual([[2, '2', '1'], [3, 'bad_csv'], ...told, [2004, '6', '5']]);
  });

  test('a file without line breaks is told, not read into memory', async () => {
    await expect(read('l.csv', `b,a\n${'1,2;'.repeat(400_000)}`)).rejects.toThrow(/l\.csv|is this text/);
  });
});

describe('NDJSON', () => {
  test('a line is an object; ids beyond 2^53 keep their digits', async () => {
    const lines = ['{"a":1,"b":9007199254740993}', '', '[1]', '{"a":', '{"a":"x","b":true,"c":{"d":1}}'];
    expect(await read('a.ndjson', lines.join('\r\n'))).toEqual([
      [1, '1', '9007199254740993'],
      [3, 'undecodable'],
      [4, 'undecodable'],
      [5, 'x', 'true'],
    ]);
    expect(await read('a.jsonl.gz', gzipSync('{"a":"清","b":"禾"}'))).toEqual([[1, '清', '禾']]);
  });

  test('a nested field is a column with points', async () => {
    await writeFile(join(folder, 'n.ndjson'), '{"a":{"b":{"c":7}},"a.x":8}\n');
    const rows = await openRows(join(folder, 'n.ndjson'), mappingOf());
    for await (const line of rows.lines)
      if ('row' in line)
        expect(['a.b.c', 'a.x', 'a.b', 'a.y', 'z'].map(line.row.get)).toEqual([
          '7',
          '8',
          undefined,
          undefined,
          undefined,
        ]);
  });

  test('a file that is not there is one sentence', async () => {
    const rows = await openRows(join(folder, 'none.ndjson'), mappingOf());
    await expect(Array.fromAsync(rows.lines)).rejects.toThrow(/none\.ndjson: ENOENT/);
  });
});
