import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_EXCLUDED, MAX_TOUCHES, pathOf } from '../../lib/attribution/path.ts';
import { touchesOf } from '../../lib/attribution/touch.ts';
import type { AttributionSettings } from '../../lib/platform/brand.ts';
import { aBrand, aTouch, aVisit, day, settings } from './a-history.ts';

const MS = 1 / 86_400_000;
const MINUTE = 60_000 * MS;

const channels = (path: { touches: { channel: string }[] }) => path.touches.map(({ channel }) => channel);
const walk = (
  touches: ReturnType<typeof aTouch>[],
  at: number,
  more: Partial<AttributionSettings> = {},
  previous?: number,
) => pathOf(day(at), previous === undefined ? undefined : day(previous), touches, settings(more));

describe('the look-back', () => {
  test.each([
    ['thirty days to the millisecond', 30, ['a']],
    ['a millisecond more', 30 + MS, []],
    ['at the moment itself', 0, ['a']],
    ['a touch after it', -MS, []],
  ])('%s', (_, conversion, expected) => {
    expect(channels(walk([aTouch(day(0), 'a')], conversion))).toEqual(expected);
  });

  test('a channel can have its own, shorter or longer', () => {
    const touches = [aTouch(day(0), 'mail'), aTouch(day(0), 'banner'), aTouch(day(38), 'banner')];
    const path = walk(touches, 40, { lookbackDaysByChannel: { mail: 45, banner: 1 } });
    expect(channels(path)).toEqual(['mail']);
    expect(path.excluded.map(({ channel, reason }) => [channel, reason])).toEqual([
      ['banner', 'look_back'],
      ['banner', 'look_back'],
    ]);
  });

  test('what lies before every look-back is not even mentioned', () => {
    const path = walk([aTouch(day(0), 'a')], 31);
    expect(path).toEqual({ touches: [], excluded: [], excludedCount: {} });
  });
});

describe('the journey', () => {
  const touches = [aTouch(day(1), 'a'), aTouch(day(2), 'b'), aTouch(day(2 + MS), 'c')];

  test('a touch at the moment of the previous conversion belongs to that one', () => {
    const path = walk(touches, 3, {}, 2);
    expect(channels(path)).toEqual(['c']);
    expect(path.excludedCount).toEqual({ earlier_journey: 2 });
  });

  test('by window, one touch serves several conversions', () => {
    expect(channels(walk(touches, 3, { journey: 'window' }, 2))).toEqual(['a', 'b', 'c']);
  });
});

describe('duplicates', () => {
  const visits = [
    aTouch(day(0), 'a', { eventId: 'a1' }),
    aTouch(day(30 * MINUTE), 'a', { eventId: 'a2' }),
    aTouch(day(40 * MINUTE), 'b', { eventId: 'b1' }),
    aTouch(day(60 * MINUTE), 'a', { eventId: 'a3' }),
    aTouch(day(90 * MINUTE + MS), 'a', { eventId: 'a4' }),
  ];
  const ids = (duplicates: AttributionSettings['duplicates'], touches = visits) =>
    walk(touches, 1, { duplicates }).touches.map(({ eventId }) => eventId);

  test.each([
    ['none', ['a1', 'a2', 'b1', 'a3', 'a4']],
    ['consecutive', ['a2', 'b1', 'a4']],
    ['session', ['b1', 'a3', 'a4']],
    ['unique', ['a1', 'b1']],
  ] as const)('%s', (policy, expected) => {
    expect(ids(policy)).toEqual(expected);
  });

  test('what was left out names the touch that stands for it, to the end of the chain', () => {
    expect(walk(visits, 1).excluded.map(({ eventId, reason, of }) => [eventId, reason, of])).toEqual([
      ['a1', 'duplicate', 'a3'],
      ['a2', 'duplicate', 'a3'],
    ]);
  });

  test('one session id is one visit however long it takes, two ids are two however short', () => {
    const session = (id: string, at: number, eventId: string) =>
      aTouch(day(at), 'a', { session: id, eventId });
    expect(ids('session', [session('s', 0, '1'), session('s', 0.5, '2')])).toEqual(['2']);
    expect(ids('session', [session('s', 0, '1'), session('t', MS, '2')])).toEqual(['1', '2']);
  });

  test('the touch that stays keeps campaign, staff, opportunity and the nearest role of those it stands for', () => {
    const path = walk(
      [
        aTouch(day(0), 'a', { campaign: 'double11', opportunity: true, role: 'direct', staff: 'lin' }),
        aTouch(day(MINUTE), 'a', { role: 'indirect' }),
      ],
      1,
    );
    expect(path.touches).toMatchObject([
      { at: day(MINUTE), campaign: 'double11', opportunity: true, role: 'direct', staff: 'lin' },
    ]);
  });
});

describe('direct visits', () => {
  const touches = [aTouch(day(0), 'a'), aTouch(day(1), 'direct')];

  test('are dropped where anything else led here', () => {
    expect(channels(walk(touches, 2))).toEqual(['a']);
    expect(walk(touches, 2).excludedCount).toEqual({ direct: 1 });
  });

  test('stay where nothing else did, and where the brand keeps them', () => {
    expect(channels(walk(touches.slice(1), 2))).toEqual(['direct']);
    expect(channels(walk(touches, 2, { direct: 'keep' }))).toEqual(['a', 'direct']);
  });
});

test('of a path beyond all measure the first touch and the newest count, and the row still fits', () => {
  const touches = Array.from({ length: MAX_TOUCHES + 200 }, (_, i) => aTouch(day(i / 100), `c${i}`));
  const path = walk(touches, 20);
  expect(path.touches).toHaveLength(MAX_TOUCHES);
  expect([path.touches[0]?.channel, path.touches[1]?.channel]).toEqual(['c0', 'c201']);
  expect(path.excluded).toHaveLength(MAX_EXCLUDED);
  expect(path.excludedCount).toEqual({ too_many: 200 });
});

test('the order in which touches came makes no difference', () => {
  const brand = aBrand();
  const visit = fc.record({
    at: fc.constantFrom(0, MINUTE, 20 * MINUTE, 31 * MINUTE, 1, 29, 30),
    channel: fc.constantFrom('a', 'b', 'direct'),
    session: fc.constantFrom(undefined, 's', 't'),
  });
  const visits = fc
    .array(visit, { maxLength: 12 })
    .map((all) => all.map(({ at, channel, session }) => aVisit(day(at), channel, { context: { session } })));
  fc.assert(
    fc.property(
      visits.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      fc.constantFrom('none', 'consecutive', 'session', 'unique'),
      fc.constantFrom('reset', 'window'),
      ([all, shuffled], duplicates, journey) => {
        const more = { duplicates, journey } as const;
        const of = (events: typeof all) =>
          pathOf(day(30), day(MINUTE), touchesOf(events, brand), settings(more));
        expect(of([...shuffled, ...shuffled])).toEqual(of(all));
        const path = of(all);
        expect(path.touches.map(({ at }) => at)).toEqual(path.touches.map(({ at }) => at).sort());
      },
    ),
    { numRuns: 1_000 },
  );
});
