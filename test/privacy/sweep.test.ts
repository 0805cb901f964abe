// Scope: how dead letters are looked through: once each, whatever fails, and before any erasure is proven.
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { DAY, HOUR, MINUTE, toIso } from '../../lib/platform/clock.ts';
import { keys } from '../../lib/platform/keys.ts';
import type { Table } from '../../lib/platform/table.ts';
import { aShop, type Between, LI, message, nothingBetween, visit, WANG, ZHAO } from './a-sweep.ts';

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {}); // what fails by plan is logged
});

describe('a sweep', () => {
  test('finds what becomes a dead letter days after the erasure was proven', async () => {
    const shop = await aShop();
    await shop.erase('member_id:li-secret');
    shop.settled();
    await shop.whole();
    expect(await shop.end()).toEqual({ ended: 1 });
    shop.later(3 * DAY);
    await shop.letters.events.send([message([visit('l1', LI)]), message([visit('w1', WANG)])]);
    expect(await shop.run()).toEqual({ looked: 2, changed: 1, whole: true });
    expect(shop.left()).toEqual([['w1']]);
  });

  test('is not due again for an hour where nobody waits, and judges no letter twice', async () => {
    const shop = await aShop();
    await shop.letters.events.send([message([visit('w1', WANG)])]);
    expect(await shop.run()).toMatchObject({ whole: true });
    shop.later(50 * MINUTE);
    expect(await shop.run()).toBeUndefined();
    shop.later(10 * MINUTE);
    const read: string[] = [];
    const table = (it: Table): Table => ({
      ...it,
      async get(key) {
        read.push(key.pk);
        return it.get(key);
      },
    });
    expect(await shop.run({ ...nothingBetween, table })).toEqual({ looked: 1, changed: 0, whole: true });
    expect(read).toEqual([keys.sweep().pk]);
  });

  test('proves nobody while events wait to be read, for what they are nobody knows yet; after two hours it does', async () => {
    const shop = await aShop();
    const told = async () => (await shop.request(request)).deadLetters;
    const request = await shop.erase('member_id:li-secret');
    await shop.live.send([message([], [])]);
    shop.settled();
    expect(await shop.run(), 'the hourly look').toMatchObject({ whole: true });
    expect(await told()).toBeUndefined();
    shop.later(10 * MINUTE);
    expect(await shop.run()).toBeUndefined();
    const [waiting] = await shop.live.take(MINUTE);
    await shop.live.remove(waiting ? [waiting] : []);
    expect(await shop.run()).toMatchObject({ whole: true });
    expect(await told()).toEqual({ messages: 0, events: 0 });

    const busy = await aShop();
    const second = await busy.erase('member_id:li-secret');
    await busy.live.send([message([], [])]);
    busy.settled();
    busy.later(2 * HOUR - MINUTE);
    await busy.run();
    expect((await busy.request(second)).deadLetters).toBeUndefined();
    busy.later(MINUTE);
    await busy.run();
    expect((await busy.request(second)).deadLetters).toEqual({ messages: 0, events: 0 });
  });

  test('judges every letter anew when an erasure is to be proven', async () => {
    const shop = await aShop();
    await shop.letters.events.send([message([visit('l1', LI)])]);
    await shop.run();
    await shop.erase('member_id:li-secret');
    shop.settled();
    expect(await shop.run()).toMatchObject({ changed: 1, whole: true });
  });

  test('that began before an erasure had settled proves nothing of it', async () => {
    const shop = await aShop();
    const request = await shop.erase('member_id:li-secret');
    shop.later(19 * MINUTE);
    expect(await shop.run()).toMatchObject({ whole: true });
    expect(await shop.run(), 'nobody is to be proven yet').toBeUndefined();
    shop.later(MINUTE);
    expect(await shop.end()).toEqual({ ended: 0 });
    expect((await shop.request(request)).deadLetters).toBeUndefined();
    expect(await shop.run()).toMatchObject({ whole: true });
    expect(await shop.end()).toEqual({ ended: 1 });
  });

  test('of more letters than a run can take goes on with the next, and sees each once', async () => {
    const shop = await aShop();
    const many = Array.from({ length: 45 }, (_, i) => message([visit(`l${i}`, LI), visit(`w${i}`, WANG)]));
    await shop.letters.events.send(many);
    const request = await shop.erase('member_id:li-secret');
    shop.settled();
    const runs: (boolean | undefined)[] = [];
    do {
      runs.push((await shop.run(slowly(shop)))?.whole);
      shop.later(8 * MINUTE);
    } while (runs.at(-1) !== true && runs.length < 20);
    expect(runs.length).toBeGreaterThan(2);
    expect((await shop.request(request)).deadLetters).toEqual({ messages: 45, events: 45 });
    expect(shop.left().flat()).toHaveLength(45);
    expect(
      shop
        .left()
        .flat()
        .filter((id) => id.startsWith('l')),
    ).toEqual([]);
    shop.later(HOUR); // what was seen is hidden for no longer than the rest may take
    expect(await shop.letters.events.count()).toEqual({ waiting: 45, taken: 0 });
  });

  test('that began before somebody else’s erasure had settled proves theirs with the next one', async () => {
    const shop = await aShop();
    await shop.letters.events.send(Array.from({ length: 25 }, (_, i) => message([visit(`z${i}`, ZHAO)])));
    const li = await shop.erase('member_id:li-secret');
    shop.later(15 * MINUTE);
    const wang = await shop.erase('member_id:wang-7');
    shop.later(6 * MINUTE);
    expect(await shop.run(slowly(shop))).toMatchObject({ whole: false });
    shop.settled();
    expect(await shop.run()).toMatchObject({ whole: true });
    const told = async () => [(await shop.request(li)).deadLetters, (await shop.request(wang)).deadLetters];
    expect(await told()).toEqual([{ messages: 0, events: 0 }, undefined]);
    await shop.whole();
    expect(await told()).toEqual([
      { messages: 0, events: 0 },
      { messages: 0, events: 0 },
    ]);
  });

  test('of two erasures of one person counts for each what was theirs', async () => {
    const shop = await aShop();
    const first = await shop.erase('member_id:li-secret');
    shop.later(MINUTE);
    const at = toIso(shop.world.clock());
    const again = { ...visit('again', LI), occurredAt: at, receivedAt: at };
    await shop.world.take({ ...again, id: 'back'.padEnd(16, '_') });
    await shop.letters.events.send([message([visit('l1', LI), again])]);
    shop.later(MINUTE);
    const second = await shop.erase('member_id:li-secret');
    shop.settled();
    await shop.whole();
    expect((await shop.request(first)).deadLetters).toEqual({ messages: 1, events: 1 });
    expect((await shop.request(second)).deadLetters).toEqual({ messages: 1, events: 2 });
    expect(shop.left()).toEqual([]);
  });

  test('waits where somebody else has letters in hands', async () => {
    const shop = await aShop();
    await shop.letters.events.send([message([visit('l1', LI)])]);
    await shop.letters.events.take(15 * MINUTE);
    await shop.erase('member_id:li-secret');
    shop.settled();
    await shop.letters.events.take(15 * MINUTE);
    expect(await shop.run()).toMatchObject({ looked: 0, whole: false });
    expect(await shop.end()).toEqual({ ended: 0 });
    shop.later(15 * MINUTE);
    expect(await shop.run()).toMatchObject({ changed: 1, whole: true });
  });

  test('says so where there are more letters than SQS hands out: an empty answer is no end then', async () => {
    const shop = await aShop();
    const begunAt = toIso(shop.world.clock());
    await shop.world.rows.put({ ...keys.sweep(), v: 1, begunAt, held: { events: 100_000 } });
    await shop.letters.events.send([message([visit('w1', WANG)])]);
    await expect(shop.run()).rejects.toThrow('some dead letters could not be looked through');
    expect(await shop.letters.events.count()).toEqual({ waiting: 1, taken: 0 });
  });

  test('that does not come to its end in two hours begins anew, and somebody is told', async () => {
    const shop = await aShop();
    const begunAt = toIso(shop.world.clock());
    await shop.world.rows.put({ ...keys.sweep(), v: 1, begunAt, done: ['events'] });
    await shop.letters.events.send([message([visit('w1', WANG)])]);
    await shop.letters.events.take(3 * HOUR);
    shop.later(2 * HOUR);
    await expect(shop.run()).rejects.toThrow('does not come to its end');
    shop.later(10 * MINUTE);
    expect(await shop.run(), 'nobody waits for it').toMatchObject({ whole: false });
    shop.later(HOUR);
    expect(await shop.run()).toMatchObject({ looked: 1, whole: true });
  });

  test('fails at every call where an erasure has waited for two hours', async () => {
    const shop = await aShop();
    await shop.letters.events.send([message([visit('w1', WANG)])]);
    await shop.letters.events.take(12 * HOUR);
    await shop.erase('member_id:li-secret');
    shop.settled();
    expect(await shop.run()).toMatchObject({ whole: false });
    for (const wait of [2 * HOUR, 10 * MINUTE, 10 * MINUTE]) {
      shop.later(wait);
      await expect(shop.run()).rejects.toThrow('does not come to its end');
    }
  });

  test('is one at a time', async () => {
    const shop = await aShop();
    await shop.erase('member_id:li-secret');
    shop.settled();
    const both = await Promise.all([shop.run(), shop.run()]);
    expect(both.filter((it) => it !== undefined)).toHaveLength(1);
  });

  test('that meets a fault anywhere is ended by the next, and takes, leaves and counts the same', async () => {
    const points = await faultless();
    expect(points).toBeGreaterThan(40);
    for (let at = 0; at < points; at++)
      for (const when of ['before', 'after'] as const) {
        const shop = await aShopWithLetters();
        const fails = failingAt(at, when);
        const first = await shop.run(fails, new Set()).catch((error: Error) => error.message);
        expect(first, `${at} ${when}`).not.toMatchObject({ whole: true });
        shop.later(10 * MINUTE);
        await shop.whole();
        expect(await shop.end()).toEqual({ ended: 1 });
        const left = new Set(shop.left().map((ids) => ids.join()));
        expect(left, `${at} ${when}`).toEqual(new Set(['w1,z1', 'w2']));
        const { receipt } = await shop.request(shop.asked);
        expect(receipt?.deadLetters, `${at} ${when}`).toEqual({ messages: 3, events: 2 });
        expect(shop.notes(), `${at} ${when}`).toEqual([]);
      }
  });
});

/** Ten letters a minute: a run takes twenty. */
const slowly = (shop: Awaited<ReturnType<typeof aShop>>): Between => ({
  ...nothingBetween,
  letters: (it) => ({
    ...it,
    async take(hiddenMs) {
      const some = await it.take(hiddenMs);
      if (some.length > 0) shop.later(MINUTE);
      return some;
    },
  }),
});

async function aShopWithLetters() {
  const shop = await aShop();
  await shop.letters.events.send([
    ...[message([visit('l1', LI), visit('w1', WANG), visit('z1', ZHAO)]), message([visit('w2', WANG)])],
    ...[message([visit('l2', LI)]), 'nobody can read this, and it says li-secret'],
  ]);
  const asked = await shop.erase('member_id:li-secret');
  shop.settled();
  return { ...shop, asked };
}

/** How many calls a sweep makes of those letters. */
async function faultless(): Promise<number> {
  const shop = await aShopWithLetters();
  const counting = failingAt(Number.POSITIVE_INFINITY, 'before');
  await shop.run(counting);
  return counting.calls();
}

/** Fails the call with this number, and no other: it was refused, or done and not answered. */
function failingAt(at: number, when: 'before' | 'after'): Between & { calls(): number } {
  let calls = 0;
  async function call<T>(work: () => Promise<T>): Promise<T> {
    const isHere = calls++ === at;
    if (isHere && when === 'before') throw new Error('no service today');
    const done = await work();
    if (isHere) throw new Error('no answer today');
    return done;
  }
  return {
    calls: () => calls,
    table: (it) => ({
      ...it,
      get: (...asked) => call(() => it.get(...asked)),
      put: (...asked) => call(() => it.put(...asked)),
      remove: (...asked) => call(() => it.remove(...asked)),
    }),
    letters: (it) => ({
      ...{ send: (...asked) => call(() => it.send(...asked)), count: () => call(() => it.count()) },
      ...{
        take: (...asked) => call(() => it.take(...asked)),
        remove: (...asked) => call(() => it.remove(...asked)),
      },
      release: (...asked) => call(() => it.release(...asked)),
    }),
  };
}
