import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NO_CAMPAIGN, NOT_SHARED, report } from '../../lib/attribution/report.ts';
import { type ConversionRow, dayRowOf, UNATTRIBUTED } from '../../lib/attribution/row.ts';
import { shareConversion } from '../../lib/attribution/share.ts';
import { modelName } from '../../lib/platform/brand.ts';
import { aTouch, day, settings, sum } from './a-history.ts';

let count = 0;
function aRow(
  at: string,
  value: number,
  channels: readonly string[],
  more: { refunded?: number; currency?: string; campaign?: string } = {},
) {
  const { refunded = 0, currency = 'CNY', campaign } = more;
  const touches = channels.map((channel) => aTouch(at, channel, campaign === undefined ? {} : { campaign }));
  const key = `key${++count}`;
  const conversion: ConversionRow['conversion'] = {
    key,
    goal: 'order',
    reference: key,
    eventId: 'e',
    at,
    repeatedAt: [],
    value,
    currency,
    refunds: [],
    refunded,
    flags: [],
    firstAt: at,
  };
  const path = { touches, excluded: [], excludedCount: {} };
  return dayRowOf({
    id: `p.${key}`,
    day: at.slice(0, 10),
    conversion,
    path,
    credits: shareConversion(conversion, path, settings()),
  });
}

const query = {
  model: 'linear',
  from: '2026-11-01',
  to: '2026-11-30',
  by: 'channel',
  currency: 'CNY',
} as const;

describe('what a report says', () => {
  const rows = [
    aRow(day(1), 100, ['wecom', 'wechat-oa', 'wecom'], { refunded: 30, campaign: 'double11' }),
    aRow(day(2), 50, []),
  ];

  test('each channel with its credited conversions and money; what nobody earned is a line like any other', () => {
    const { rows: lines, totals } = report(query, rows);
    expect(lines).toEqual([
      { name: UNATTRIBUTED, ppm: 1_000_000, gross: 50, refunded: 0, net: 50 },
      { name: 'wecom', ppm: 666_667, gross: 67, refunded: 20, net: 47 },
      { name: 'wechat-oa', ppm: 333_333, gross: 33, refunded: 10, net: 23 },
    ]);
    expect(totals).toEqual({ conversions: 2, ppm: 2_000_000, gross: 150, refunded: 30, net: 120 });
  });

  test('by campaign, with those that have none in one line', () => {
    const { rows: lines } = report({ ...query, by: 'campaign' }, [...rows, aRow(day(3), 7, ['wecom'])]);
    expect(lines.map(({ name, gross }) => [name, gross])).toEqual([
      ['double11', 100],
      [UNATTRIBUTED, 50],
      [NO_CAMPAIGN, 7],
    ]);
  });

  test('a channel that was on the path and earned nothing is listed', () => {
    const { rows: lines } = report({ ...query, model: 'first' }, [aRow(day(1), 9, ['a', 'b'])]);
    expect(lines.map(({ name, gross }) => [name, gross])).toEqual([
      ['a', 9],
      [UNATTRIBUTED, 0],
      ['b', 0],
    ]);
  });

  test('no conversion at all is a report too', () => {
    expect(report(query, []).rows).toEqual([{ name: UNATTRIBUTED, ppm: 0, gross: 0, refunded: 0, net: 0 }]);
  });

  test('currencies are never added up', () => {
    const it = report(query, [...rows, aRow(day(1), 1_000, ['a'], { currency: 'USD' })]);
    expect(it.totals.gross).toBe(150);
    expect(it.otherCurrencies).toEqual({ USD: 1 });
  });

  test('both days of the range are in, and no other', () => {
    const range = { ...query, from: '2026-11-02', to: '2026-11-03' };
    expect(
      report(
        range,
        [0, 1, 2, 3].map((at) => aRow(day(at), 10 ** at, [])),
      ).totals.gross,
    ).toBe(110);
  });

  test('what was shared before the brand used a model still counts', () => {
    const { shares, ...rest } = aRow(day(1), 9, ['a']);
    const { linear: _, ...others } = shares;
    expect(report(query, [{ ...rest, shares: others }]).rows[0]).toMatchObject({
      name: NOT_SHARED,
      gross: 9,
    });
  });
});

test('rows add up to the totals, and the totals to the conversions, in every model and both ways', () => {
  const row = fc.record({
    value: fc.bigInt({ min: 0n, max: 10n ** 12n }).map(Number),
    part: fc.integer({ min: 0, max: 4 }),
    channels: fc.array(fc.constantFrom('a', 'b', 'c', 'direct'), { maxLength: 8 }),
    campaign: fc.constantFrom(undefined, 'x', 'y'),
  });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 20 }), fc.constantFrom('channel', 'campaign'), (all, by) => {
      const rows = all.map(({ value, part, channels, campaign }) =>
        aRow(day(3), value, channels, { refunded: Math.floor((value * part) / 4), campaign }),
      );
      for (const model of modelName.options) {
        const { rows: lines, totals } = report({ ...query, model, by }, rows);
        for (const field of ['ppm', 'gross', 'refunded', 'net'] as const)
          expect(sum(lines.map((line) => line[field]))).toBe(totals[field]);
        expect(totals.gross).toBe(sum(all.map(({ value }) => value)));
        expect(totals.ppm).toBe(all.length * 1_000_000);
      }
    }),
    { numRuns: 300 },
  );
});
