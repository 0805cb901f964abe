// Scope: the figures of the rules run, and what they count can be told apart: with few persons, and no times.
import { describe, expect, test } from 'vitest';
import { measureBackfill } from '../../bench/backfill.ts';
import { crowd } from '../../bench/crowd.ts';
import type { Measured } from '../../bench/figure.ts';
import { measureForecast } from '../../bench/forecast.ts';
import { bookOf, withRules } from '../../bench/many-rules.ts';
import { measureRules } from '../../bench/rules.ts';
import { loadBrand } from '../../infra/brands/load.ts';
import { keys } from '../../lib/platform/keys.ts';
import { memoryTable } from '../platform/memory.ts';

const numbersOf = ({ rows }: Measured, name: string) =>
  rows.find(({ figure }) => figure.includes(name))?.numbers ?? {};

test('so many rules of the library, each once, are a book', () => {
  const brand = withRules(loadBrand('demo'), 300);
  expect(new Set(brand.rules.map(({ tag }) => tag)).size).toBe(300);
  expect(new Set(brand.rules.map(({ when, values }) => JSON.stringify(when ?? values))).size).toBe(300);
  expect(bookOf(brand).rules).toHaveLength(300);
});

test('units are counted of each number of rules, and of quiet profiles nothing is read', async () => {
  const measured = await measureRules({ counts: [2, 20], people: 2, quiet: 5_000 });
  expect(numbersOf(measured, '2 rules, median').value).toBe(1);
  expect(numbersOf(measured, '20 rules, p99').value).toBeGreaterThanOrEqual(1);
  expect(numbersOf(measured, 'quiet profiles, 20 rules, a day').value).toBe(0);
  expect(numbersOf(measured, 'evaluating a person, 20 rules').us).toBeGreaterThan(0);
});

test('a forecast looks at everybody, and reads the journals that there are', async () => {
  const { events, us } = numbersOf(await measureForecast({ people: 3, size: 120 }), 'CPU per person');
  expect(events).toBeGreaterThan(1);
  expect(us).toBeGreaterThan(0);
});

test('a back-fill writes everybody once', async () => {
  const { free, busy } = numbersOf(await measureBackfill({ people: 3, size: 60 }), 'write units');
  expect(free).toBe(1);
  expect(busy).toBeGreaterThanOrEqual(1);
});

describe('a crowd', () => {
  const pattern = { ...keys.profile('one'), s: new Uint8Array([1]) };
  const journal = { pk: pattern.pk, sk: 'J#1', b: 'x' };
  const open = () =>
    crowd(memoryTable(), { size: 2_500, patterns: [pattern, journal], dueAt: (i) => (i < 3 ? 'a' : 'z') });

  test('is scanned part by part, everybody once, with all their rows', async () => {
    const { table, asked } = open();
    const seen: string[] = [];
    for (const part of [0, 1]) {
      let after: string | undefined;
      do {
        const page = await table.scan(part, 2, after);
        seen.push(...page.items.map(({ pk, sk }) => `${pk} ${sk}`));
        after = page.next;
      } while (after !== undefined);
    }
    expect(seen).toHaveLength(5_000);
    expect(new Set(seen).size).toBe(5_000);
    expect(asked.scan).toBeGreaterThan(2);
  });

  test('is due when it is said to be, over all shards, and counts who is looked at', async () => {
    const { table, asked } = open();
    const due = await Promise.all([0, 1, 2, 3].map((shard) => table.due(keys.due(shard), 'b', 10)));
    expect(due.flat()).toHaveLength(3);
    expect(asked.get).toBe(0);
    const [first] = due.flat();
    expect(await table.get(first?.key ?? keys.profile('none'))).toMatchObject({ s: pattern.s });
    expect(asked.get).toBe(1);
  });
});
