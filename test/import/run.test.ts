// Scope: the command line against a real run of a brand: what was in the file is what the brand tells.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { loadBrand } from '../../infra/brands/load.ts';
import { DEVELOPMENT_SECRET, main, readArguments } from '../../infra/import.ts';
import { type Run, startRun } from '../../infra/local/brand-run.ts';
import { ImportError } from '../../lib/import/mapping.ts';
import { rowsOf } from './recount.ts';
import {
  comparePeople,
  completejourney,
  hasReference,
  type Log,
  NO_REFERENCE,
  onlineRetail,
  SECRET,
  tellTotals,
} from './reference.ts';

// A run is built, synthesised and started: on a busy machine that takes its time.
vi.setConfig({ testTimeout: 240_000 });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'siyu-import-'));
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterAll(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

const csvOf = (rows: readonly Record<string, string>[]) => {
  const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const columns = Object.keys(rows[0] ?? {});
  return [columns, ...rows.map((row) => Object.values(row))]
    .map((cells) => cells.map(cell).join(','))
    .join('\n');
};

async function withRun(log: Log, then: (run: Run) => Promise<void>) {
  const run = await startRun({ brand: log.brand, clockAt: log.clockAt });
  try {
    await then(run);
  } finally {
    await run.stop();
  }
}

/** Imports rows twice and holds what the brand tells against what was counted otherwise. */
async function compare(log: Log, rows: Record<string, string>[]): Promise<void> {
  const counted = log.recount(rows);
  const file = join(await mkdtemp(join(folder, 'log-')), `${log.name}.csv.gz`);
  await writeFile(file, gzipSync(csvOf(rows)));
  await withRun(log, async (run) => {
    const argv = [file, '--map', log.mapping, '--url', run.url, '--secret', SECRET];
    expect(await main(argv, {})).toBe(counted.refusedRows > 0 ? 2 : 0);
    expect(await main([...argv, '--restart'], {})).toBe(counted.refusedRows > 0 ? 2 : 0);
    await run.idle();
    expect(await tellTotals(run, log)).toEqual({
      events: counted.events,
      persons: counted.people.size,
      purchases: counted.purchases,
      paid: counted.paid,
      attributed: counted.attributed,
      wrong: [],
    });
    expect(await comparePeople(run, counted.people.values())).toEqual([]);
  });
}

test('orders of a spreadsheet arrive twice sent and once counted, to the cent, with the touches that led to them', async () => {
  const at = (day: number) => new Date(Date.UTC(2017, 5, 1) + day * 86_400_000).toISOString();
  const rows = Array.from({ length: 120 }, (_, i) => ({
    user: String(i % 17),
    ts: at(i * 0.3),
    kind: i % 3 === 0 ? 'touch' : 'conversion',
    channel: i % 3 > 0 ? '' : i % 2 === 0 ? 'coupon_redeem' : 'mail:TypeA',
    ref: `${i + 1}.0`,
    value: i % 3 === 0 ? '0.0' : `${i % 13}.${String((i * 37) % 100).padStart(2, '0')}`,
  }));
  await compare({ ...completejourney, from: '2017-06-01', to: '2017-07-10' }, rows);
});

test('invoices of many lines arrive as one order each, and what is no purchase is refused', async () => {
  const line = (InvoiceNo: string, Quantity: number, UnitPrice: string, CustomerID: string) => ({
    InvoiceNo,
    StockCode: '1',
    Description: 'A "NICE" MUG, BLUE',
    Quantity: String(Quantity),
    InvoiceDate: '2011-07-01 10:00:00',
    UnitPrice,
    CustomerID,
    Country: 'France',
  });
  const rows = Array.from({ length: 40 }, (_, i) => [
    line(`${5000 + i}`, i, '2.55', i % 4 === 0 ? '' : String(100 + (i % 7))),
    line(`${6000 + i}`, -3, '0.0', ''),
    line(`${5000 + i}`, 3, '0.001', i % 4 === 0 ? '' : String(100 + (i % 7))),
    line(`C${7000 + i}`, -i - 1, '0.35', i % 5 === 0 ? '' : '103'),
    ...(i === 5 ? [line('A8000', 1, '11062.06', '')] : []),
  ]).flat();
  await compare({ ...onlineRetail, from: '2011-07-01', to: '2011-07-01' }, rows);
});

// A report reads every day that it covers: slices of few days keep this short.
describe.skipIf(!hasReference)(
  `a slice of the reference logs${hasReference ? '' : ` (skipped: ${NO_REFERENCE})`}`,
  () => {
    test('six weeks of households: mail, coupons, baskets', async () => {
      const [from, to] = ['2017-05-15', '2017-06-25'];
      const rows = rowsOf(completejourney.file).filter(({ ts = '' }) => ts >= from && ts.slice(0, 10) <= to);
      await compare({ ...completejourney, from, to }, rows.slice(0, 300));
    });

    test('the first 700 lines of invoices, some of nobody among them', () =>
      compare(
        { ...onlineRetail, from: '2010-12-01', to: '2010-12-01' },
        rowsOf(onlineRetail.file).slice(0, 700),
      ));
  },
);

test('what the brand cannot take is in its quarantine and in the file of refusals, by its line', async () => {
  const file = join(folder, 'members.ndjson');
  const map = join(folder, 'members.yaml');
  await writeFile(
    file,
    '{"id":1,"at":1500000000,"phone":"+8613800138000"}\n{"id":2,"at":1500000000,"phone":"12"}\n',
  );
  await writeFile(
    map,
    `name: members
time: unix
rules:
  - type: member_registered
    id: [id]
    time: at
    identifiers: [{ kind: member_id, value: 'm{id}' }, { kind: phone, value: '{phone}' }]
    properties: { member_id: 'm{id}' }`,
  );
  await withRun(completejourney, async (run) => {
    expect(await main([file, '--map', map, '--url', run.url, '--secret', SECRET], {})).toBe(2);
    const refused = await readFile(`${file}.rejected.ndjson`, 'utf8');
    expect(JSON.parse(refused)).toMatchObject({ lines: '2', reason: 'bad_identifier' });
    expect(refused).not.toContain('"12"');
    const wrong = main([file, '--map', map, '--url', run.url, '--secret', 'whsec_AAAA', '--restart'], {});
    await expect(wrong).rejects.toThrow('is it the secret of this account');
  });
});

describe('the command line', () => {
  test('says what is missing', () => {
    expect(() => readArguments([], {})).toThrow('one FILE');
    expect(() => readArguments(['a.csv'], {})).toThrow('--map');
    expect(() => readArguments(['a.csv', '--mapp', 'm'], {})).toThrow(ImportError);
    expect(() => readArguments(['a.csv', '--map', 'm', '--url', 'https://brand.example'], {})).toThrow(
      'SIYU_IMPORT_SECRET',
    );
  });

  test('takes the secret of the demo brand on this machine only, and the environment before it', () => {
    const local = loadBrand('demo').local?.secrets['generic-crm'];
    expect(local).toEqual({ keys: [DEVELOPMENT_SECRET] });
    const secretOf = (argv: string[], env = {}) => {
      const asked = readArguments(['a.csv', '--map', 'm', ...argv], env);
      return asked.help ? undefined : asked.target.secret;
    };
    expect(secretOf([])).toBe(DEVELOPMENT_SECRET);
    expect(secretOf([], { SIYU_IMPORT_SECRET: 'whsec_env' })).toBe('whsec_env');
    expect(secretOf(['--secret', 'whsec_arg'], { SIYU_IMPORT_SECRET: 'whsec_env' })).toBe('whsec_arg');
  });
});
