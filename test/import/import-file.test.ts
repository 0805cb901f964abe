// Scope: a whole import, with a brand that remembers what it was sent; killed, continued, changed under way.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BATCH_BYTES, BATCH_EVENTS, batchBody } from '../../lib/import/batch.ts';
import { type ImportDeps, type ImportOptions, importFile } from '../../lib/import/import-file.ts';

let folder: string;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'siyu-import-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const mapping = {
  from: 'm.yaml',
  text: `name: test
rules:
  - { when: { kind: x }, skip: not ours }
  - type: page_viewed
    id: [no]
    time: { column: at, format: unix }
    identifiers: [{ kind: member_id, value: '{who}' }]
    properties: { url: '/{no}' }`,
};

interface Written {
  readonly no: number;
  readonly kind?: 'x' | 'bad' | 'quarantined';
  readonly long?: boolean;
}

const lineOf = ({ no, kind, long }: Written) =>
  `${no},${kind === 'bad' ? 'noon' : 1_700_000_000 + no},m${no}${kind === 'quarantined' ? 'Q' : ''}${long ? 'x'.repeat(3000) : ''},${kind === 'x' ? 'x' : ''}`;

async function written(rows: readonly Written[]): Promise<string> {
  const file = join(folder, `${files++}.csv`);
  await writeFile(file, `no,at,who,kind\n${rows.map((row) => `${lineOf(row)}\n`).join('')}`);
  return file;
}

class Killed extends Error {}

/** A brand that takes what it is sent, and refuses members with a Q; dies before or after request `diesAt`. */
function aBrand(diesAt = Number.POSITIVE_INFINITY, after = false) {
  const sent: string[][] = [];
  const deps: ImportDeps = {
    now: () => Date.parse('2026-11-11T00:00:00Z'),
    async send(events) {
      if (sent.length === diesAt && !after) throw new Killed();
      expect(events.length).toBeLessThanOrEqual(BATCH_EVENTS);
      expect(Buffer.byteLength(batchBody(events))).toBeLessThanOrEqual(256 * 1024);
      sent.push([...events]);
      if (sent.length - 1 === diesAt) throw new Killed();
      return events.flatMap((event, index) =>
        event.includes('Q"') ? [{ index, reason: 'bad_identifier', message: 'no' }] : [],
      );
    },
  };
  return { deps, sent };
}

const options = (file: string, more: Partial<ImportOptions> = {}): ImportOptions => ({
  file,
  mapping,
  to: 'http://brand crm',
  here: folder,
  ...more,
});
const refusedIn = async (path: string) =>
  (await readFile(path, 'utf8').catch(() => ''))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line).lines);
const events = (sent: readonly string[][]) =>
  sent.flat().map((json): number => Number(JSON.parse(json).event_id.split(':')[1]));

test('rows go out in batches that the channel takes, and every row is accounted for', async () => {
  const rows = Array.from(
    { length: 1203 },
    (_, no): Written => ({
      no,
      ...(no % 100 === 50 && { kind: 'bad' }),
      ...(no % 100 === 60 && { kind: 'x' }),
      ...(no === 7 && { kind: 'quarantined' }),
    }),
  );
  const brand = aBrand();
  const { counts, complete, files } = await importFile(options(await written(rows)), brand.deps);
  expect(complete).toBe(true);
  expect(counts).toMatchObject({
    rows: 1203,
    events: 1179,
    refused: 12,
    skipped: { 'not ours': 12 },
    quarantined: 1,
  });
  expect(counts.inEvents + counts.refusedRows + counts.skippedRows).toBe(counts.rows);
  expect(brand.sent.map((batch) => batch.length)).toEqual([500, 500, 179]);
  expect(await refusedIn(files.refused)).toEqual([
    '52',
    '152',
    '252',
    '352',
    '452',
    '9',
    ...[5, 6, 7, 8, 9, 10, 11].map((n) => String(n * 100 + 52)),
  ]);
});

test('a batch is full at 256 KB too', async () => {
  const brand = aBrand();
  await importFile(
    options(await written(Array.from({ length: 200 }, (_, no) => ({ no, long: true })))),
    brand.deps,
  );
  expect(brand.sent.length).toBeGreaterThan(2);
  for (const batch of brand.sent.slice(0, -1))
    expect(Buffer.byteLength(batchBody(batch))).toBeGreaterThan(BATCH_BYTES - 4096);
});

test('killed anywhere and run again: nothing is lost, nothing comes twice, each refusal stands once', async () => {
  const aRow = fc.constantFrom<Written['kind']>(undefined, undefined, undefined, 'bad', 'x', 'quarantined');
  await fc.assert(
    fc.asyncProperty(
      fc.array(aRow, { minLength: 1, maxLength: 400 }),
      fc.array(fc.tuple(fc.nat(6), fc.boolean()), { maxLength: 3 }),
      async (kinds, deaths) => {
        const rows = kinds.map((kind, no): Written => ({ no, kind, long: true }));
        const file = await written(rows);
        const whole = aBrand();
        const once = await importFile(options(await written(rows)), whole.deps);
        const sent: string[][] = [];
        let last = once;
        for (const [diesAt, after] of [...deaths, [Number.POSITIVE_INFINITY, false] as const]) {
          const brand = aBrand(diesAt, after);
          try {
            last = await importFile(options(file), brand.deps);
          } catch (error) {
            if (!(error instanceof Killed)) throw error;
          }
          sent.push(...brand.sent);
        }
        expect([...new Set(events(sent))]).toEqual(events(whole.sent));
        // At most the batch under way is sent again for each death.
        expect(sent.length).toBeLessThanOrEqual(whole.sent.length + deaths.length);
        expect(await refusedIn(last.files.refused)).toEqual(await refusedIn(once.files.refused));
        expect(last.counts).toEqual({ ...once.counts, before: last.counts.before });
      },
    ),
    { numRuns: 40 },
  );
});

describe('a file that was begun', () => {
  const rows = Array.from({ length: 1200 }, (_, no): Written => ({ no }));

  async function halfDone() {
    const file = await written(rows);
    await expect(importFile(options(file), aBrand(1).deps)).rejects.toThrow(Killed);
    return file;
  }

  test('goes on where it ended, and sends nothing when it is done', async () => {
    const file = await halfDone();
    const brand = aBrand();
    const { counts } = await importFile(options(file), brand.deps);
    expect([counts.events, counts.before, events(brand.sent)[0]]).toEqual([1200, 500, 500]);
    const again = aBrand();
    await importFile(options(file), again.deps);
    expect(again.sent).toEqual([]);
  });

  test('and has grown since, goes on with what is new', async () => {
    const file = await written(rows);
    await importFile(options(file), aBrand().deps);
    await writeFile(file, `${lineOf({ no: 5000 })}\n`, { flag: 'a' });
    const brand = aBrand();
    await importFile(options(file), brand.deps);
    expect(events(brand.sent)).toEqual([5000]);
  });

  test('and was changed where it had been read is not gone on with', async () => {
    const file = await halfDone();
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('m77,', 'm78,'));
    await expect(importFile(options(file), aBrand().deps)).rejects.toThrow('is not what it was');
    await writeFile(file, text.split('\n').slice(0, 100).join('\n'));
    await expect(importFile(options(file), aBrand().deps)).rejects.toThrow('is not what it was');
  });

  test('is not gone on with by another mapping or to another brand, unless begun anew', async () => {
    const file = await halfDone();
    const other = { ...mapping, text: mapping.text.replace("'/{no}'", "'/p/{no}'") };
    await expect(importFile(options(file, { mapping: other }), aBrand().deps)).rejects.toThrow(
      'another mapping',
    );
    await expect(importFile(options(file, { to: 'http://other crm' }), aBrand().deps)).rejects.toThrow(
      'http://brand crm',
    );
    const brand = aBrand();
    await importFile(options(file, { mapping: other, restart: true }), brand.deps);
    expect(events(brand.sent)).toHaveLength(1200);
  });

  test('by Ctrl-C is left between batches, compressed or not', async () => {
    const plain = await written(rows);
    await writeFile(`${plain}.gz`, gzipSync(await readFile(plain)));
    for (const file of [plain, `${plain}.gz`]) {
      const brand = aBrand();
      const left = { ...brand.deps, stopped: () => brand.sent.length === 1 };
      const { complete, counts } = await importFile(options(file), left);
      expect([complete, brand.sent.length, counts.events]).toEqual([false, 1, 500]);
      await importFile(options(file), brand.deps);
      expect(events(brand.sent)).toEqual(rows.map(({ no }) => no));
    }
  });
});

test('a dry run sends nothing and leaves nothing behind', async () => {
  const file = await written([{ no: 1 }, { no: 2, kind: 'bad' }]);
  const brand = aBrand();
  const { counts, files } = await importFile(options(file, { dryRun: true }), brand.deps);
  expect([counts.events, counts.refused, brand.sent.length]).toEqual([1, 1, 0]);
  await expect(readFile(files.state)).rejects.toThrow('ENOENT');
  await expect(readFile(files.refused)).rejects.toThrow('ENOENT');
});
