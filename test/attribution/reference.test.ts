// Against what others published and what others recorded. The data is no part of the project: where it is missing,
// these tests say so and are skipped.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { models } from '../../lib/attribution/models.ts';
import { personOf, rowsOf } from '../../lib/attribution/person.ts';
import { report } from '../../lib/attribution/report.ts';
import { type DayRow, dayRowOf } from '../../lib/attribution/row.ts';
import { WHOLE } from '../../lib/attribution/split.ts';
import type { Event } from '../../lib/events/event.ts';
import { type ModelName, modelName } from '../../lib/platform/brand-words.ts';
import { aBrand, anEvent, anOrder, aTouch, day, settings, sum } from './a-history.ts';

const reference = resolve(import.meta.dirname, '../../../shared/reference');
const pathData = resolve(reference, 'channelattribution/PathData.csv');
const published = resolve(reference, 'channelattribution/expected_heuristic.csv');
const journey = resolve(reference, 'completejourney/events_unified.csv.gz');
const missing = (file: string) => (existsSync(file) ? '' : ' (skipped: the reference data is not here)');

const lines = (text: string, separator: string) =>
  text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(separator).map((cell) => cell.replaceAll('"', '')));

describe.skipIf(missing(pathData))(`ChannelAttribution’s 10,000 paths${missing(pathData)}`, () => {
  test.each([
    ['first', 1],
    ['last', 3],
    ['linear', 5],
  ] as const)('%s equals the published digits, conversions and value', (name, column) => {
    const credited = new Map<string, { conversions: number; value: number }>();
    for (const [path = '', conversions, value] of lines(readFileSync(pathData, 'utf8'), ';')) {
      const touches = path.split(' > ').map((channel, i) => aTouch(day(i / 1_000), channel));
      const weighed = models[name](touches, day(9), settings());
      const total = sum(weighed.map(({ weight }) => weight));
      for (const [i, { weight }] of weighed.entries()) {
        const channel = touches[i]!.channel;
        const it = credited.get(channel) ?? { conversions: 0, value: 0 };
        it.conversions += (Number(conversions) * weight) / total;
        it.value += (Number(value) * weight) / total;
        credited.set(channel, it);
      }
    }
    const expected = lines(readFileSync(published, 'utf8'), ',');
    expect(credited.size).toBe(expected.length);
    for (const row of expected) {
      const it = credited.get(row[0]!)!;
      expect(it.conversions / Number(row[column])).toBeCloseTo(1, 11);
      expect(it.value / Number(row[column + 1])).toBeCloseTo(1, 11);
    }
  });
});

describe.skipIf(missing(journey))(`the households of The Complete Journey${missing(journey)}`, () => {
  const brand = { ...aBrand(), currency: 'USD' };

  /** The file's events by household, and its purchases as a plain program sees them. */
  function read() {
    const events = new Map<string, Event[]>();
    const rows = lines(gunzipSync(readFileSync(journey)).toString('utf8'), ',');
    for (const [user = '', ts = '', kind, channel = '', ref = '', value] of rows) {
      const at = new Date(ts).toISOString();
      const cents = Math.round(Number(value) * 100);
      const own = events.get(user) ?? [];
      own.push(
        kind === 'touch'
          ? anEvent('coupon_issued', at, { properties: { channel } })
          : anOrder(at, ref, cents, { properties: { currency: 'USD' } }),
      );
      events.set(user, own);
    }
    return { events, rows };
  }

  test('every purchase is credited, to the cent, in every model; the last touch is the one a plain count finds', () => {
    const { events, rows } = read();
    const listed: DayRow[] = [];
    let purchases = 0;
    for (const [user, own] of events)
      for (const row of rowsOf(personOf(user, own, brand), 'all', brand, (at) => at.slice(0, 10))) {
        purchases++;
        listed.push(dayRowOf(row));
        for (const name of modelName.options) {
          const credited = row.credits[name]!;
          expect(sum(credited.map(({ ppm }) => ppm))).toBe(WHOLE);
          expect(sum(credited.map(({ gross }) => gross))).toBe(row.conversion.value);
        }
      }
    const bought = rows.filter(([, , kind]) => kind === 'conversion');
    const cents = sum(bought.map(([, , , , , value]) => Math.round(Number(value) * 100)));
    expect(purchases).toBe(bought.length);

    const reported = (model: ModelName) =>
      report(
        { models: [model], from: '2010-01-01', to: '2030-01-01', by: 'channel', currency: 'USD' },
        listed,
      );
    for (const name of modelName.options) {
      expect(reported(name).totals.gross).toBe(cents);
      expect(sum(reported(name).rows.map(({ gross }) => gross))).toBe(cents);
    }
    const lines = reported('last').rows.filter(({ ppm }) => ppm > 0);
    expect(Object.fromEntries(lines.map(({ name, gross }) => [name, gross]))).toEqual(lastTouches(rows));
  });

  /** Money by the channel of the last touch within 30 days and after the purchase before, counted from the rows. */
  function lastTouches(rows: readonly string[][]): Record<string, number> {
    const money: Record<string, number> = {};
    const users = Map.groupBy(rows, ([user]) => user);
    for (const own of users.values()) {
      const sorted = own.map(([, ts, kind, channel, , value]) => ({
        at: Date.parse(ts!),
        kind,
        channel,
        value,
      }));
      const purchases = sorted.filter(({ kind }) => kind === 'conversion').sort((a, b) => a.at - b.at);
      for (const [i, purchase] of purchases.entries()) {
        const after = purchases[i - 1]?.at ?? Number.NEGATIVE_INFINITY;
        const seen = sorted.filter(
          ({ kind, at }) =>
            kind === 'touch' && at <= purchase.at && at > after && purchase.at - at <= 30 * 86_400_000,
        );
        seen.sort((a, b) => a.at - b.at);
        const name = seen.at(-1)?.channel ?? '(unattributed)';
        money[name] = (money[name] ?? 0) + Math.round(Number(purchase.value) * 100);
      }
    }
    return money;
  }
});
