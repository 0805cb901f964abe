// Scope: exact decimals. Lowest layer: the money of every import passes through these.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toMinorUnits } from '../../lib/events/currency.ts';
import {
  add,
  compare,
  decimalOf,
  decimalText,
  multiply,
  rounded,
  wholeText,
  ZERO,
} from '../../lib/import/decimal.ts';

const read = (text: string) => decimalOf(text) ?? expect.fail(`${text} is a number`);
const aDecimal = fc
  .tuple(fc.bigInt(-(10n ** 15n), 10n ** 15n), fc.nat(6))
  .map(([digits, scale]) => ({ digits, scale }));

test('a decimal is read and written without losing a digit', () => {
  fc.assert(
    fc.property(aDecimal, (it) => {
      expect(decimalOf(decimalText(it))).toEqual(it);
    }),
  );
});

test('a tenth ten times is one, and an order of 0.1 and 0.2 is 0.3', () => {
  let sum = ZERO;
  for (let i = 0; i < 10; i++) sum = add(sum, read('0.1'));
  expect(compare(sum, read('1'))).toBe(0);
  expect(decimalText(add(read('0.1'), read('0.2')))).toBe('0.3');
  expect(decimalText(multiply(read('-12'), read('2.55')))).toBe('-30.60');
});

test('what is finer than the currency is rounded once, halves away from zero', () => {
  const pence = (text: string) => rounded(read(text), 2);
  expect(['2042.761', '0.004', '0.005', '-0.005', '-0.004', '1.995'].map(pence)).toEqual([
    204276, 0, 1, -1, 0, 200,
  ]);
  expect(Object.is(rounded(read('-0.004'), 2), 0)).toBe(true);
});

test('amounts round as the brand rounds what its other channels send', () => {
  fc.assert(
    fc.property(aDecimal, fc.constantFrom('CNY', 'JPY', 'KWD'), (it, currency) => {
      const places = { CNY: 2, JPY: 0, KWD: 3 }[currency] ?? 2;
      expect(rounded(it, places)).toBe(toMinorUnits(decimalText(it), currency));
    }),
  );
});

test('what would have to be guessed at is no number', () => {
  const texts = ['', ' ', '-', '.', '1,234.50', '12,5', '1e3', '£5', '0x10', 'NaN', '1 000', '9'.repeat(61)];
  expect(texts.filter((text) => decimalOf(text) !== undefined)).toEqual([]);
  expect(['7', '+7', '-7', ' 7.10 ', '.5', '5.'].map((text) => decimalText(read(text)))).toEqual([
    '7',
    '7',
    '-7',
    '7.10',
    '0.5',
    '5',
  ]);
});

test('an amount that a double cannot hold is none', () => {
  expect(rounded(read('90071992547409.91'), 2)).toBe(Number.MAX_SAFE_INTEGER);
  expect(rounded(read('90071992547409.92'), 2)).toBeUndefined();
});

test('an id that a spreadsheet wrote with a point is whole again', () => {
  expect([wholeText(read('31317046240.0')), wholeText(read('8.5'))]).toEqual(['31317046240', undefined]);
});
