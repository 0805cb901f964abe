// Scope: what is read of JSON, against two parsers that others wrote: the native one, and one that loses no digit.
import fc from 'fast-check';
import { parse } from 'lossless-json';
import { describe, expect, test } from 'vitest';
import { readJson } from '../../lib/channels/json.ts';
import { FaultError } from '../../lib/events/fault.ts';

/** Without the names that are dropped. */
const value = fc
  .jsonValue({ maxDepth: 4 })
  .filter((it) => !/__proto__|constructor|prototype/.test(JSON.stringify(it)));

/** Integers on both sides of what a double holds, powers, fractions, and what only looks like a number. */
const digits = fc.oneof(
  fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map(String),
  fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 3n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.stringMatching(/^-?\d{0,18}\.?\d{0,18}([eE][+-]?\d{1,4})?$/),
  fc.stringMatching(/^[-+.eE\d]{1,20}$/),
);
const blanks = fc.stringMatching(/^[ \t\n\r]{0,3}$/);

/** What the lossless parser makes of a text; nothing where it refuses. */
function losslessly(text: string): unknown {
  const number = (given: string) => {
    const near = Number(given);
    if (!Number.isFinite(near)) throw new RangeError(given);
    return /^-?\d+$/.test(given) && !Number.isSafeInteger(near) ? given : near;
  };
  return parse(text, null, { parseNumber: number, onDuplicateKey: ({ newValue }) => newValue });
}

const outcome = (read: (text: string) => unknown, text: string) => {
  try {
    return { value: read(text) };
  } catch {
    return 'refused';
  }
};

describe('JSON is read as others read it', () => {
  test('where no number is too long, as the platform does', () => {
    fc.assert(
      fc.property(value, fc.nat({ max: 2 }), (given, indent) => {
        const text = JSON.stringify(given, null, indent);
        fc.pre(!/\d{16}/.test(text));
        expect(readJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('numbers of any length keep each digit that an id could need, wherever they stand', () => {
    const around = fc.constantFrom(
      (it: string) => it,
      (it: string) => `[${it}]`,
      (it: string) => `{"a":${it},"b":[${it},${it}]}`,
      (it: string) => `{"a":"${it}","b":${it}}`,
      (it: string) => `{${it}:1}`,
      (it: string) => `[1${it}]`,
      (it: string) => `["a"${it}]`,
      (it: string) => `{"a":"\\"${it},"}`,
    );
    fc.assert(
      fc.property(digits, blanks, blanks, around, (given, before, after, within) => {
        const text = within(`${before}${given}${after}`);
        expect(outcome(readJson, text)).toEqual(outcome(losslessly, text));
      }),
      { numRuns: 2_000 },
    );
  });

  test.each(['0012345678901234567890', '-0012345678901234567890', '12345678901234567890-'])(
    '%s is no number, however long',
    (text) => expect(() => readJson(`[${text}]`)).toThrow(FaultError),
  );

  test('a text that somebody broke is refused, or says the same to both', () => {
    const broken = fc.tuple(
      value,
      fc.nat(),
      fc.constantFrom('', '"', '\\', ',', ':', '{', ']', '-', '1', 'e', '\u0001'),
    );
    fc.assert(
      fc.property(broken, ([given, at, piece]) => {
        const whole = JSON.stringify(given);
        const place = at % (whole.length + 1);
        const text = whole.slice(0, place) + piece + whole.slice(place + 1);
        expect(outcome(readJson, text)).toEqual(outcome(losslessly, text));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('names that reach a prototype', () => {
  const names = ['__proto__', 'constructor', 'prototype', '__\\u0070roto__', '\\u005f_proto__'];

  test.each(names)('%s is dropped, at any depth, and nothing else with it', (name) => {
    const text = `{"a":[{"${name}":{"polluted":true},"b":1}],"c":"${name}"}`;
    expect(JSON.stringify(readJson(text))).toBe(
      JSON.stringify({ a: [{ b: 1 }], c: JSON.parse(`"${name}"`) }),
    );
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('a thousand of them are dropped, and a text with more is no message', () => {
    const text = (count: number) => `[${Array.from({ length: count }, () => '{"__proto__":1}').join()}]`;
    expect(readJson(text(1_000))).toHaveLength(1_000);
    expect(() => readJson(text(1_001))).toThrow(FaultError);
  });
});

describe('a text of a batch’s length', () => {
  const list = (count: number, item: (i: number) => string) =>
    `[${Array.from({ length: count }, (_, i) => item(i)).join()}]`;
  const long = (i: number) => `{"name-${i}":"${'x'.repeat(40)}"}`;

  test('has ten thousand different names, and no more', () => {
    expect(readJson(list(10_000, long))).toHaveLength(10_000);
    expect(() => readJson(list(10_001, long))).toThrow('names');
    expect(readJson(list(20_000, (i) => long(i % 100)))).toHaveLength(20_000);
  });

  test('has a list or an object in thirty-two characters, and a long number in a hundred and twenty-eight', () => {
    expect(readJson(list(20_000, () => '{}'.padEnd(32)))).toHaveLength(20_000);
    expect(() => readJson(list(20_000, () => '{}'.padEnd(29)))).toThrow('lists');
    expect(readJson(list(20_000, () => '12345678901234567890'.padEnd(128)))).toHaveLength(20_000);
    expect(() => readJson(list(20_000, () => '12345678901234567890'.padEnd(124)))).toThrow('long numbers');
  });
});
