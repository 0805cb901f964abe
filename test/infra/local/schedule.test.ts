import { expect, test } from 'vitest';
import { ticksOf } from '../../../infra/local/schedule.ts';

const first = (expression: string, from: string, timezone = 'UTC') => {
  const at = ticksOf(expression, timezone)(Date.parse(from));
  return at === undefined ? undefined : new Date(at).toISOString();
};

test.each([
  ['rate(1 minute)', '2026-11-11T00:00:00.000Z', '2026-11-11T00:00:00.000Z'],
  ['rate(1 minute)', '2026-11-11T00:00:00.001Z', '2026-11-11T00:01:00.000Z'],
  ['rate(6 hours)', '2026-11-11T00:00:01.000Z', '2026-11-11T06:00:00.000Z'],
  ['cron(0 2 * * ? *)', '2026-11-11T02:00:00.001Z', '2026-11-12T02:00:00.000Z'],
  ['cron(0/15 9-17 ? * MON-FRI *)', '2026-11-13T17:45:01.000Z', '2026-11-16T09:00:00.000Z'],
  ['cron(30 1 1 1,7 ? *)', '2026-11-11T00:00:00.000Z', '2027-01-01T01:30:00.000Z'],
])('%s after %s ticks at %s', (expression, from, at) => {
  expect(first(expression, from)).toBe(at);
});

test('midnight is that of the schedule’s time zone, also on the day the clocks change', () => {
  expect(first('cron(0 0 * * ? *)', '2026-11-11T00:00:00.000Z', 'Asia/Shanghai')).toBe(
    '2026-11-11T16:00:00.000Z',
  );
  expect(first('cron(0 0 * * ? *)', '2026-10-25T12:00:00.000Z', 'Europe/Berlin')).toBe(
    '2026-10-25T23:00:00.000Z',
  );
  expect(first('cron(0 0 * * ? *)', '2026-11-11T00:00:00.000Z', 'Asia/Kolkata')).toBe(
    '2026-11-11T18:30:00.000Z',
  );
});

test('a schedule that never comes has no tick', () => {
  expect(first('cron(0 0 31 2 ? *)', '2026-11-11T00:00:00.000Z')).toBeUndefined();
});

test.each([
  'at(2026-11-11T00:00:00)',
  'rate(0 minutes)',
  'cron(0 0 * *)',
  'cron(61 0 * * ? *)',
  'cron(0 0 L * ? *)',
])('%s is refused', (expression) => {
  expect(() => ticksOf(expression, 'UTC')).toThrow('does not know the schedule');
});
