// Counted paths, the file they come from, the rule models, and the command that prints them.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { attributePaths } from '../../infra/paths.ts';
import { models } from '../../lib/attribution/models.ts';
import { countPaths, pathCounter, sizeOf, totalsOf } from '../../lib/attribution/paths.ts';
import { type PathsFormat, pathsReader } from '../../lib/attribution/paths-file.ts';
import { pathModels, sharePaths, UNATTRIBUTED, wholeOf } from '../../lib/attribution/paths-models.ts';
import { type PathRule, pathRules, shareByRule } from '../../lib/attribution/paths-rules.ts';
import { aTouch, day, settings } from './a-history.ts';
import {
  aPaths,
  byChannel,
  dp6,
  hasPathData,
  pathData,
  published,
  someRows,
  totalOf,
  withoutPathData,
} from './a-paths.ts';

function readText(text: string, format?: PathsFormat) {
  const reader = pathsReader(format);
  for (const line of text.split('\n')) reader.take(line);
  return reader.end();
}

/** The distinct paths as text, with their counts. */
function textOf(paths: ReturnType<typeof pathData>) {
  const rows = Array.from({ length: sizeOf(paths) }, (_, i) => [
    Array.from(paths.steps.subarray(paths.starts[i], paths.starts[i + 1]), (it) => paths.channels[it]).join(
      '>',
    ),
    [paths.conversions[i], paths.value[i], paths.nulls[i]],
  ]);
  return Object.fromEntries(rows);
}

describe('counting', () => {
  test('the same path is counted once, with the sum; another order of channels is another path', () => {
    const counted = countPaths([
      [['a', 'b'], { conversions: 1, value: 5, nulls: 2 }],
      [['b', 'a'], { conversions: 1, value: 0, nulls: 0 }],
      [['a', 'b'], { conversions: 2, value: 1, nulls: 0 }],
      [[], { conversions: 4, value: 2, nulls: 1 }],
    ]);
    expect(textOf(counted)).toEqual({ 'a>b': [3, 6, 2], 'b>a': [1, 0, 0] });
    expect(counted.unattributed).toEqual({ conversions: 4, value: 2, nulls: 1 });
  });

  test('it counts as a map would, however many paths there are', () => {
    const path = fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(path, { minLength: 1000, maxLength: 3000 }), (list) => {
        const counter = pathCounter();
        for (let i = 0; i <= 30; i++) counter.numberOf(String(i));
        const expected: Record<string, number[]> = {};
        for (const it of list) {
          counter.add(it, { conversions: 1, value: 2, nulls: 3 });
          const seen = expected[it.join('>')]?.[0] ?? 0;
          expected[it.join('>')] = [seen + 1, 2 * (seen + 1), 3 * (seen + 1)];
        }
        expect(textOf(counter.counted())).toEqual(expected);
      }),
      { numRuns: 10 },
    );
  });
});

const HEAD = 'path;total_conversions;total_conversion_value;total_null\n';

describe('a file of paths', () => {
  test('blanks around channels, quotes, line ends of Windows and a byte order mark are no matter', () => {
    const { paths, rows } = readText(
      `\uFEFF${HEAD}a >  b>c ;1;2.50;3\r\n"a > b > c";1;0.5;0\r\n\r\n"x;y";0;0;7`,
    );
    expect(rows).toBe(3);
    expect(textOf(paths)).toEqual({ 'a>b>c': [2, 3, 3], 'x;y': [0, 0, 7] });
  });

  test('commas, tabs, other names and another separator', () => {
    expect(textOf(readText('PATH,Conversions,Value,Null\na>b,1,2,3').paths)).toEqual({ 'a>b': [1, 2, 3] });
    expect(textOf(readText('path\tconversions\na>b\t1').paths)).toEqual({ 'a>b': [1, 0, 0] });
    const columns = { path: 'way', conversions: 'won', nulls: 'lost' };
    const found = readText('lost;won;way\n4;1;a | b', { separator: '|', columns });
    expect(textOf(found.paths)).toEqual({ 'a>b': [1, 0, 4] });
    expect(found.has).toEqual({ value: false, nulls: true });
  });

  test('an empty path is nobody’s', () => {
    expect(readText(`${HEAD};2;10;30\na;1;1;1`).paths.unattributed).toEqual({
      conversions: 2,
      value: 10,
      nulls: 30,
    });
  });

  test.each([
    ['', 'the file is empty'],
    ['way;total_conversions\na;1', 'names no column path'],
    [`${HEAD}a;1;2`, 'line 2: 3 cells, and the first line names 4 columns'],
    [`${HEAD}a;1;2;0\na > > b;1;2;0`, 'line 3: a channel of the path has no name'],
    [`${HEAD}a;-1;2;0`, 'line 2: the conversions are no number of 0 or more'],
    [`${HEAD}a;1;2,5;0`, 'line 2: the value are no number'],
    [`${HEAD}a;1;2;1e3`, 'line 2: the nulls are no number'],
    [`${HEAD}a;0;2;1`, 'line 2: a value without conversions'],
    [`${HEAD}"a"b;0;2;1`, 'line 2: its quotes do not hold'],
  ])('%j ends in an error that says where', (text, message) => {
    expect(() => readText(text)).toThrow(message);
  });

  test('an error never repeats what stands in the file', () => {
    expect(() => readText(`${HEAD}13800138000;x13800138000;0;0`)).toThrow(/^(?!.*138)/);
  });
});

describe.skipIf(!hasPathData)(`ChannelAttribution’s 10,000 paths${withoutPathData}`, () => {
  const paths = hasPathData ? pathData() : aPaths({});

  test.each([
    ['first', 0],
    ['last', 2],
    ['linear', 4],
  ] as const)('%s equals the published digits, conversions and value', (rule, column) => {
    const expected = published('expected_heuristic.csv');
    const found = shareByRule(paths, rule, settings());
    expect(found).toHaveLength(expected.size);
    for (const { channel, conversions, value } of found) {
      expect(conversions / expected.get(channel)![column]!).toBeCloseTo(1, 12);
      expect(value / expected.get(channel)![column + 1]!).toBeCloseTo(1, 12);
    }
  });

  test('mta: 40/20/40', () => {
    expect(byChannel(shareByRule(paths, 'u_shaped', settings()), 'conversions', 6)).toEqual({
      alpha: 7444.823759,
      eta: 3618.796149,
      iota: 3944.948166,
      beta: 1969.766179,
      theta: 1092.744472,
      lambda: 1046.903901,
      epsilon: 301.050233,
      kappa: 147.459557,
      gamma: 125.240911,
      zeta: 88.622864,
      delta: 2.586667,
      mi: 2.057143,
    });
  });
});

describe('rules', () => {
  test.each<[PathRule, number[]]>([
    ['first', [9, 9, 9]],
    ['last', [15, 6, 6]],
    ['last_non_direct', [3, 12, 12]],
    ['linear', [10.5, 9, 7.5]],
    ['u_shaped', [11.1, 8.4, 7.5]],
    ['position_decay', [11.5, 8.5, 7]],
  ])('DP6: %s', (rule, expected) => {
    const found = byChannel(shareByRule(dp6(), rule, settings(), 'A'), 'value');
    expect([found.A, found.B, found.C]).toEqual(expected);
  });

  test('W of four: the middle is the second', () => {
    expect(byChannel(shareByRule(aPaths({ 'a>b>c>d': [10] }), 'w_shaped', settings()))).toEqual({
      a: 3,
      b: 3,
      c: 1,
      d: 3,
    });
  });

  test('each path is shared as the brand’s own model shares it', () => {
    const rule = fc.constantFrom(...pathRules.filter((it) => it !== 'position_decay'));
    fc.assert(
      fc.property(someRows, rule, (rows, rule) => {
        const named = rows.map(
          ([path, counts]) => [path.map((it) => (it === 'a' ? 'direct' : it)), counts] as const,
        );
        const expected: Record<string, number> = {};
        for (const [path, { conversions }] of named) {
          const weights = models[rule](
            path.map((it, i) => aTouch(day(i), it)),
            day(9),
            settings(),
          );
          const total = weights.reduce((sum, it) => sum + it.weight, 0);
          for (const [i, name] of path.entries())
            expected[name] = (expected[name] ?? 0) + (conversions * weights[i]!.weight) / total;
        }
        for (const { channel, conversions } of shareByRule(countPaths(named), rule, settings()))
          expect(conversions).toBeCloseTo(expected[channel]!, 9);
      }),
    );
  });
});

test('every model shares everything that the file has, nobody’s row included', () => {
  fc.assert(
    fc.property(someRows, fc.constantFrom(...pathModels), fc.nat({ max: 3 }), (rows, model, nobody) => {
      const paths = countPaths([...rows, [[], { conversions: nobody, value: 7 * nobody, nulls: 1 }]]);
      const { channels } = sharePaths(paths, model, { markov: { leastPerState: 0 } });
      const whole = wholeOf(paths);
      expect(whole.conversions).toBe(totalsOf(paths).conversions + nobody);
      expect(totalOf(channels)).toBeCloseTo(whole.conversions, 9);
      expect(totalOf(channels, 'value')).toBeCloseTo(whole.value, 7);
      expect(channels.some(({ channel }) => channel === UNATTRIBUTED)).toBe(nobody > 0);
    }),
  );
});

describe('the command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'siyu-paths-'));
  const file = join(folder, 'paths.csv');
  writeFileSync(file, `${HEAD}a > b;60;600;40\nb;30;90;70\n;5;5;95\n`);

  const printed = z.object({
    totals: z.object({ conversions: z.number() }),
    results: z.array(
      z.object({
        model: z.string(),
        channels: z.array(z.object({ channel: z.string(), conversions: z.number() })).optional(),
        refused: z.string().optional(),
      }),
    ),
  });
  const json = async (...argv: string[]) =>
    printed.parse(JSON.parse(await attributePaths(['paths', ...argv, '--json'])));

  test('prints all models side by side, each with all conversions', async () => {
    const { results, totals } = await json(file);
    expect(results.map(({ model }) => model)).toEqual([...pathModels]);
    for (const { channels = [] } of results)
      expect(channels.reduce((sum, it) => sum + it.conversions, 0)).toBeCloseTo(totals.conversions, 9);
    const text = await attributePaths(['paths', file]);
    expect(text).toContain(
      '3 rows, 2 distinct paths, 2 channels: 95 conversions worth 695, 205 paths without',
    );
    expect(text).toMatch(/^a +60\.00 +0\.00 /m);
    expect(text).toMatch(/^\(unattributed\) +5\.00 /m);
  });

  test('one model has its own columns', async () => {
    const text = await attributePaths(['paths', file, '--model', 'markov', '--order', '2']);
    expect(text).toMatch(/^markov +conversions +share +value +removal effect$/m);
    expect(text).toMatch(/^b .* 1\.000000$/m);
  });

  test('a compressed file is the same', async () => {
    writeFileSync(`${file}.gz`, gzipSync(`${HEAD}a > b;60;600;40\nb;30;90;70\n;5;5;95\n`));
    expect(await json(`${file}.gz`)).toEqual(await json(file));
  });

  test('an order that was asked for is refused aloud; among all models it is one line', async () => {
    const few = join(folder, 'few.csv');
    writeFileSync(few, `${HEAD}a > b;1;1;1\n`);
    await expect(attributePaths(['paths', few, '--model', 'markov'])).rejects.toThrow('take more paths');
    expect((await json(few)).results.find(({ model }) => model === 'markov')?.refused).toContain(
      'fewer than 10',
    );
  });

  test.each([
    [['paths'], 'say: paths FILE.csv'],
    [['paths', file, '--model', 'best'], '--model: '],
    [['paths', file, '--order', '5'], '--order: '],
    [['paths', file, '--what'], "Unknown option '--what'"],
    [['paths', join(folder, 'none.csv')], 'ENOENT'],
    [['paths', file, '--value', 'gmv'], 'names no column gmv'],
  ])('%j is told what is wrong', async (argv, message) => {
    await expect(attributePaths(argv)).rejects.toThrow(message);
  });
});
