// Scope: fields of forms, decoded as browsers decode them.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fieldsIn, fieldValue, fromBase64, nameOf } from '../../lib/channels/form.ts';

const written = fc.oneof(
  fc.stringMatching(/^(?:[a-z+ =/]|%[0-9a-fA-F]{2}|%|%[g-z]){0,40}$/),
  fc.string().map(encodeURIComponent),
  fc.base64String().map(encodeURIComponent),
);

test('a value is what URLSearchParams makes of it', () => {
  fc.assert(
    fc.property(written, (value) => {
      const form = `a=1&data=${value}`;
      expect(fieldValue(fieldsIn(form), 'data')).toBe(new URLSearchParams(form).get('data'));
    }),
    { numRuns: 1_000 },
  );
});

test('a name may be escaped; of equal names the first counts; what has no value is empty', () => {
  const fields = fieldsIn('d%61ta=1&data=2&crc');
  expect([fieldValue(fields, 'data'), fieldValue(fields, 'crc'), fieldValue(fields, 'ext')]).toEqual([
    '1',
    '',
    undefined,
  ]);
});

test('a name that is longer than any that is asked for is none, and fields after thirty-two are not read', () => {
  expect(nameOf(`${'a'.repeat(65)}=1`)).toBeUndefined();
  expect(fieldValue(fieldsIn(`${'a=1&'.repeat(31)}data=x`), 'data')).toBe('x');
  expect(fieldValue(fieldsIn(`${'a=1&'.repeat(32)}data=x`), 'data')).toBeUndefined();
});

test('a plus that has become a blank is a plus of base64 again', () => {
  const bytes = Buffer.from([0xfb, 0xef, 0xbe, 0xff]);
  expect(fromBase64(bytes.toString('base64').replaceAll('+', ' '))).toEqual(bytes);
  expect(fromBase64(bytes.toString('base64'))).toEqual(bytes);
});
