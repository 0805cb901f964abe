// Scope: what arrives, account by account, as an engineer sees it who has just pointed a vendor here.
import { expect, test } from 'vitest';
import { refusalOf } from '../../lib/arrivals/tally.ts';
import type { Fault, Source } from '../../lib/events/event.ts';
import { DAY, toIso } from '../../lib/platform/clock.ts';
import { aBrand, aVisit, day } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aCaller } from './a-caller.ts';

const shop = { channel: 'generic', account: 'shop' };
const none = { events: 0, refused: {}, faults: {}, notices: {}, ignored: {} };
const channels = {
  'wechat-oa': { main: { appId: 'wx1', secret: 'oa' } },
  generic: { shop: { secret: 'shop' }, till: { secret: 'till' } },
  segment: { web: { secret: 'web' } },
};

async function aShop() {
  const world = aWorld({ brand: aBrand({ channels }) });
  world.setClock(day(3));
  const message = (over: object) =>
    world.deliver({ body: JSON.stringify({ events: [], faults: [], ...over }) });
  const refuse = (source: Source, reason: string, at = day(3)) =>
    message({ tally: refusalOf(reason, source, Date.parse(at)) });
  return { world, message, refuse, ...(await aCaller(world)) };
}

const fault = (reason: string): Fault => ({
  id: reason.padEnd(16, '-'),
  reason,
  message: 'what to change',
  receivedAt: day(3),
  source: shop,
  body: {},
});

test('accounts of which nothing has arrived are listed with zero and with where to send to', async () => {
  const { ask } = await aShop();
  const answer = await ask('/channels');
  expect(answer.day).toBe(day(3).slice(0, 10));
  expect(answer.channels.slice(0, 3)).toEqual([
    { channel: 'wechat-oa', account: 'main', ...none, paths: ['/webhooks/wechat-oa/main'] },
    { ...shop, ...none, paths: ['/webhooks/generic/shop'] },
    { channel: 'generic', account: 'till', ...none, paths: ['/webhooks/generic/till'] },
  ]);
  expect(answer.channels[3]).toMatchObject({ channel: 'segment', account: 'web', ...none });
});

test('an account whose key says who it is has the paths of its channel', async () => {
  const { ask } = await aShop();
  const [web] = (await ask('/channels')).channels.filter((it: Source) => it.channel === 'segment');
  expect(web.paths).toContain('/v1/{call}');
  expect(web.paths.join()).not.toContain('/webhooks/segment');
});

test('what arrived today is told by account: last event, events, and the rest by reason', async () => {
  const { ask, world, message, refuse } = await aShop();
  await world.take(aVisit(3, { id: 'a' }), aVisit(3, { id: 'b', type: 'page_viewed' }));
  await refuse(shop, 'bad_signature');
  await refuse(shop, 'bad_signature');
  await refuse({ channel: 'wechat-oa', account: 'main' }, 'timestamp_out_of_window');
  await message({ faults: [fault('bad_time')] });
  await message({
    tally: { source: shop, at: day(3), ignored: { 'stock.moved': 2 }, notices: { broadcast_sent: 1 } },
  });
  const { channels: seen } = await ask('/channels');
  expect(seen.slice(0, 2)).toEqual([
    {
      channel: 'wechat-oa',
      account: 'main',
      ...none,
      refused: { timestamp_out_of_window: 1 },
      paths: ['/webhooks/wechat-oa/main'],
    },
    {
      ...shop,
      last: { receivedAt: day(3), type: 'page_viewed' },
      events: 2,
      refused: { bad_signature: 2 },
      faults: { bad_time: 1 },
      notices: { broadcast_sent: 1 },
      ignored: { 'stock.moved': 2 },
      paths: ['/webhooks/generic/shop'],
    },
  ]);
});

test('the last event is remembered over quiet days, the newest of them, and counts are today’s alone', async () => {
  const { ask, world, refuse } = await aShop();
  await world.take(aVisit(1, { id: 'old' }));
  await world.take(aVisit(2, { id: 'newer' }));
  await refuse(shop, 'bad_signature', day(2));
  world.setClock(toIso(Date.parse(day(2)) + 30 * DAY));
  const [, quiet] = (await ask('/channels')).channels;
  expect(quiet).toMatchObject({ ...none, last: { receivedAt: day(2), type: 'page_viewed' } });
  world.setClock(toIso(Date.parse(day(2)) + 36 * DAY));
  expect((await ask('/channels')).channels[1]).not.toHaveProperty('last');
});

test('another day can be asked for, and knows nothing of what came after it', async () => {
  const { ask, world, refuse } = await aShop();
  await world.take(aVisit(1, { id: 'old' }));
  await refuse(shop, 'bad_signature', day(2));
  await world.take(aVisit(3, { id: 'new' }));
  const name = day(2).slice(0, 10);
  const answer = await ask(`/channels?day=${name}`);
  expect(answer.day).toBe(name);
  expect(answer.channels[1]).toMatchObject({
    events: 0,
    refused: { bad_signature: 1 },
    last: { receivedAt: day(1) },
  });
});

test('what came from no account of the brand is told too, without a path', async () => {
  const { ask, world } = await aShop();
  world.setClock(day(3));
  await world.deliver({ body: 'not json' });
  const { channels: seen } = await ask('/channels');
  expect(seen.at(-1)).toMatchObject({
    channel: 'queue',
    account: 'events',
    faults: { unreadable: 1 },
    paths: [],
  });
  expect(seen).toHaveLength(5);
});

test('every role may ask, nobody without a key, and not with words that mean nothing', async () => {
  const { ask, askInVain } = await aShop();
  for (const as of ['operator', 'admin', 'privacy'] as const) await ask('/channels', { as });
  expect(await askInVain('/channels', { as: null })).toMatchObject({ status: 401 });
  expect(await askInVain('/channels?day=yesterday')).toMatchObject({ status: 400, reason: 'bad_query' });
  expect(await askInVain('/channels?account=shop')).toMatchObject({ status: 400, reason: 'bad_query' });
});

test('asking changes nothing', async () => {
  const { ask, world } = await aShop();
  await world.take(aVisit(1));
  const before = world.rows.snapshot();
  await ask('/channels');
  expect(world.rows.snapshot()).toBe(before);
});
