// Scope: what personal identifiers look like where they are stored, and who can read them.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { identityKey } from '../../lib/identity/key.ts';
import { kinds } from '../../lib/identity/kinds.ts';
import { protector } from '../../lib/identity/protect.ts';
import { anId } from '../profile/a-profile.ts';

const ours = protector('the identity secret of the brand, long enough');
const theirs = protector('the identity secret of another brand, as long');
const anyIdentifier = fc.record({
  kind: fc.constantFrom(...Object.keys(kinds), 'custom_card'),
  scope: fc.constantFrom('demo', 'e164', 'wx1'),
  value: fc.string({ minLength: 1, maxLength: 256, unit: 'grapheme' }),
});

test('what was protected is revealed as it was, whatever it holds', () => {
  fc.assert(
    fc.property(anyIdentifier, (id) => {
      expect(ours.reveal(ours.protect(id))).toEqual(id);
    }),
  );
});

test('equal values are equal where they are stored, others are not', () => {
  fc.assert(
    fc.property(anyIdentifier, anyIdentifier, (a, b) => {
      expect(ours.protect({ ...a })).toEqual(ours.protect(a));
      expect(ours.digest(ours.protect({ ...a }))).toBe(ours.digest(ours.protect(a)));
      const same = JSON.stringify(a) === JSON.stringify(b);
      expect(ours.digest(ours.protect(a)) === ours.digest(ours.protect(b))).toBe(same);
    }),
  );
});

test.each(['phone:+8613800138000', 'unverified_phone:+8613800138000', 'email:lin@example.com'])(
  '%s stands nowhere in clear, and its length tells no more than its length',
  (text) => {
    const id = anId(text);
    const stored = ours.protect(id);
    expect(stored).toMatchObject({ kind: id.kind, scope: id.scope });
    expect(Buffer.from(stored.value, 'base64url')).toHaveLength(16 + Buffer.byteLength(id.value));
    expect(Buffer.from(stored.value, 'base64url').toString('latin1')).not.toContain(id.value.slice(3, 9));
    expect(ours.digest(stored)).toMatch(/^[\w-]{22}$/);
  },
);

test('what is not personal is stored as it is', () => {
  for (const text of ['member_id:m1', 'wechat_openid@wx1:o1', 'custom_card:7'])
    expect(ours.protect(anId(text))).toEqual(anId(text));
});

test('one phone as verified and as not verified looks different', () => {
  const verified = ours.protect(anId('phone:+8613800138000'));
  const unverified = ours.protect(anId('unverified_phone:+8613800138000'));
  expect(verified.value.slice(0, 20)).not.toBe(unverified.value.slice(0, 20));
});

test('another brand’s secret reads nothing, finds nothing, and says so', () => {
  const stored = ours.protect(anId('phone:+8613800138000'));
  expect(() => theirs.reveal(stored)).toThrow('a phone was stored under another key');
  expect(theirs.protect(anId('phone:+8613800138000'))).not.toEqual(stored);
  expect(theirs.digest(anId('member_id:m1'))).not.toBe(ours.digest(anId('member_id:m1')));
});

test('a value that was changed where it is stored is noticed, and the refusal does not quote it', () => {
  const stored = ours.protect(anId('phone:+8613800138000'));
  const bytes = Buffer.from(stored.value, 'base64url');
  for (const at of [0, 15, 16, bytes.length - 1]) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    const reveal = () => ours.reveal({ ...stored, value: changed.toString('base64url') });
    expect(reveal).toThrow('a phone was stored under another key');
    expect(reveal).not.toThrow(/138/);
  }
});

test('a value that was never protected is refused, not shown', () => {
  expect(() => ours.reveal(anId('phone:+8613800138000'))).toThrow();
});

test('the key comes from the brand’s secret, which has to be long enough', async () => {
  const secrets = (value: unknown) => ({ get: async () => value });
  const key = 'the identity secret of the brand, long enough';
  const opened = await identityKey(secrets({ key }), 'siyu/demo/identity');
  expect(opened.protect(anId('phone:+8613800138000'))).toEqual(ours.protect(anId('phone:+8613800138000')));
  await expect(identityKey(secrets({ key: 'short' }), 'siyu/demo/identity')).rejects.toThrow();
  await expect(identityKey(secrets(null), 'siyu/demo/identity')).rejects.toThrow();
});
