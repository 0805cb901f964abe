import fc from 'fast-check';
import { expect, test } from 'vitest';
import { differFrom, noteTier, standing, type TierChange, tierBefore } from '../../lib/attribution/tier.ts';
import { toIso } from '../../lib/platform/clock.ts';

const held = (tags: Record<string, true | string>) =>
  new Map(Object.entries(tags).map(([tag, value]) => [tag, { value }]));
const named = { vip: ['tier=gold', 'whale'], silent: ['stage=silent'] };

test('a tag stands for a tier by itself or by one of its values, and VIP goes first', () => {
  expect(standing(held({ tier: 'gold', stage: 'silent' }), named)).toBe('vip');
  expect(standing(held({ whale: true }), named)).toBe('vip');
  expect(standing(held({ tier: 'silver', stage: 'silent' }), named)).toBe('silent');
  expect(standing(held({ tier: 'silver', stage: 'active' }), named)).toBe('other');
});

const tier = fc.constantFrom('vip' as const, 'silent' as const, 'other' as const);
const walks = fc
  .array(fc.record({ at: fc.nat({ max: 40 }), tier }), { maxLength: 30 })
  .map((list) => list.sort((a, b) => a.at - b.at));
const noted = (list: readonly TierChange[]) =>
  list.reduce<readonly TierChange[]>((changes, it) => noteTier(changes, it.at, it.tier), []);

test('how somebody stood before an instant is what the last look before it saw', () => {
  fc.assert(
    fc.property(walks, fc.nat({ max: 41 }), (list, at) => {
      const seen = list.findLast((it) => it.at < at)?.tier ?? 'other';
      expect(tierBefore(noted(list), toIso(at))).toBe(seen);
    }),
  );
});

test('two ways to have stood differ from the first instant on after which they answer otherwise', () => {
  fc.assert(
    fc.property(walks, walks, (one, other) => {
      const [a, b] = [noted(one), noted(other)];
      const first = Array.from({ length: 42 }, (_, at) => at).find(
        (at) => tierBefore(a, toIso(at + 1)) !== tierBefore(b, toIso(at + 1)),
      );
      const from = differFrom(a, b);
      if (first === undefined) expect(from).toBeUndefined();
      else expect(from).toBe(first);
    }),
  );
});

test('who changes all the time is known by the newest hundred changes', () => {
  const list = Array.from(
    { length: 250 },
    (_, at) => ({ at, tier: at % 2 === 0 ? 'vip' : 'other' }) as const,
  );
  const changes = noted(list);
  expect(changes).toHaveLength(100);
  expect(tierBefore(changes, toIso(249))).toBe('vip');
  expect(tierBefore(changes, toIso(100))).toBe('other');
});
