import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toMinorUnits } from '../../lib/events/currency.ts';
import { mailAddress, phoneNumber, toIdentifiers } from '../../lib/events/identifiers.ts';
import { instantOf, occurred } from '../../lib/events/time.ts';

describe('a time', () => {
  test.each([
    ['2025-10-09T16:53:20+08:00', '2025-10-09T08:53:20.000Z'],
    ['2025-10-09 16:53:20.1239+0800', '2025-10-09T08:53:20.123Z'],
    ['2025-10-09T08:53:20Z', '2025-10-09T08:53:20.000Z'],
    [1_760_000_000, '2025-10-09T08:53:20.000Z'],
    ['1760000000', '2025-10-09T08:53:20.000Z'],
    [1_760_000_000_123, '2025-10-09T08:53:20.123Z'],
  ])('%s is %s', (text, instant) => expect(new Date(instantOf(text)!).toISOString()).toBe(instant));

  test.each(['2025-10-09T16:53:20', 'yesterday', '', 0, -1, '2025-13-01T00:00:00Z', Number.NaN, '0'])(
    '%s is none that can be used',
    (text) => expect(instantOf(text)).toBeUndefined(),
  );

  test('every instant since 1990 is read back from its own RFC 3339', () =>
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2100, 0, 1) }), (at) => {
        expect(instantOf(new Date(at).toISOString())).toBe(at);
      }),
    ));

  test('five minutes ahead is a clock, five minutes and a millisecond is a wrong one', () => {
    expect(occurred(300_000, 0).timeSource).toBe('sender');
    expect(occurred(300_001, 0)).toEqual({ occurredAt: '1970-01-01T00:00:00.000Z', timeSource: 'received' });
  });
});

describe('money', () => {
  test('two decimals that were written are the minor units that were meant, for every amount', () =>
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 12 }), (minor) => {
        const text = `${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, '0')}`;
        expect(toMinorUnits(text, 'CNY')).toBe(minor);
        expect(toMinorUnits(Number(text), 'CNY')).toBe(minor);
        expect(toMinorUnits(`-${text}`, 'CNY')).toBe(minor === 0 ? 0 : -minor);
      }),
    ));

  test.each(['', 'free', '1,000', '1e3', '１', '9'.repeat(16)])('%s is no amount', (text) =>
    expect(toMinorUnits(text, 'CNY')).toBeUndefined(),
  );
});

describe('an identifier', () => {
  test.each([
    ['138 0013-8000', 'zh-CN', '+8613800138000'],
    ['8613800138000', 'zh-CN', '+8613800138000'],
    ['008613800138000', 'en-GB', '+8613800138000'],
    ['+44 (20) 7946 0958', 'zh-CN', '+442079460958'],
  ])('the phone %s in %s is %s', (text, locale, phone) => expect(phoneNumber(text, locale)).toBe(phone));

  test.each([
    ['13800138000', 'en-GB'],
    ['138****8000', 'zh-CN'],
    ['12345', 'zh-CN'],
    ['DJ7#x==', 'zh-CN'],
  ])('%s in %s is no phone', (text, locale) => expect(phoneNumber(text, locale)).toBeUndefined());

  test('mail is the same in any case', () => {
    expect(mailAddress(' Lin@Tea.CN ')).toBe('lin@tea.cn');
    expect(mailAddress('lin@tea')).toBeUndefined();
  });

  test('the same phone in two spellings is one identifier, its scope is the kind’s', () => {
    const home = { name: 'qinghe', locale: 'zh-CN' };
    const spellings = ['13800138000', '+86 138 0013 8000'].map((value) => ({ kind: 'phone', value }));
    expect(toIdentifiers(spellings, home)).toEqual([
      { kind: 'phone', scope: 'e164', value: '+8613800138000' },
    ]);
    expect(toIdentifiers([{ kind: 'member_id', value: ' M1 ' }], home)).toEqual([
      { kind: 'member_id', scope: 'qinghe', value: 'M1' },
    ]);
  });

  test('nobody, twenty-one of them, or a scope that would break a key is refused', () => {
    const home = { name: 'qinghe', locale: 'zh-CN' };
    const many = Array.from({ length: 21 }, (_, n) => ({ kind: 'device_id', value: `d${n}` }));
    expect(() => toIdentifiers([], home)).toThrow('at least one');
    expect(() => toIdentifiers(many, home)).toThrow('at most 20');
    expect(() => toIdentifiers([{ kind: 'member_id', scope: 'a#b', value: 'M1' }], home)).toThrow('scope');
  });
});
