// Scope: what a batch adds to the counts of a brand-day, and what they say when they are read again.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wire } from '../../bench/metered.ts';
import { itemBytes } from '../../infra/local/units.ts';
import { type Arrival, accountArrivals, additionsOf, arrivalsIn } from '../../lib/arrivals/counts.ts';
import { ARRIVAL_DAYS, arrivalStore } from '../../lib/arrivals/store.ts';
import { refusalOf, tallyOf } from '../../lib/arrivals/tally.ts';
import { tally } from '../../lib/events/event.ts';
import { openCalendar } from '../../lib/tags/calendar.ts';
import { memoryTable } from '../platform/memory.ts';

const calendar = openCalendar('Asia/Shanghai');
const main = { channel: 'wechat-oa', account: 'main' };
const pos = { channel: 'generic', account: 'pos' };
/** An instant of 2026-11-11 in Shanghai. */
const at = (time: string) => new Date(`2026-11-11T${time}+08:00`).toISOString();
const event = (source: typeof main, time: string, type = 'order_paid') => ({
  source,
  type,
  receivedAt: at(time),
});
const arrival = (over: Partial<Arrival>): Arrival => ({ events: [], faults: [], ...over });

const aStore = () => {
  const table = memoryTable();
  return { table, store: arrivalStore(table, calendar) };
};
const none = { events: 0, refused: {}, faults: {}, notices: {}, ignored: {} };

describe('a batch', () => {
  test('counts events, refusals, faults, notices and what was ignored for the account that they came to', async () => {
    const { store } = aStore();
    await store.add([
      arrival({ events: [event(main, '09:00:00', 'followed'), event(pos, '09:00:01')] }),
      arrival({
        events: [event(main, '09:00:02', 'message_received')],
        faults: [{ source: pos, reason: 'bad_time', receivedAt: at('09:00:03') }],
        tally: { source: main, at: at('09:00:02'), ignored: { VIEW_X: 2 }, notices: { broadcast_sent: 1 } },
      }),
      arrival({ tally: refusalOf('bad_signature', main, Date.parse(at('09:00:04'))) }),
      arrival({ tally: refusalOf('bad_signature', main, Date.parse(at('09:00:05'))) }),
    ]);
    expect(await store.get('2026-11-11')).toEqual([
      {
        ...none,
        ...pos,
        events: 1,
        last: { receivedAt: at('09:00:01'), type: 'order_paid' },
        faults: { bad_time: 1 },
      },
      {
        ...main,
        events: 2,
        last: { receivedAt: at('09:00:02'), type: 'message_received' },
        refused: { bad_signature: 2 },
        faults: {},
        notices: { broadcast_sent: 1 },
        ignored: { VIEW_X: 2 },
      },
    ]);
  });

  test('is one write a brand-day, and none if it brought nothing', async () => {
    const { table } = aStore();
    const writes: string[] = [];
    const store = arrivalStore(
      {
        ...table,
        add(key, ...rest) {
          writes.push(key.pk);
          return table.add(key, ...rest);
        },
      },
      calendar,
    );
    await store.add([arrival({}), arrival({})]);
    expect(writes).toEqual([]);
    await store.add(
      Array.from({ length: 100 }, (_, i) => arrival({ events: [event(i % 2 ? main : pos, '09:00:00')] })),
    );
    expect(writes).toEqual(['N#2026-11-11']);
  });

  test('of more accounts than one write takes is several, and none of them is left out', async () => {
    const { store } = aStore();
    const shops = Array.from({ length: 130 }, (_, i) => ({ channel: 'generic', account: `shop${i}` }));
    await store.add([arrival({ events: shops.map((shop) => event(shop, '09:00:00')) })]);
    const known = await store.get('2026-11-11');
    expect(known.map(({ account }) => account).sort()).toEqual(shops.map(({ account }) => account).sort());
    expect(known.every(({ events, last }) => events === 1 && last?.type === 'order_paid')).toBe(true);
  });

  test('adds to what others counted, whoever was first', async () => {
    const { store } = aStore();
    const batch = [arrival({ events: [event(pos, '09:00:00'), event(pos, '09:00:01')] })];
    await Promise.all([store.add(batch), store.add(batch), store.add(batch)]);
    expect(await store.get('2026-11-11')).toMatchObject([{ ...pos, events: 6 }]);
  });
});

test('what is received at the brand’s midnight belongs to the new day, and what comes late to its own', async () => {
  const { store } = aStore();
  await store.add([arrival({ events: [event(pos, '23:59:59.999')] })]);
  await store.add([
    arrival({ events: [event(pos, '00:00:00'), event(pos, '24:00:00')] }),
    arrival({ tally: refusalOf('bad_signature', pos, Date.parse(at('24:00:00'))) }),
  ]);
  expect(await store.get('2026-11-11')).toMatchObject([{ events: 2, refused: {} }]);
  expect(await store.get('2026-11-12')).toMatchObject([{ events: 1, refused: { bad_signature: 1 } }]);
  expect(await store.get('2026-11-10')).toEqual([]);
});

test('the last event is the one that was received last, wherever it stood in the batch', () => {
  const [day] = additionsOf(
    [
      arrival({
        events: [event(pos, '09:00:02', 'b'), event(pos, '09:00:03', 'c'), event(pos, '09:00:01', 'a')],
      }),
    ],
    calendar,
  );
  expect(day?.columns.get('l generic/pos')).toBe(`${at('09:00:03')} c`);
});

test('a day’s counts are kept for five weeks after it ended', async () => {
  const { table, store } = aStore();
  await store.add([arrival({ events: [event(pos, '09:00:00')] })]);
  const row = await table.get({ pk: 'N#2026-11-11', sk: '@' });
  expect(row?.ttl).toBe((Date.parse('2026-11-12T00:00:00+08:00') + ARRIVAL_DAYS * 86_400_000) / 1000);
});

test('the row of a brand with ten busy accounts is less than a kilobyte and a half', async () => {
  const { table, store } = aStore();
  for (const account of ['main', 'mall', 'till', 'crm', 'web', 'app', 'wecom', 'video', 'douyin', 'red'])
    await store.add([
      arrival({
        events: Array.from({ length: 2 }, () => event({ channel: 'generic', account }, '09:00:00')),
        tally: refusalOf('bad_signature', { channel: 'generic', account }, Date.parse(at('09:00:00'))),
      }),
    ]);
  const row = await table.get({ pk: 'N#2026-11-11', sk: '@' });
  expect(itemBytes(wire(row ?? { pk: '', sk: '' }))).toBeLessThan(1536);
});

describe('names', () => {
  const word = fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' });
  const count = fc.record({ source: fc.record({ channel: word, account: word }), name: word, by: fc.nat(9) });

  test('of accounts, reasons and types come back as they went in, whatever they hold', () =>
    fc.assert(
      fc.property(fc.array(count, { maxLength: 8 }), (counts) => {
        const said = counts.map(({ source, name, by }) =>
          arrival({ tally: { source, at: at('09:00:00'), ignored: { [name]: by + 1 } } }),
        );
        const columns = additionsOf(said, calendar).flatMap((day) => [...day.columns]);
        const seen = arrivalsIn(Object.fromEntries(columns));
        const sum = new Map<string, number>();
        for (const { source, name, by } of counts) {
          const to = JSON.stringify([source.channel, source.account, name]);
          sum.set(to, (sum.get(to) ?? 0) + by + 1);
        }
        const again = seen.flatMap(({ channel, account, ignored }) =>
          Object.entries(ignored).map(
            ([name, by]) => [JSON.stringify([channel, account, name]), by] as const,
          ),
        );
        expect(new Map(again)).toEqual(sum);
        for (const it of seen) accountArrivals.parse(it);
      }),
      { numRuns: 200 },
    ));

  test('in a row that are none of ours say nothing', () => {
    const row = { pk: 'N#2026-11-11', sk: '@', ttl: 5, 'x a/b': 1, 'e a': 1, 'r a/b': 1, 'e a/b': 'many' };
    expect(arrivalsIn(row)).toEqual([{ channel: 'a', account: 'b', ...none }]);
  });
});

test('names that senders choose do not make the row long, however many they are', async () => {
  const { table, store } = aStore();
  const ignoredOf = (name: string) =>
    arrival({ tally: { source: pos, at: at('09:00:00'), ignored: { [name]: 1 } } });
  await store.add([ignoredOf('first')]);
  for (let batch = 0; batch < 5; batch++)
    await store.add(Array.from({ length: 60 }, (_, i) => ignoredOf(`${batch} ${'x'.repeat(50)} ${i}`)));
  await store.add([ignoredOf('first'), ignoredOf('last')]);
  const [seen] = await store.get('2026-11-11');
  expect(Object.keys(seen?.ignored ?? {})).toHaveLength(101);
  expect(seen?.ignored).toMatchObject({ first: 2, '(other)': 300 - 99 + 1 });
  const row = await table.get({ pk: 'N#2026-11-11', sk: '@' });
  expect(itemBytes(wire(row ?? { pk: '', sk: '' }))).toBeLessThan(10 * 1024);
});

test('a batch without such names writes and does not read', async () => {
  const { table } = aStore();
  const get = () => Promise.reject(new Error('read'));
  await arrivalStore({ ...table, get }, calendar).add([arrival({ events: [event(pos, '09:00:00')] })]);
  expect(await table.get({ pk: 'N#2026-11-11', sk: '@' })).toMatchObject({ 'e generic/pos': 1 });
});

describe('a tally', () => {
  const received = (ignored: string[], notices: string[] = []) => ({
    ignored,
    notices: notices.map((type) => ({ type, properties: {} })),
  });

  test('is made of what a request was beside events and faults, and of nothing else', () => {
    expect(tallyOf(received([]), main, 0)).toBeUndefined();
    expect(tallyOf(received(['a', 'b', 'a'], ['sent']), main, 0)).toEqual({
      source: main,
      at: '1970-01-01T00:00:00.000Z',
      ignored: { a: 2, b: 1 },
      notices: { sent: 1 },
    });
    expect(tallyOf(received(['a']), main, 0)).not.toHaveProperty('notices');
  });

  test('holds some names and counts the others together, however many and long they are', () => {
    const made = tallyOf(received(Array.from({ length: 500 }, (_, i) => `${'x'.repeat(61)}${i}`)), main, 0);
    const names = Object.entries(made?.ignored ?? {});
    expect(names).toHaveLength(21);
    expect(made?.ignored?.['(other)']).toBe(480);
    expect(names.reduce((sum, [, by]) => sum + by, 0)).toBe(500);
  });

  test('is always one that the queue’s message may hold', () =>
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 90 }), { maxLength: 30 }), (names) => {
        const made = tallyOf(received(names, names), main, 0);
        if (made) tally.parse(JSON.parse(JSON.stringify(made)));
        tally.parse(refusalOf(names[0] || 'x', main, 0));
      }),
    ));
});
