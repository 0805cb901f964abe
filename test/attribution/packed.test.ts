import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packCredits, packedCredits, unpackCredits } from '../../lib/attribution/packed.ts';
import { personOf, rowsOf } from '../../lib/attribution/person.ts';
import { shareConversion } from '../../lib/attribution/share.ts';
import { touchRole } from '../../lib/platform/brand-words.ts';
import { compress } from '../../lib/platform/compressed.ts';
import { aBrand, anEvent, anOrder, aRefund, aTouch, aVisit, day, settings } from './a-history.ts';

const touches = fc
  .array(
    fc.record({
      at: fc.integer({ min: 0, max: 40 * 86_400_000 }),
      channel: fc.constantFrom('direct', 'a', 'b', 'c'),
      opportunity: fc.boolean(),
      role: fc.constantFrom(...touchRole.options),
    }),
    { maxLength: 20 },
  )
  .map((all) =>
    all
      .sort((a, b) => a.at - b.at)
      .map(({ at, channel, ...it }) => aTouch(day(at / 86_400_000), channel, it)),
  );
const nothing = { u: { first: 0, middle: 1, last: 0 } };

test('what a row keeps of credits says all of them, to the last unit and digit', () => {
  fc.assert(
    fc.property(
      touches,
      fc.integer({ min: -100, max: 10 ** 12 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom(settings(), settings(nothing), settings({ models: ['linear'] })),
      (path, value, part, terms) => {
        const refunded = Math.floor(Math.max(value, 0) * part);
        const conversion = { at: day(41), day: '2026-12-12', value, refunded };
        const credits = shareConversion(conversion, { touches: path }, terms);
        const stored = packedCredits.parse(JSON.parse(JSON.stringify(packCredits(credits))));
        expect(unpackCredits(stored, conversion, path)).toEqual(credits);
      },
    ),
    { numRuns: 500 },
  );
});

/** Ids as they are: without any regularity. */
const id = (n: number) => Buffer.from(`${Math.sin(n)}`.slice(-12)).toString('base64url');

test('a conversion of five touches in all models takes less than a kilobyte', () => {
  const visit = (at: number, campaign: object) =>
    aVisit(day(at), '', { id: id(at), context: { campaign, session: id(at + 1) } });
  const events = [
    anEvent('channel_followed', day(0.017), { id: id(1), channel: 'wechat-oa' }),
    anEvent('contact_added', day(3.361), {
      id: id(2),
      channel: 'wecom',
      properties: { staff_id: 'zhangsan' },
    }),
    visit(9.257, { channel: 'douyin', name: 'double11-video', content: 'poster-8' }),
    anEvent('message_link_clicked', day(14.823), { id: id(4), channel: 'wecom' }),
    visit(17.491, { source: 'edm', medium: 'email', name: 'double11-last-call' }),
    anOrder(day(18.129), '202611110001234567', 39_900, { id: id(6) }),
    aRefund(day(19.733), '202611110001234567', 'r-20261113-1', 9_900, { id: id(7) }),
  ];
  const [row] = rowsOf(personOf('p1', events, aBrand()), 'all', aBrand(), (at) => at.slice(0, 10));
  const { conversion, path, credits } = row!;
  expect(path.touches).toHaveLength(5);
  expect(compress({ conversion, path, credits: packCredits(credits) }).length).toBeLessThan(900);
});
