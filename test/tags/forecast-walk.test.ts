// Scope: a profile that is walked by a draft, and looked at as each day ends.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byTime } from '../../lib/events/event.ts';
import { DAY } from '../../lib/platform/clock.ts';
import { emptyPerson, walk, watch } from '../../lib/profile/person.ts';
import { sumTallies, tallyOne } from '../../lib/tags/forecast.ts';
import { daysUpTo, endsBefore, outlookOf } from '../../lib/tags/forecast-walk.ts';
import {
  aBrand,
  active,
  anOrder,
  aVisit,
  buyer,
  rulesOf,
  START,
  shuffled,
  stage,
} from '../profile/a-profile.ts';

const night = { tag: 'night', when: 'events("page_viewed").within("6h").any()' };
const draft = rulesOf(aBrand({ rules: [buyer, active, stage, night] }));
const { calendar } = draft.book;
const now = START + 20 * DAY;

/** Days since the start, many of them at a brand's midnight, to the millisecond. */
const instants = fc.array(
  fc.oneof(
    fc.integer({ min: 0, max: 1_900 }).map((it) => it / 100),
    fc.nat(19).map((it) => it + 0.5),
  ),
  { maxLength: 12 },
);

const eventsAt = (days: readonly number[]) =>
  days.map((at, i) => (i % 4 === 3 ? anOrder(at, `o${i}`, 100) : aVisit(at))).sort(byTime);

test('to look up as days end changes nothing: tags are those of a walk without a pause', () => {
  fc.assert(
    fc.property(instants, fc.integer({ min: 1, max: 30 }), (days, back) => {
      const events = eventsAt(days);
      const { held } = outlookOf(events, 'active', draft, endsBefore(now, back, calendar), now);
      const person = emptyPerson();
      walk(person, events, draft);
      watch(person, now, draft);
      expect([...held].sort()).toEqual([...person.tags].map(([tag, { value }]) => [tag, value]).sort());
    }),
  );
});

test('the value of a day is that of somebody who stops as it ends', () => {
  fc.assert(
    fc.property(instants, fc.constantFrom('active', 'stage', 'night'), (days, tag) => {
      const events = eventsAt(days);
      const ends = endsBefore(now, 7, calendar);
      const { values } = outlookOf(events, tag, draft, ends, now);
      const stops = [...ends, now].map((end) => {
        const person = emptyPerson();
        walk(
          person,
          events.filter((it) => Date.parse(it.occurredAt) <= end),
          draft,
        );
        watch(person, end, draft);
        return person.tags.get(tag)?.value;
      });
      expect(values).toEqual(stops);
    }),
  );
});

test('days end at the brand’s midnight, and today is not over', () => {
  const at = Date.parse('2026-05-21T15:59:59.999Z'); // a millisecond before the twenty-second begins in Shanghai
  expect(daysUpTo(at, 2, calendar)).toEqual(['2026-05-20', '2026-05-21']);
  expect(daysUpTo(at + 1, 2, calendar)).toEqual(['2026-05-21', '2026-05-22']);
  expect(endsBefore(at, 2, calendar).map((it) => new Date(it).toISOString())).toEqual([
    '2026-05-19T15:59:59.999Z',
    '2026-05-20T15:59:59.999Z',
  ]);
});

test('tallies of some profiles add up to that of all, in whatever order and pieces', () => {
  const tag = fc.option(fc.constantFrom<true | string>(true, 'gold'), { nil: undefined });
  const profile = fc.record({ before: tag, values: fc.array(tag, { minLength: 4, maxLength: 4 }), vip: tag });
  fc.assert(
    fc.property(fc.array(profile, { maxLength: 30 }), fc.nat(), fc.nat(4), (list, seed, pieces) => {
      const tallies = list.map(({ before, values, vip }, i) => {
        const now = values.at(-1);
        const more = vip === undefined ? [] : [['vip', vip] as const];
        return tallyOne(
          {
            profile: `p${i}`,
            before: new Map([...(before === undefined ? [] : [['t', before] as const]), ...more]),
            held: new Map(now === undefined ? [] : [['t', now]]),
            values,
          },
          't',
          new Set(['t']),
        );
      });
      const whole = sumTallies(tallies, 3);
      const cut = Map.groupBy(shuffled(tallies, seed), (_, i) => i % (pieces + 1));
      const sums = shuffled([...cut.values()], seed).map((piece) => sumTallies(piece, 3));
      expect(sumTallies(sums, 3)).toEqual(whole);
      expect(whole.profiles).toBe(list.length);
      const held = (it: Readonly<Record<string, number>>) => Object.values(it).reduce((a, b) => a + b, 0);
      expect(held(whole.after) - held(whole.before)).toBe(whole.enter - whole.leave);
      for (const [i, day] of whole.days.entries())
        if (i > 0) expect(day.members - (whole.days[i - 1]?.members ?? 0)).toBe(day.entered - day.left);
      expect(whole.days.at(-1)?.members).toBe(held(whole.after));
      expect(whole.others.vip?.members ?? 0).toBe(list.filter(({ vip }) => vip !== undefined).length);
    }),
  );
});
