import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packListings, unpackListing } from '../../lib/attribution/listing.ts';
import { NOT_SHARED, nobodys, type ReportQuery, report } from '../../lib/attribution/report.ts';
import { type ConversionRow, dayRowOf, UNATTRIBUTED } from '../../lib/attribution/row.ts';
import { shareConversion } from '../../lib/attribution/share.ts';
import type { Touch } from '../../lib/attribution/touch.ts';
import { modelName } from '../../lib/platform/brand-words.ts';
import { DAY, toIso } from '../../lib/platform/clock.ts';
import { aTouch, day, settings, sum } from './a-history.ts';

const daysBefore = (at: string, days: number) => toIso(Date.parse(at) - days * DAY);

let count = 0;
function aRow(
  at: string,
  value: number,
  channels: readonly string[],
  more: { refunded?: number; currency?: string; campaign?: string; days?: number[]; staff?: string } = {},
) {
  const { refunded = 0, currency = 'CNY', campaign, days = [], staff } = more;
  const touches = channels.map((channel, i) =>
    aTouch(daysBefore(at, days[i] ?? 0), channel, {
      ...(campaign !== undefined && { campaign }),
      ...(staff !== undefined && { staff }),
    }),
  );
  return aListed(at, value, touches, refunded, currency);
}

function aListed(at: string, value: number, touches: Touch[], refunded: number, currency = 'CNY') {
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
    credits: shareConversion({ ...conversion, day: at.slice(0, 10) }, path, settings()),
  });
}

const query: ReportQuery = {
  models: ['linear'],
  from: '2026-11-01',
  to: '2026-11-30',
  by: 'channel',
  currency: 'CNY',
};

describe('what a report says', () => {
  const rows = [
    aRow(day(1), 100, ['wecom', 'wechat-oa', 'wecom'], { refunded: 30, campaign: 'double11' }),
    aRow(day(2), 50, []),
  ];

  test('each channel with its credited conversions and money; what nobody earned is a line like any other', () => {
    const { rows: lines, totals } = report(query, rows);
    expect(lines).toEqual([
      { name: UNATTRIBUTED, ppm: 1_000_000, gross: 50, refunded: 0, net: 50, closes: 0, assists: 0 },
      { name: 'wecom', ppm: 666_667, gross: 67, refunded: 20, net: 47, closes: 1, assists: 0 },
      { name: 'wechat-oa', ppm: 333_333, gross: 33, refunded: 10, net: 23, closes: 0, assists: 1 },
    ]);
    expect(totals).toEqual({ conversions: 2, ppm: 2_000_000, gross: 150, refunded: 30, net: 120 });
  });

  test('by campaign, with those that have none in one line', () => {
    const { rows: lines } = report({ ...query, by: 'campaign' }, [...rows, aRow(day(3), 7, ['wecom'])]);
    expect(lines.map(({ name, gross }) => [name, gross])).toEqual([
      ['double11', 100],
      [UNATTRIBUTED, 50],
      [nobodys('campaign'), 7],
    ]);
  });

  test('a channel that was on the path and earned nothing is listed', () => {
    const { rows: lines } = report({ ...query, models: ['first'] }, [aRow(day(1), 9, ['a', 'b'])]);
    expect(lines.map(({ name, gross }) => [name, gross])).toEqual([
      ['a', 9],
      [UNATTRIBUTED, 0],
      ['b', 0],
    ]);
  });

  test('no conversion at all is a report too', () => {
    expect(report(query, []).rows).toEqual([
      { name: UNATTRIBUTED, ppm: 0, gross: 0, refunded: 0, net: 0, closes: 0, assists: 0 },
    ]);
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

describe('several models', () => {
  const rows = [
    aRow(day(1), 100, ['wecom', 'douyin', 'wechat-oa'], { refunded: 30, days: [8, 4, 1] }),
    aRow(day(2), 100, ['wecom', 'wechat-oa'], { days: [6, 0] }),
    aRow(day(2), 50, []),
  ];

  test('stand side by side in each line, the first one sorts; each adds up to the same', () => {
    const { rows: lines, totals, model } = report({ ...query, models: ['last', 'first'] }, rows);
    expect(model).toBe('last');
    expect(lines.map(({ name, net, models }) => [name, net, models?.last?.net, models?.first?.net])).toEqual([
      ['wechat-oa', 170, 170, 0],
      [UNATTRIBUTED, 50, 50, 50],
      ['douyin', 0, 0, 0],
      ['wecom', 0, 0, 170],
    ]);
    expect(totals.net).toBe(220);
  });

  test('two are compared: who gains by the second and who loses, as much in all', () => {
    const { comparison } = report({ ...query, models: ['last', 'linear'] }, rows);
    expect(comparison).toEqual({
      from: 'last',
      to: 'linear',
      gains: [
        { name: 'wecom', ppm: 833_334, net: 74 },
        { name: 'douyin', ppm: 333_333, net: 23 },
      ],
      losses: [{ name: 'wechat-oa', ppm: -1_166_667, net: -97 }],
    });
    expect(report({ ...query, models: ['last'] }, rows).comparison).toBeUndefined();
    expect(report({ ...query, models: ['last', 'first', 'linear'] }, rows).comparison).toBeUndefined();
  });

  test('who closes and who assists, whatever the model', () => {
    const { rows: lines } = report(query, rows);
    expect(lines.map(({ name, closes, assists }) => [name, closes, assists])).toEqual([
      ['wecom', 0, 2],
      ['wechat-oa', 2, 0],
      [UNATTRIBUTED, 0, 0],
      ['douyin', 0, 1],
    ]);
  });

  test('how long the ways are, in touches and in days, and which are gone most', () => {
    const again = aRow(day(3), 40, ['wecom', 'wecom', 'wechat-oa'], { days: [2.5, 1, 0] });
    const { paths } = report(query, [...rows, again]);
    expect(paths.conversions).toBe(3);
    expect(paths.length).toEqual({
      mean: 8 / 3,
      median: 3,
      counts: [
        { value: 2, conversions: 1 },
        { value: 3, conversions: 2 },
      ],
    });
    expect(paths.days).toMatchObject({ mean: 16 / 3, median: 6 });
    expect(paths.top).toEqual([
      { path: ['wecom', 'wechat-oa'], conversions: 2, net: 140 },
      { path: ['wecom', 'douyin', 'wechat-oa'], conversions: 1, net: 70 },
    ]);
    expect(report(query, rows).paths.days.median).toBe(7);
    expect(report(query, [aRow(day(1), 1, [])]).paths).toEqual({
      conversions: 0,
      length: { mean: null, median: null, counts: [] },
      days: { mean: null, median: null, counts: [] },
      top: [],
    });
  });

  test('a long way is listed by its end', () => {
    const long = Array.from({ length: 14 }, (_, i) => `c${i}`);
    const [way] = report(query, [aRow(day(1), 1, long)]).paths.top;
    expect(way?.path).toEqual(['…', ...long.slice(2)]);
  });

  test('by staff, and by the days in their order', () => {
    const staffed = [aRow(day(5), 9, ['wecom'], { staff: 'lin' }), ...rows];
    const names = (by: ReportQuery['by']) => report({ ...query, by }, staffed).rows.map(({ name }) => name);
    expect(names('staff')).toEqual(['(no staff)', UNATTRIBUTED, 'lin']);
    expect(names('day')).toEqual(['2026-11-02', '2026-11-03', '2026-11-06', UNATTRIBUTED]);
    expect(report({ ...query, by: 'day' }, staffed).rows[0]).toMatchObject({
      net: 70,
      closes: 1,
      assists: 0,
    });
  });
});

test('what the day’s list keeps of a conversion says all of it', () => {
  const name = fc.option(fc.string(), { nil: undefined });
  const contact = fc.record({
    channel: fc.constantFrom('a', 'b'),
    campaign: name,
    content: name,
    scene: name,
  });
  fc.assert(
    fc.property(fc.array(contact, { maxLength: 6 }), fc.nat(), fc.boolean(), (contacts, value, isBack) => {
      const touches = contacts.map(({ channel, ...it }, i) =>
        aTouch(
          day(i),
          channel,
          Object.fromEntries(Object.entries(it).filter(([, said]) => said !== undefined)),
        ),
      );
      const it = aListed(day(9), value, touches, isBack ? value : 0);
      const { id: _id, day: _day, ...listed } = it;
      expect(unpackListing(packListings([['g', it]]), 'g')).toEqual(listed);
    }),
  );
});

test('rows add up to the totals, and the totals to the conversions, in every model and both ways', () => {
  const row = fc.record({
    value: fc.bigInt({ min: 0n, max: 10n ** 12n }).map(Number),
    part: fc.integer({ min: 0, max: 4 }),
    channels: fc.array(fc.constantFrom('a', 'b', 'c', 'direct'), { maxLength: 8 }),
    campaign: fc.constantFrom(undefined, 'x', 'y'),
  });
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 20 }),
      fc.constantFrom('channel', 'campaign', 'staff', 'day'),
      (all, by) => {
        const rows = all.map(({ value, part, channels, campaign }) =>
          aRow(day(3), value, channels, { refunded: Math.floor((value * part) / 4), campaign }),
        );
        for (const model of modelName.options) {
          const { rows: lines, totals } = report({ ...query, models: [model], by }, rows);
          for (const field of ['ppm', 'gross', 'refunded', 'net'] as const)
            expect(sum(lines.map((line) => line[field]))).toBe(totals[field]);
          expect(totals.gross).toBe(sum(all.map(({ value }) => value)));
          expect(totals.ppm).toBe(all.length * 1_000_000);
        }
      },
    ),
    { numRuns: 300 },
  );
});
