// Scope: what a masked value still tells.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mask } from '../../lib/query/mask.ts';

test.each([
  ['+8613800138000', '+8613****8000'],
  ['+14155550123', '+1415****0123'],
  ['lin@example.com', 'l***@example.com'],
  ['oXyZ1234567890abcdef', 'oXy***def'],
  ['m-10', 'm***'],
  ['', '***'],
])('%s is shown as %s', (value, shown) => {
  expect(mask(value)).toBe(shown);
});

test('no mask shows more than half of a phone or of an opaque value, nor any of a mail box but its first letter', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^\+[1-9]\d{7,14}$/), (phone) => {
      expect(mask(phone)).not.toBe(phone);
      expect(mask(phone)).toContain('****');
    }),
  );
  fc.assert(
    fc.property(fc.stringMatching(/^[\w-]{1,64}$/), (value) => {
      const clear = mask(value).replace('***', '');
      expect(clear.length).toBeLessThanOrEqual(6);
      if (value.length > 1) expect(clear.length).toBeLessThan(value.length);
    }),
  );
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{2,20}$/), fc.stringMatching(/^[a-z]{2,20}\.cn$/), (box, domain) => {
      expect(mask(`${box}@${domain}`)).toBe(`${box[0]}***@${domain}`);
    }),
  );
});
