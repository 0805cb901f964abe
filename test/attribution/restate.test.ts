import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { onConversions } from '../../lib/attribution/consume.ts';
import { affectedConversions, conversionKey } from '../../lib/attribution/conversion.ts';
import { type ReportQuery, reportOf } from '../../lib/attribution/report.ts';
import { restate } from '../../lib/attribution/restate.ts';
import { dayRowOf } from '../../lib/attribution/row.ts';
import { conversionView } from '../../lib/attribution/view.ts';
import { byTime, type Event } from '../../lib/events/event.ts';
import { DAY, dayName } from '../../lib/platform/clock.ts';
import { aBrand, anOrder, aRefund, aVisit, day, settings } from './a-history.ts';
import { aWorld } from './a-world.ts';

const brand = aBrand();
const o1 = conversionKey('order', 'o1');
const o2 = conversionKey('order', 'o2');

/** Who has what of an order in one model. */
async function creditsOf(world: ReturnType<typeof aWorld>, id: string) {
  const row = await world.deps.store.get(id.slice(0, id.lastIndexOf('.')), id);
  return (
    row && conversionView(row).models.linear?.map((it) => [it.channel, it.gross.amount, it.refunded.amount])
  );
}

describe('an order and what becomes of it', () => {
  test('is credited to the touches before it, once however often it is told', async () => {
    const world = aWorld(brand);
    world.append('p1', aVisit(day(0), 'wecom'), aVisit(day(2), 'wechat-oa'), anOrder(day(3), 'o1', 9_999));
    for (let i = 0; i < 3; i++) await world.restate('p1', [o1], day(-27));
    expect(await creditsOf(world, `p1.${o1}`)).toEqual([
      ['wecom', 5_000, 0],
      ['wechat-oa', 4_999, 0],
    ]);
    expect(await world.listed()).toMatchObject([{ id: `p1.${o1}`, day: '2026-11-04', gross: 9_999 }]);
  });

  test('a touch that comes late is credited too', async () => {
    const world = aWorld(brand);
    world.append('p1', aVisit(day(0), 'wecom'), anOrder(day(3), 'o1', 100));
    await world.restate('p1', [o1], day(-27));
    world.append('p1', aVisit(day(1), 'store'));
    await world.restate('p1', [o1], day(-29));
    expect(await creditsOf(world, `p1.${o1}`)).toEqual([
      ['wecom', 50, 0],
      ['store', 50, 0],
    ]);
  });

  test('a refund takes from each what it was given; its whole leaves nothing to anybody', async () => {
    const world = aWorld(brand);
    world.append(
      'p1',
      aVisit(day(0), 'a'),
      aVisit(day(1), 'b'),
      aVisit(day(2), 'c'),
      anOrder(day(3), 'o1', 100),
    );
    world.append('p1', aRefund(day(9), 'o1', 'r1', 50));
    await world.restate('p1', [o1]);
    expect(await creditsOf(world, `p1.${o1}`)).toEqual([
      ['a', 34, 17],
      ['b', 33, 17],
      ['c', 33, 16],
    ]);
    world.append('p1', aRefund(day(9), 'o1', 'r2', 50));
    await world.restate('p1', [o1]);
    const query: ReportQuery = {
      models: ['linear'],
      from: '2026-11-01',
      to: '2026-11-30',
      by: 'channel',
      currency: 'CNY',
    };
    const { rows, totals } = await reportOf(query, world.deps.store);
    expect(rows.map(({ net }) => net)).toEqual([0, 0, 0, 0]);
    expect(totals).toMatchObject({ gross: 100, refunded: 100, net: 0 });
  });

  test('a refund months later finds its order though nobody says how old that is', async () => {
    const world = aWorld(brand);
    world.append('p1', anOrder(day(-200), 'o1', 100));
    await world.restate('p1', [o1], day(-230));
    world.append('p1', aRefund(day(0), 'o1', 'r1', 40));
    await world.restate('p1', [o1], day(-30));
    expect(await creditsOf(world, `p1.${o1}`)).toEqual([['(unattributed)', 100, 40]]);
  });

  test('a refund that comes before its order waits, and is in no list and no report', async () => {
    const world = aWorld(brand);
    world.append('p1', aRefund(day(0), 'o1', 'r1', 40));
    await world.restate('p1', [o1], day(-30));
    expect(await world.stored('p1')).toEqual([]);
    world.append('p1', anOrder(day(50), 'o1', 100));
    await world.restate('p1', [o1], day(20));
    expect(await creditsOf(world, `p1.${o1}`)).toEqual([['(unattributed)', 100, 40]]);
  });

  test('an earlier event of the same order moves it to its true day, and off the other', async () => {
    const world = aWorld(brand);
    world.append('p1', anOrder(day(5), 'o1', 100));
    await world.restate('p1', [o1], day(-25));
    world.append('p1', anOrder(day(1), 'o1', 100));
    await world.restate('p1', [o1], day(-29));
    expect((await world.listed()).map((it) => it.day)).toEqual(['2026-11-02']);
    expect(await world.table.get({ pk: 'P#p1', sk: `C#p1.${o1}` })).not.toHaveProperty('former');
  });

  test('the day is the brand’s: one o’clock in Shanghai is yesterday in UTC', async () => {
    const world = aWorld(brand);
    world.append('p1', anOrder('2026-11-10T17:00:00.000Z', 'o1', 100));
    await world.restate('p1', [o1]);
    expect(await world.listed()).toMatchObject([{ day: '2026-11-11' }]);
  });

  test('what the journal does not know any more is gone', async () => {
    const world = aWorld(brand);
    world.append('p1', anOrder(day(1), 'o1', 100), anOrder(day(2), 'o2', 100));
    await world.restate('p1', 'all');
    world.forget('p1');
    await world.restate('p1', 'all');
    expect([await world.stored('p1'), await world.listed()]).toEqual([[], []]);
  });
});

test('who was stopped between a row and its list is finished by who reads less, at the same version', async () => {
  const world = aWorld(brand);
  world.append('p1', anOrder(day(-60), 'o2', 100), anOrder(day(3), 'o1', 100));
  // Two messages in one batch, told from as far back as the farther needs; then each comes again by itself.
  await world.restate('p1', [o1, o2], day(-90));
  for (const row of world.table.rows()) if (row.pk.startsWith('V#')) await world.table.remove(row);
  await world.restate('p1', [o1], day(-27));
  expect(await world.listed()).toMatchObject([{ id: `p1.${o1}` }]);
});

describe('reading no more than needed', () => {
  test('an order reads its look-back and nothing before', async () => {
    const world = aWorld(brand);
    world.append('p1', anOrder(day(-300), 'o2', 100), anOrder(day(3), 'o1', 100));
    await world.restate('p1', [o1], day(-27));
    expect(world.reads).toEqual([Date.parse(day(-27))]);
  });

  test('an order that is repeated a year later keeps its first day', async () => {
    const world = aWorld(brand);
    world.append('p1', aVisit(day(-301), 'wecom'), anOrder(day(-300), 'o1', 100));
    await world.restate('p1', [o1], day(-330));
    world.append('p1', anOrder(day(3), 'o1', 100));
    await world.restate('p1', [o1], day(-27));
    expect(await creditsOf(world, `p1.${o1}`)).toEqual([['wecom', 100, 0]]);
    expect(world.reads.at(-1)).toBe(Date.parse(day(-330)));
  });

  test('a journey does not begin at an order that is only repeated', async () => {
    const world = aWorld(brand);
    world.append('p1', anOrder(day(-300), 'o2', 100));
    await world.restate('p1', [o2], day(-330));
    world.append('p1', aVisit(day(1), 'wecom'), anOrder(day(2), 'o2', 100), anOrder(day(3), 'o1', 100));
    await world.restate('p1', [o1], day(-27));
    expect(await creditsOf(world, `p1.${o1}`)).toEqual([['wecom', 100, 0]]);
  });
});

describe('profiles that were joined', () => {
  test('have their conversions in one place, and none is left behind', async () => {
    const world = aWorld(brand);
    world.append('p1', aVisit(day(0), 'wecom'));
    world.append('p2', anOrder(day(3), 'o1', 100));
    await world.restate('p2', [o1], day(-27));
    await world.join('p2', 'p1');
    await world.restate('p2', 'all');
    expect(await creditsOf(world, `p1.${o1}`)).toEqual([['wecom', 100, 0]]);
    expect((await world.listed()).map(({ id }) => id)).toEqual([`p1.${o1}`]);
    expect(await world.stored('p2')).toEqual([]);
  });

  test('two people of one cluster keep their orders apart, even of one number', async () => {
    const world = aWorld(brand);
    world.appendTo('p1', 'p1', aVisit(day(0), 'wecom'), anOrder(day(3), 'o1', 100));
    world.appendTo('p1', 'p1~other', anOrder(day(3), 'o1', 50));
    await world.restate('p1', [o1], day(-27));
    expect((await world.listed()).map(({ id, gross }) => [id, gross])).toEqual([
      [`p1.${o1}`, 100],
      [`p1~other.${o1}`, 50],
    ]);
  });
});

describe('a batch of messages', () => {
  const body = (profile: string, conversions: string[] | 'all') => JSON.stringify({ profile, conversions });

  test('only what failed comes again; what can never be read does not', async () => {
    const world = aWorld(brand);
    world.append('p1', anOrder(day(1), 'o1', 5));
    const deps = {
      ...world.deps,
      history: (id: string, since?: number) =>
        id === 'p2' ? Promise.reject(new Error('throttled')) : world.deps.history(id, since),
    };
    const messages = [
      { id: 'm1', body: body('p2', [o1]) },
      { id: 'm2', body: 'no message' },
      { id: 'm3', body: body('p1', [o1]) },
      { id: 'm4', body: body('p2', 'all') },
      { id: 'm5', body: '{"profile":"p1"}' },
    ];
    expect(await onConversions(messages, deps)).toEqual(['m1', 'm4']);
    expect(await world.stored('p1')).toHaveLength(1);
  });

  test('a profile that is named often is read once', async () => {
    const world = aWorld(brand);
    world.append('p1', anOrder(day(1), 'o1', 5), anOrder(day(2), 'o2', 5));
    const messages = [o1, o2, o1].map((key, i) => ({ id: `m${i}`, body: body('p1', [key]) }));
    expect(await onConversions(messages, world.deps)).toEqual([]);
    expect(world.reads).toHaveLength(1);
    expect(await world.stored('p1')).toHaveLength(2);
  });
});

describe('an order whose older event is not told yet', () => {
  const older = anOrder(day(-50), 'o2', 100);
  const events = [aVisit(day(1), 'wecom'), anOrder(day(2), 'o2', 100), anOrder(day(3), 'o1', 100)];

  test.each([
    ['comes last', ['repeat', 'next', 'older']],
    ['comes between', ['next', 'older', 'repeat']],
    ['comes first', ['older', 'next', 'repeat']],
  ])('begins no journey in the end, when its message %s', async (_, order) => {
    const world = aWorld(brand);
    world.append('p1', older);
    world.append('p1', ...events);
    const tell = {
      older: () => world.restate('p1', [o2], day(-80)),
      repeat: () => world.restate('p1', [o2], day(-28)),
      next: () => world.restate('p1', [o1], day(-27)),
    };
    for (const it of order) await tell[it as keyof typeof tell]();
    expect(await creditsOf(world, `p1.${o1}`)).toEqual([['wecom', 100, 0]]);
    expect((await world.listed()).map(({ id }) => id).sort()).toEqual([`p1.${o1}`, `p1.${o2}`].sort());
  });
});

test('who tells an order from its older event is not silenced by one who was faster and knew less', async () => {
  const world = aWorld(brand);
  world.append('p1', aVisit(day(-50), 'wecom'), anOrder(day(-50), 'o1', 100));
  let overtaken = false;
  const history = async (id: string, since?: number) => {
    const read = await world.deps.history(id, since);
    if (!overtaken) {
      overtaken = true;
      world.append('p1', anOrder(day(2), 'o1', 100));
      await world.restate('p1', [o1], day(-28));
    }
    return read;
  };
  await restate({ profile: 'p1', conversions: [o1], since: day(-80) }, { ...world.deps, history });
  expect(await creditsOf(world, `p1.${o1}`)).toEqual([['wecom', 100, 0]]);
  expect((await world.listed()).map((it) => it.day)).toEqual([day(-50).slice(0, 10)]);
});

// Laws 2, 3 and 10 for credits: events arrive in any order, messages about them late, again, in any order and several
// at once, workers crash anywhere; what is stored in the end is what the whole journal says.
describe('however events and messages come, the credits are those of the whole journal', () => {
  interface Part {
    kind: string;
    at: number;
    key: string;
    amount: number;
    channel: string;
  }
  const toEvent = ({ kind, at, key, amount, channel }: Part): Event =>
    kind === 'visit'
      ? aVisit(day(at / 2), channel)
      : kind === 'order'
        ? anOrder(day(at / 2), key, amount * 10)
        : aRefund(day(at / 2), key, `r${amount}`, amount);
  const attribution = settings({ lookbackDays: 2, lookbackDaysByChannel: { b: 3 } });

  async function play(parts: Part[], dice: number[], crashes: number[], journey: 'reset' | 'window') {
    const asked = { ...brand, attribution: { ...attribution, journey } };
    const world = aWorld(asked);
    let thrown = 0;
    let repeats = 10;
    const roll = (of: number) => dice[thrown++ % dice.length]! % of;
    const queue: { keys: string[]; since: string }[] = [];
    const working = new Set<Promise<void>>();
    const arriving = parts.map(toEvent);
    let io = 0;
    world.crash(() => crashes.includes(io++));
    world.dawdle(() => roll(12));

    const arrive = () => {
      const event = arriving.splice(roll(arriving.length), 1)[0]!;
      const known = [...world.events('p1'), event].filter(({ occurredAt }) => occurredAt >= event.occurredAt);
      const keys = affectedConversions(event, known.sort(byTime), asked);
      const since = new Date(Date.parse(event.occurredAt) - 3 * DAY).toISOString();
      world.append('p1', event);
      if (keys.length > 0) queue.push({ keys, since });
    };
    const work = () => {
      const message = queue.splice(roll(queue.length), 1)[0]!;
      const done = world
        .restate('p1', message.keys, message.since)
        .then(() => roll(4) === 0 && repeats-- > 0)
        .catch(() => true)
        .then((again) => {
          if (again) queue.push(message);
          working.delete(done);
        });
      working.add(done);
    };
    while (arriving.length > 0 || queue.length > 0 || working.size > 0) {
      const choices = [
        ...(arriving.length > 0 ? [arrive] : []),
        ...(queue.length > 0 && working.size < 3 ? [work] : []),
      ];
      choices[roll(choices.length || 1)]?.();
      for (let turns = roll(20); turns >= 0; turns--) await Promise.resolve();
    }
    world.crash();
    world.dawdle();

    const stored = await world.stored('p1');
    const whole = aWorld(asked);
    whole.append('p1', ...world.events('p1'));
    await whole.restate('p1', 'all');
    expect(stored).toEqual(await whole.stored('p1'));
    const { brandDay } = world.deps.calendar;
    const dayOf = (at: string) => dayName(brandDay(Date.parse(at)));
    expect(await world.listed()).toEqual(stored.map((row) => dayRowOf(row, dayOf)));
  }

  const dice = fc.array(fc.nat(), { minLength: 97, maxLength: 97 });
  const crashes = fc.array(fc.nat(60), { maxLength: 3 });
  const channel = fc.constantFrom('a', 'b');
  const amount = fc.integer({ min: 1, max: 3 });

  test('with visits, orders, corrections and refunds', async () => {
    const kind = fc.constantFrom('visit', 'order', 'order', 'refund');
    const key = fc.constantFrom('o1', 'o2', 'o3');
    const part = fc.record({ kind, at: fc.integer({ min: 0, max: 20 }), key, amount, channel });
    const parts = fc.array(part, { minLength: 1, maxLength: 14 });
    const journey = fc.constantFrom('reset', 'window');
    await fc.assert(fc.asyncProperty(parts, dice, crashes, journey, play), { numRuns: 800 });
  });

  test('with orders that are told again long after', async () => {
    const kind = fc.constantFrom('visit', 'order', 'order', 'order');
    const at = fc.constantFrom(0, 14, 15, 16, 17, 18, 34);
    const key = fc.constantFrom('o1', 'o2');
    const part = fc.record({ kind, at, key, amount, channel: fc.constant('a') });
    const parts = fc.array(part, { minLength: 4, maxLength: 8 });
    await fc.assert(fc.asyncProperty(parts, dice, crashes, fc.constant('reset'), play), { numRuns: 1_500 });
  });
});
