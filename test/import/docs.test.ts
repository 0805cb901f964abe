// Scope: what docs/import.md tells people to copy.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importFile } from '../../lib/import/import-file.ts';
import { rowsOf } from './recount.ts';
import { completejourney, hasReference, NO_REFERENCE, onlineRetail } from './reference.ts';

const page = readFileSync(resolve(import.meta.dirname, '../../docs/import.md'), 'utf8');
const [chinese = '', english = '', till = ''] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(
  ([, yaml = '']) => yaml,
);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'siyu-docs-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function dryRun(file: string, mapping: string) {
  const events: { [name: string]: unknown }[] = [];
  const { counts } = await importFile(
    { file, mapping: { text: mapping, from: 'docs/import.md' }, to: '', here: folder, dryRun: true },
    { now: () => 0, send: async () => [], event: (json) => events.push(JSON.parse(json)) },
  );
  return { counts, events };
}

async function dryRunOf(csv: string, mapping: string) {
  const file = join(folder, 'orders.csv');
  await writeFile(file, csv);
  return dryRun(file, mapping);
}

const rows = [
  'T1,ok,13800138000,m1,2026-11-11 00:00:00,268.00,3,yes,上海,sms,7.0',
  'T2,test,13800138000,m1,2026-11-11 00:00:00,1.00,1,,,,',
  'T3,ok,13800138000,,2026-11-11 00:00:00,-1,1,,,,',
  'X4,ok,13800138000,m1,2026-11-11 00:00:00,1.00,1,,,,',
];

describe('the mapping that the page explains', () => {
  test.each([
    [
      'English',
      english.replace('gb18030', 'utf-8'),
      'number,state,phone,member,paid_at,paid,items,gift,city,from,wave',
      rows,
    ],
    [
      '中文',
      chinese.replace('gb18030', 'utf-8'),
      '订单号,状态,手机,会员号,付款时间,实付,件数,礼品,城市,来源,批次',
      rows.map((row) => row.replace('test', '测试').replace('yes', '是')),
    ],
  ])('%s', async (_, mapping, head, lines) => {
    const { counts, events } = await dryRunOf([head, ...lines].join('\n'), mapping);
    expect(counts).toMatchObject({ rows: 4, events: 1, skippedRows: 1, reasons: { by_rule: 1, no_rule: 1 } });
    expect(events).toMatchObject([
      {
        event_id: 'shop-orders:T1',
        timestamp: '2026-11-10T16:00:00.000Z',
        properties: { paid_amount: 26800, items: 3, is_gift: true },
        traits: { city: '上海' },
        context: { campaign: { channel: 'sms', name: 'wave-7' } },
      },
    ]);
  });
});

test('the receipt of several lines that the page explains', async () => {
  const at = '2026-11-11T00:00:00+08:00';
  const lines = [`R1,m1,${at},2,0.10`, `R1,m1,${at},1,0.10`, `R2,,${at},1,5`];
  const { events } = await dryRunOf(['receipt,member,at,quantity,price', ...lines].join('\n'), till);
  expect(events).toMatchObject([
    { identifiers: [{ kind: 'member_id', value: 'm1' }], properties: { paid_amount: 30 } },
    {
      identifiers: [{ kind: 'anonymous_id', scope: 'receipt', value: 'R2' }],
      properties: { paid_amount: 500 },
    },
  ]);
});

describe.skipIf(!hasReference)(
  `the figures that the page gives${hasReference ? '' : ` (skipped: ${NO_REFERENCE})`}`,
  () => {
    const whole = (amount: bigint) =>
      `${(amount / 100n).toLocaleString('en')}.${String(amount % 100n).padStart(2, '0')}`;

    test.each([completejourney, onlineRetail])(
      '$name, whole, mapped and counted by other means',
      async (log) => {
        const counted = log.recount(rowsOf(log.file));
        const { counts, events } = await dryRun(log.file, readFileSync(log.mapping, 'utf8'));
        const sum = (property: string) =>
          events.reduce((total, { properties: it }) => {
            const value =
              typeof it === 'object' && it !== null && property in it ? Reflect.get(it, property) : 0;
            return total + BigInt(value);
          }, 0n);
        const [paid, refunded] = [sum('paid_amount'), sum('refund_amount')];
        expect([counts.events, counts.refusedRows, paid, refunded]).toEqual([
          counted.events,
          counted.refusedRows,
          counted.paid,
          counted.refunded,
        ]);
        for (const figure of [counted.events, counted.purchases, counted.people.size, counts.rows].map((it) =>
          it.toLocaleString('en'),
        ))
          expect(page).toContain(figure);
        expect(page).toContain(whole(paid));
        if (refunded > 0n) expect(page).toContain(whole(refunded));
      },
      240_000,
    );
  },
);
