import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dayNumber, isoDay, openCalendar } from '../../lib/tags/calendar.ts';
import { localDay } from './oracle.ts';

const zones = [
  ...['Asia/Shanghai', 'UTC', 'America/New_York', 'Europe/London'],
  ...[
    'America/St_Johns',
    'America/Sao_Paulo',
    'Asia/Beirut',
    'America/Havana',
    'Asia/Kathmandu',
    'Australia/Lord_Howe',
  ],
];

describe.each(zones)('in %s', (zone) => {
  const calendar = openCalendar(zone);

  test('an instant lies in the brand-day that began last, and days follow each other without a gap', () => {
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1950, 0), max: Date.UTC(2100, 0) }), (at) => {
        const day = calendar.brandDay(at);
        expect(calendar.startOfDay(day)).toBeLessThanOrEqual(at);
        expect(calendar.startOfDay(day + 1)).toBeGreaterThan(at);
        expect(calendar.brandDay(calendar.startOfDay(day))).toBe(day);
        expect(calendar.brandDay(calendar.startOfDay(day) - 1)).toBe(day - 1);
      }),
      { numRuns: 150 },
    );
  });

  test('a brand-day is the date on the wall, also on days on which the clock is set', () => {
    const format = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeStyle: 'medium' });
    for (let day = dayNumber('2026-01-01'); day <= dayNumber('2026-12-31'); day++) {
      const start = calendar.startOfDay(day);
      expect(localDay(start, zone)).toBe(day);
      expect(localDay(start - 1, zone)).toBe(day - 1);
      expect(localDay(start + 22 * 3_600_000, zone)).toBe(day);
      if (!['Asia/Beirut', 'America/Havana'].includes(zone)) expect(format.format(start)).toBe('00:00:00');
    }
  });
});

test('where a clock is set forward at midnight, the day begins at one', () => {
  const beirut = openCalendar('Asia/Beirut');
  expect(new Date(beirut.startOfDay(dayNumber('2026-03-29'))).toISOString()).toBe('2026-03-28T22:00:00.000Z');
  expect(beirut.startOfDay(dayNumber('2026-03-30')) - beirut.startOfDay(dayNumber('2026-03-29'))).toBe(
    23 * 3_600_000,
  );
});

test('where a clock is set back over midnight, the new day has begun and stays', () => {
  // 2006-10-29 in St. John's: one minute past midnight the clock went back to one past eleven.
  const stJohns = openCalendar('America/St_Johns');
  const start = stJohns.startOfDay(dayNumber('2006-10-29'));
  for (let minute = 0; minute < 120; minute++)
    expect(stJohns.brandDay(start + minute * 60_000)).toBe(dayNumber('2006-10-29'));
});

test('a date that a zone left out is a day without length', () => {
  const apia = openCalendar('Pacific/Apia');
  const left = dayNumber('2011-12-30');
  expect(apia.startOfDay(left)).toBe(apia.startOfDay(left + 1));
  expect(apia.brandDay(apia.startOfDay(left))).toBe(left + 1);
  expect(apia.brandDay(apia.startOfDay(left) - 1)).toBe(left - 1);
});

test('times that no zone has rules for have a day all the same', () => {
  const shanghai = openCalendar('Asia/Shanghai');
  for (const at of ['0000-01-01T00:00:00.000Z', '1850-06-01T12:00:00.000Z', '9999-12-31T00:00:00.000Z'])
    expect(Math.abs(shanghai.brandDay(Date.parse(at)) - Date.parse(at) / 86_400_000)).toBeLessThan(1.5);
});

test('a day number is its date', () => {
  expect(isoDay(dayNumber('2026-11-11'))).toBe('2026-11-11');
  expect(isoDay(openCalendar('Asia/Shanghai').brandDay(Date.parse('2026-11-10T16:00:00Z')))).toBe(
    '2026-11-11',
  );
});
