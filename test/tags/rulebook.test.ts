import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rfmSettings } from '../../lib/platform/brand.ts';
import { copyCells, emptyCells, foldEvent, prune } from '../../lib/tags/cells.ts';
import { packCells, unpackCells } from '../../lib/tags/pack.ts';
import { RuleError } from '../../lib/tags/rule-error.ts';
import { compileRules, type VersionedRule } from '../../lib/tags/rulebook.ts';
import { someAsked, someEvents, textOf } from './oracle.ts';

const brand = { timezone: 'Asia/Shanghai', rfm: rfmSettings.parse({}) };
const compile = (...whens: string[]) =>
  compileRules(
    whens.map((when, i) => ({ tag: `t${i}`, when, version: 1 })),
    brand,
  );
const faultOf = (...rules: VersionedRule[]): RuleError => {
  try {
    compileRules(rules, brand);
  } catch (error) {
    if (error instanceof RuleError) return error;
    throw error;
  }
  throw new Error('it compiled');
};
const wrong = (when: string) => faultOf({ tag: 'it', when, version: 1 });
const own = (...whens: string[]) => compile(...whens).features.filter(({ type }) => type === 'page_viewed');

describe('a rule that is wrong is refused with its place', () => {
  test.each([
    ['a type', 'events("a").count() > "b"', 'type', 'no such overload: int > string'],
    [
      'a number for a rule',
      'events("a").count()',
      'type',
      "a rule is true or false, this one is of type 'int'",
    ],
    ['a broken text', 'events("a"', 'syntax', 'Expected RPAREN'],
    ['an unknown aggregate', 'events("a").median() > 1', 'type', 'Events.median()'],
    ['an unknown name', 'now > 1', 'type', 'Unknown variable: now'],
    ['a function that is not ours', 'type(1) == int', 'name', 'type() is no part of the rule language'],
    ['a pattern that looks back', 'trait("a").matches("(a+)\\\\1")', 'type', 'this pattern is no part'],
    [
      'a condition on what is no event',
      'events("a").where(e, trait("b") == 1).any()',
      'type',
      'reads its event only',
    ],
    ['a name in a condition', 'events("a").where(e, f.x == 1).any()', 'type', 'Unknown variable: f'],
    ['a condition that is a text', 'events("a").where(e, "yes").any()', 'type', 'must be true or false'],
    ['events as a value', '[events("a")].size() > 0', 'type', 'events(…) alone is no value'],
    ['a window too long', 'events("a").within("1096d").any()', 'window', '"1d" to "1095d"'],
    ['hours beyond two days', 'events("a").within("49h").any()', 'window', '"1h" to "48h"'],
    ['a window of nothing', 'events("a").within("0d").any()', 'window', 'not "0d"'],
    ['two windows', 'events("a").within("1d").within("2d").any()', 'window', 'stands here twice'],
    ['a window that is worked out', 'events("a").within("3" + "d").any()', 'name', 'literal text'],
    ['a type of events that cannot be', 'events("Order Paid").any()', 'name', 'snake_case'],
    ['a tag that nobody earns', 'hasTag("nobody")', 'name', 'no rule earns the tag "nobody"'],
    [
      'a walk within a walk',
      'events("a").where(e, e.x.all(x, x.all(y, y > 1))).any()',
      'cost',
      'costs too much',
    ],
  ])('%s', (_, when, type, message) => {
    const fault = wrong(when);
    expect({ type: fault.type, tag: fault.tag, status: fault.status }).toEqual({
      type,
      tag: 'it',
      status: 422,
    });
    expect(fault.message).toContain(message);
    expect(fault.caret.split('\n')[0]).toBe(when);
  });

  test('and the caret stands under it', () => {
    const fault = wrong('events("a").any() &&\n  events("b").within("9w").any()');
    expect([fault.line, fault.column]).toEqual([2, 22]);
    expect(fault.caret).toBe('  events("b").within("9w").any()\n                     ^');
  });

  test('one that reads too much', () => {
    const fault = wrong(Array.from({ length: 41 }, (_, i) => `trait("t${i}") == 1`).join(' || '));
    expect([fault.type, fault.message]).toEqual(['cost', 'a rule may read at most 40 things']);
  });

  test('rules that read each other in a circle', () => {
    const fault = faultOf(
      { tag: 'a', when: 'hasTag("b")', version: 1 },
      { tag: 'b', when: '!hasTag("c")', version: 1 },
      { tag: 'c', when: 'hasTag("a")', version: 1 },
    );
    expect([fault.type, fault.message]).toEqual([
      'cycle',
      'rules read each other in a circle: a → b → c → a',
    ]);
  });

  test('two rules for one tag, and the value of a tag that has none', () => {
    expect(
      faultOf({ tag: 'a', when: 'true', version: 1 }, { tag: 'a', when: 'false', version: 1 }).type,
    ).toBe('name');
    const fault = faultOf(
      { tag: 'a', when: 'true', version: 1 },
      { tag: 'b', when: 'tagValue("a") == "x"', version: 1 },
    );
    expect(fault.message).toBe('the tag a is held or not: ask hasTag("a")');
  });

  test('cuts that do not ascend', () => {
    expect(() => compileRules([], { ...brand, rfm: { ...brand.rfm, f: [2, 3, 3, 8] } })).toThrow('rfm.f');
    expect(() => compileRules([], { ...brand, rfm: { ...brand.rfm, r: [30, 60, 90, 1096] } })).toThrow(
      'rfm.r',
    );
  });
});

describe('features', () => {
  test('are one for rules that ask the same, in whatever window and words', () => {
    expect(
      own(
        'events("page_viewed").where(e, e.n > 1 && e.path == "/").within("30d").count() > 1',
        'events("page_viewed").where(view, view.path == "/").where(e, (e.n > 1)).within("7d").any()',
        'events("page_viewed").within("90d").where(e, e.path == "/" && e.n > 1).days() > 2',
      ).map(({ filter, dayWindows }) => ({ filter, dayWindows: dayWindows.map(({ from }) => from) })),
    ).toEqual([{ filter: '((e.n > 1) && (e.path == "/"))', dayWindows: [7, 30, 90] }]);
  });

  test('are two where the conditions differ by as little as brackets, quotes or the name of a list element', () => {
    const filters = [
      'e.a - (e.b - e.c) > 0',
      'e.a - e.b - e.c > 0',
      'e.a == "1"',
      'e.a == 1',
      'e.a == 1.0',
      'e.l.exists(x, x == e.a)',
      'e.l.exists(x, x == x.a)',
      'e.a > 0.00000000001',
      'e.a > 0.0',
    ];
    const features = own(...filters.map((filter) => `events("page_viewed").where(e, ${filter}).any()`));
    expect(new Set(features.map(({ id }) => id)).size).toBe(filters.length);
  });

  test('keep all time only where a rule asks for all time, and no more than the longest window', () => {
    const [feature] = own(
      'events("page_viewed").within("2d").any()',
      'events("page_viewed").within("1h").any()',
    );
    expect(feature).toMatchObject({
      total: undefined,
      daily: [],
      dayWindows: [{ unit: 'day', from: 2, to: 0 }],
      hourly: [],
      hourWindows: [{ unit: 'hour', from: 1, to: 0 }],
    });
    const book = compile('events("page_viewed").count() > 1');
    const cells = emptyCells();
    const event = { id: 'a', type: 'page_viewed', at: 0, properties: {}, channel: 'shop' };
    for (let i = 0; i < 1000; i++) foldEvent(book, cells, { ...event, id: `a${i}`, at: i * 1e9 });
    expect(JSON.stringify(Object.values(cells))).toBe('[{"t":[1000]}]');
  });
});

describe('a digest', () => {
  const rules: VersionedRule[] = [
    { tag: 'a', when: 'true', version: 1 },
    { tag: 'b', values: { x: 'true', y: 'false' }, version: 2 },
  ];
  const digest = (given = rules, over = {}) => compileRules(given, { ...brand, ...over }).digest;

  test('is the same for the same rules in any order', () => {
    expect(digest(rules.toReversed())).toBe(digest());
    expect(digest()).toHaveLength(10);
  });

  test('is another for another version, text, order of values, zone or cut', () => {
    const others = [
      digest([rules[0]!, { ...rules[1]!, version: 3 }]),
      digest([{ ...rules[0]!, when: 'false' }, rules[1]!]),
      digest([rules[0]!, { tag: 'b', values: { y: 'false', x: 'true' }, version: 2 }]),
      digest(rules, { timezone: 'UTC' }),
      digest(rules, { rfm: { ...brand.rfm, windowDays: 366 } }),
    ];
    expect(new Set([digest(), ...others]).size).toBe(6);
  });
});

test('folding into a copy leaves the original alone', () => {
  fc.assert(
    fc.property(
      fc.array(someAsked(true), { maxLength: 6 }),
      someEvents('UTC'),
      fc.nat(14),
      (asked, events, cut) => {
        const book = compile(...asked.map((it) => `${textOf(it)} == ${textOf(it)}`));
        const cells = emptyCells();
        for (const event of events.slice(0, cut)) foldEvent(book, cells, event);
        const before = JSON.stringify(cells);
        const copy = copyCells(cells);
        for (const event of events.slice(cut)) foldEvent(book, copy, event);
        prune(book, copy, events[0]?.at ?? 0);
        expect(JSON.stringify(cells)).toBe(before);
        for (const event of events.slice(cut)) foldEvent(book, cells, event);
        prune(book, cells, events[0]?.at ?? 0);
        expect(JSON.stringify(copy)).toBe(JSON.stringify(cells));
      },
    ),
    { numRuns: 100 },
  );
});

test('what is no packed cells is refused', () => {
  for (const it of [
    null,
    [],
    { a: 1 },
    { a: [0, 2, 0, []] },
    { a: [0, 2, [], [1]] },
    { a: [0, 2, [{}], []] },
  ])
    expect(() => unpackCells(it)).toThrow();
});

test('packed cells unpack to themselves, and equal cells pack to equal text', () => {
  fc.assert(
    fc.property(fc.array(someAsked(true), { maxLength: 6 }), someEvents('Asia/Shanghai'), (asked, events) => {
      const book = compile(...asked.map((it) => `${textOf(it)} == ${textOf(it)}`));
      const cells = emptyCells();
      for (const event of events) foldEvent(book, cells, event);
      const packed = JSON.stringify(packCells(cells));
      expect(JSON.stringify(unpackCells(JSON.parse(packed)))).toBe(JSON.stringify(cells));
    }),
    { numRuns: 100 },
  );
});
