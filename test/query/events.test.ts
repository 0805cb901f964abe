// Scope: the pages of a journal, and what they cost.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { END, SEGMENT } from '../../lib/platform/keys.ts';
import type { Table } from '../../lib/platform/table.ts';
import { profileStore } from '../../lib/profile/store.ts';
import { aBrand, aVisit, day, shuffled } from '../profile/a-profile.ts';
import { aWorld, type World } from '../profile/a-world.ts';
import { aCaller } from './a-caller.ts';

const PATH = '/profiles/member_id/m1/events';
interface Page {
  readonly events: readonly { readonly id: string; readonly occurredAt: string }[];
  readonly next?: string;
}
type Ask = Awaited<ReturnType<typeof aCaller>>['ask'];

async function pages(ask: Ask, query: string): Promise<string[][]> {
  const all: string[][] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const page: Page = await ask(`${PATH}?${query}${cursor && `&cursor=${cursor}`}`);
    all.push(page.events.map(({ id }) => id));
    if (all.length > 200) throw new Error('the pages do not end');
    cursor = page.next;
  }
  return all;
}

/** A customer with many events, in batches of ten: about as many segments as tenths of them. */
async function aCustomer(days: readonly number[]): Promise<World> {
  const world = aWorld({ brand: aBrand({ rules: [] }) });
  const events = days.map((at, i) => aVisit(at, { id: `e${i}` }));
  for (let i = 0; i < events.length; i += 10) await world.take(...events.slice(i, i + 10));
  return world;
}

test('pages of any size, put together, are the journal: each event once, newest first', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 1200 }), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 25 }),
      fc.integer(),
      async (days, limit, seed) => {
        const world = await aCustomer(shuffled(days, seed));
        const { ask } = await aCaller(world);
        const all = await pages(ask, `limit=${limit}`);
        const journal = await world.profiles.events(await world.cluster('member_id:m1'));
        expect(all.flat()).toEqual(journal.map(({ id }) => id).reverse());
        expect(all.slice(0, -1).every(({ length }) => length === limit)).toBe(true);
      },
    ),
    { numRuns: 40 },
  );
});

test('of events of one instant, some sealed and some not, the order is that of their ids', async () => {
  const world = aWorld({ brand: aBrand({ rules: [] }) });
  const known = [...'kponmqlsrtfedcvuxwzy']; // as many as a tail holds
  for (const id of known) await world.take(aVisit(0, { id }));
  await world.take(aVisit(0, { id: 'a' }), aVisit(0, { id: 'b' }));
  expect(world.segments()).toHaveLength(1);
  const { ask } = await aCaller(world);
  for (const limit of [1, 2, 5]) {
    const all = (await pages(ask, `limit=${limit}`)).flat();
    expect(all.map((id) => id[0]).join('')).toBe('zyxwvutsrqponmlkfedcba');
  }
});

test('a page of a span holds the span’s events: from is in, to is not', async () => {
  const world = await aCustomer(Array.from({ length: 40 }, (_, i) => i));
  const { ask } = await aCaller(world);
  expect((await pages(ask, `from=${day(10)}&to=${day(13)}`)).flat()).toEqual(
    ['e12', 'e11', 'e10'].map((id) => id.padEnd(16, '_')),
  );
  expect(await pages(ask, `from=${day(50)}`)).toEqual([[]]);
  expect(await pages(ask, `to=${day(-1)}`)).toEqual([[]]);
});

test('a brand-day counts whole at both ends, by the brand’s own calendar', async () => {
  // Midnight in Shanghai is 16:00 UTC: noon of the first of May and 11 hours 59 minutes are still the first.
  const world = await aCustomer([-0.5001, -0.5, 0, 0.4999, 0.5]);
  const { ask } = await aCaller(world);
  const may1 = ['e3', 'e2', 'e1'].map((id) => id.padEnd(16, '_'));
  expect((await pages(ask, 'from=2026-05-01&to=2026-05-01')).flat()).toEqual(may1);
  const offset = 'from=2026-05-01T00:00:00%2B08:00&to=2026-05-02T00:00:00%2B08:00';
  expect((await pages(ask, offset)).flat()).toEqual(may1);
  expect((await pages(ask, offset.replaceAll('%2B', '+'))).flat()).toEqual(may1);
});

test.each([
  ['from=2026-13-01', 'from: give a brand-day such as 2026-11-11, or an instant'],
  ['from=2026-02-30', 'from: give a brand-day'],
  ['to=2026-02-30T00:00:00Z', 'to: give a brand-day'],
  ['to=yesterday', 'to: give a brand-day'],
  ['from=2026-05-01T10:00:00', 'from: give a brand-day'], // of 26 hours it could be any
  ['from=0001-01-01', 'from: give a brand-day'],
  ['from=2026-05-02&to=2026-05-01', '`from` has to come first'],
  ['limit=0', 'limit: give a whole number from 1 to 500'],
  ['limit=501', 'limit: give a whole number from 1 to 500'],
  ['limit=ten', 'limit: give a whole number from 1 to 500'],
  ['limit=1.5', 'limit: give a whole number from 1 to 500'],
  ['form=2026-05-01', 'form: no parameter here; there are: scope, from, to, limit, cursor'],
  ['cursor=abc', 'use the `next` of an earlier answer'],
  [`cursor=${Buffer.from('[3]').toString('base64url')}`, 'use the `next` of an earlier answer'],
])('?%s is refused, and says what to give', async (query, message) => {
  const { askInVain } = await aCaller(await aCustomer([0]));
  const refused = await askInVain(`${PATH}?${query}`);
  expect(refused.status).toBe(400);
  expect(refused.message).toContain(message);
});

test('an event of somebody who shares the device is not in the journal of its owner', async () => {
  const world = aWorld();
  await world.take(
    aVisit(0, { id: 'owner', ids: ['member_id:m1', 'device_id:tablet'] }),
    aVisit(1, { id: 'guest', ids: ['member_id:m2', 'device_id:tablet'] }),
    aVisit(2, { id: 'alone', ids: ['device_id:tablet'] }),
  );
  const { ask } = await aCaller(world);
  expect((await pages(ask, '')).flat()).toEqual(['alone', 'owner'].map((id) => id.padEnd(16, '_')));
  expect((await ask('/profiles/member_id/m2/events')).events).toHaveLength(1);
});

/** Counts the segments that are taken from the table. */
function counting(table: Table) {
  let segments = 0;
  const counted: Table = {
    ...table,
    async *query(pk, range) {
      for await (const row of table.query(pk, range)) {
        if (row.sk >= SEGMENT && row.sk <= SEGMENT + END) segments++;
        yield row;
      }
    },
    async page(pk, range) {
      const page = await table.page(pk, range);
      segments += page.items.filter(({ sk }) => sk >= SEGMENT && sk <= SEGMENT + END).length;
      return page;
    },
  };
  return { table: counted, read: () => segments };
}

test('the newest page of a long history reads few segments, a small one none', async () => {
  const world = await aCustomer(Array.from({ length: 1000 }, (_, i) => i / 4));
  expect(world.segments().length).toBeGreaterThan(40);
  const costOf = async (query: string) => {
    const { table, read } = counting(world.rows);
    const { ask } = await aCaller(world, { profiles: profileStore(table) });
    const page: Page = await ask(`${PATH}?${query}`);
    expect(page.events).toHaveLength(Number(/limit=(\d+)/.exec(query)?.[1]));
    return read();
  };
  expect(await costOf('limit=5')).toBe(0); // the tail holds them
  // Pages of segments double as they go back, so up to twice of what is needed is read, and paid for.
  expect(await costOf('limit=50')).toBeLessThan(40);
  expect(await costOf(`limit=20&from=${day(200)}`)).toBeLessThan(50);
});
