// Scope: times as files write them.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { timeReader } from '../../lib/import/local-time.ts';
import { toIso } from '../../lib/platform/clock.ts';

const london = timeReader('yyyy-MM-dd HH:mm:ss', 'Europe/London');
const iso = (at: number | undefined) => (at === undefined ? undefined : toIso(at));

test('an invoice of the summer is read on the clocks of the summer', () => {
  expect(iso(london('2011-01-20 10:47:00'))).toBe('2011-01-20T10:47:00.000Z');
  expect(iso(london('2011-07-20 10:47:00'))).toBe('2011-07-20T09:47:00.000Z');
});

test('an hour that came twice is the first one; one that never was counts on from before', () => {
  expect(iso(london('2011-10-30 01:30:00'))).toBe('2011-10-30T00:30:00.000Z');
  expect(iso(london('2011-10-30 02:00:00'))).toBe('2011-10-30T02:00:00.000Z');
  expect(iso(london('2011-03-27 01:30:00'))).toBe('2011-03-27T01:30:00.000Z');
  expect(iso(london('2011-03-27 02:00:00'))).toBe('2011-03-27T01:00:00.000Z');
});

test.each(['Europe/London', 'Asia/Shanghai', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia'])(
  'every instant in %s that has one local time is read back from it',
  (zone) => {
    const read = timeReader('yyyy-MM-dd HH:mm:ss', zone);
    const shown = new Intl.DateTimeFormat('sv-SE', {
      timeZone: zone,
      dateStyle: 'short',
      timeStyle: 'medium',
    });
    const hour = 3_600_000;
    const anInstant = fc.integer({ min: Date.UTC(2009, 0) / 1000, max: Date.UTC(2027, 0) / 1000 });
    fc.assert(
      fc.property(anInstant, (second) => {
        const at = second * 1000;
        const local = shown.format(at);
        const twins = [-2, -1, -0.5, 0.5, 1, 2]
          .map((n) => at + n * hour)
          .filter((it) => shown.format(it) === local);
        expect(read(local)).toBe(Math.min(at, ...twins));
      }),
      { numRuns: 300 },
    );
  },
);

test('a day that the calendar does not have is no time, nor is one before 1990', () => {
  expect(
    [
      '2011-02-30 10:00:00',
      '2011-01-20 24:00:00',
      '2011-01-20',
      '20/01/2011 10:00:00',
      '1970-01-01 00:00:00',
    ].map(london),
  ).toEqual(Array.from({ length: 5 }));
});

test('formats say what is day and what is month, and what says nothing is refused', () => {
  expect(iso(timeReader('d/M/yyyy H:mm', 'Asia/Shanghai')('1/12/2010 8:26'))).toBe(
    '2010-12-01T00:26:00.000Z',
  );
  expect(iso(timeReader('yyyy年M月d日', 'Asia/Shanghai')('2026年11月11日'))).toBe('2026-11-10T16:00:00.000Z');
  expect(() => timeReader('yyyy-MM-dd', undefined)).toThrow('zone');
  expect(() => timeReader('yyyy-MM', 'UTC')).toThrow('day');
  expect(() => timeReader('YYYY-MM-dd', 'UTC')).toThrow('"Y"');
});

test('an instant with an offset needs no zone, and Unix time is not taken for one', () => {
  expect(iso(timeReader('rfc3339', undefined)('2016-12-28T09:00:00Z'))).toBe('2016-12-28T09:00:00.000Z');
  expect(timeReader('rfc3339', undefined)('1482915600')).toBeUndefined();
  expect(iso(timeReader('unix', undefined)('1482915600'))).toBe('2016-12-28T09:00:00.000Z');
});
