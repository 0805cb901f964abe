// Scope: what was spent: put, put again, read from files, and what a report makes of it.
import { describe, expect, test } from 'vitest';
import { spendReader } from '../../infra/spend.ts';
import { type ReportQuery, report } from '../../lib/attribution/report.ts';
import type { DayRow } from '../../lib/attribution/row.ts';
import { type SpendLine, spendStore } from '../../lib/attribution/spend.ts';
import { memoryTable } from '../platform/memory.ts';

const spent = (day: string, channel: string, amount: number, campaign?: string): SpendLine => ({
  day,
  channel,
  amount,
  ...(campaign !== undefined && { campaign }),
});

describe('what is stored', () => {
  test('a line that is put again is replaced; days and months are in their order, both ends in', async () => {
    const store = spendStore(memoryTable());
    await store.put(spent('2026-11-30', 'douyin', 100, 'a'));
    await store.put(spent('2026-12-01', 'douyin', 200));
    await store.put(spent('2026-11-30', 'douyin', 300, 'a'));
    await store.put(spent('2026-11-29', 'douyin#x', 7));
    await store.put(spent('2026-12-02', 'douyin', 1));
    const all = await store.list('2026-11-29', '2026-12-01');
    expect(all).toEqual([
      spent('2026-11-29', 'douyin#x', 7),
      spent('2026-11-30', 'douyin', 300, 'a'),
      spent('2026-12-01', 'douyin', 200),
    ]);
    expect(await store.list('2026-11-30', '2026-11-30')).toHaveLength(1);
    expect(await store.list('2025-12-01', '2026-11-28')).toEqual([]);
  });
});

const order = (id: string, day: string, net: number, more: Partial<DayRow> = {}): DayRow => ({
  id,
  day,
  goal: 'order',
  currency: 'CNY',
  gross: net,
  refunded: 0,
  names: [['douyin', 'spring', null, null, null]],
  path: [0],
  spanMs: 36 * 3_600_000,
  shares: { last: [[1_000_000, net, 0]] },
  ...more,
});

const query: ReportQuery = {
  models: ['last'],
  from: '2026-11-01',
  to: '2026-11-30',
  by: 'channel',
  currency: 'CNY',
};

describe('what a report makes of it', () => {
  const orders = [
    order('a', '2026-11-03', 400),
    order('b', '2026-11-05', 700),
    order('c', '2026-11-09', 900),
  ];
  const spend = [
    spent('2026-11-02', 'douyin', 600, 'spring'),
    spent('2026-11-04', 'douyin', 400),
    spent('2026-11-04', 'weibo', 50),
  ];

  test('spend a conversion, money over spend, and the day on which all of it was back', () => {
    const { rows, totals } = report(query, orders, { spend });
    expect(rows.find(({ name }) => name === 'douyin')?.cost).toEqual({
      spend: 1_000,
      cpa: 333,
      roas: 2,
      paybackDays: 3, // 400 and 700 by the fifth, counted from the second
    });
    expect(totals.cost).toEqual({ spend: 1_050, cpa: 350, roas: 2_000 / 1_050, paybackDays: 3 });
  });

  test('a channel that cost and brought nothing is a row', () => {
    const { rows } = report(query, orders, { spend });
    expect(rows.find(({ name }) => name === 'weibo')).toEqual({
      name: 'weibo',
      ...{ ppm: 0, gross: 0, refunded: 0, net: 0, closes: 0, assists: 0 },
      cost: { spend: 50, cpa: null, roas: 0, paybackDays: null },
    });
  });

  test('by campaign what names none is one row; by content it belongs to nothing and is left out', () => {
    const byCampaign = report({ ...query, by: 'campaign' }, orders, { spend });
    expect(byCampaign.rows.map(({ name, cost }) => [name, cost?.spend])).toEqual([
      ['spring', 600],
      ['(no campaign)', 450],
      ['(unattributed)', undefined],
    ]);
    expect(report({ ...query, by: 'content' }, orders, { spend }).rows.every(({ cost }) => !cost)).toBe(true);
  });

  test('a first-touch cohort is the week of the first touch, by its Monday', () => {
    const told = [
      order('a', '2026-11-09', 400, { firstDaysAgo: 1 }), // a Sunday: the week of the second
      order('b', '2026-11-09', 700, { firstDaysAgo: 0 }),
      order('c', '2026-11-10', 900), // of an older row: a day and a half before
      order('d', '2026-11-10', 30, {
        names: [['(unattributed)', null, null, null, null]],
        path: [],
        spanMs: 0,
      }),
    ];
    const { rows } = report({ ...query, by: 'cohort' }, told);
    expect(rows.map(({ name, net }) => [name, net])).toEqual([
      ['2026-11-02', 400],
      ['2026-11-09', 1_600],
      ['(unattributed)', 30],
    ]);
  });
});

describe('a file', () => {
  const read = (text: string, digits?: number) => {
    const reader = spendReader(digits);
    for (const line of text.split('\n')) reader.take(line);
    return reader.end();
  };

  test('has decimals or minor units; the same line twice is one, with the sum', () => {
    expect(
      read('day,channel,campaign,cost\r\n2026-11-11,douyin,"a, b",1999.5\n2026-11-11,douyin,"a, b",0.01'),
    ).toEqual([spent('2026-11-11', 'douyin', 199_951, 'a, b')]);
    expect(read('amount,channel,day\n12,weibo,2026-11-11')).toEqual([spent('2026-11-11', 'weibo', 12)]);
    expect(read('day,channel,cost\n2026-11-11,weibo,12', 0)).toEqual([spent('2026-11-11', 'weibo', 12)]);
  });

  test.each([
    ['day,channel\n2026-11-11,weibo', /line 1: the columns are/],
    ['day,channel,amount,cost\n', /line 1: the columns are/],
    ['day,channel,cost\n2026-11-11,weibo,1.005', /line 2: cost has at most 2 digits/],
    ['day,channel,amount\n2026-11-11,weibo,1.5', /line 2: amount is a whole number/],
    ['day,channel,amount\n2026-11-31,weibo,1', /line 2: day/],
    ['day,channel,amount\n2026-11-11,weibo,-1', /line 2: amount/],
  ])('is refused with its line: %s', (text, words) => {
    expect(() => read(text)).toThrow(words);
  });
});
