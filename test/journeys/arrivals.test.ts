// Scope: an engineer points a vendor here and looks at what arrives: an event, a forged request, a fault.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type Run, startRun } from '../../infra/local/brand-run.ts';
import { accountArrivals } from '../../lib/arrivals/counts.ts';
import { sendGeneric } from '../../lib/channels/sign.ts';
import { DAY, MINUTE, toIso } from '../../lib/platform/clock.ts';
import { type Visitor, visitorOf } from './visitor.ts';

let run: Run;
let visitor: Visitor;
beforeAll(async () => {
  run = await startRun({ brand: 'demo', clockAt: Date.parse('2026-11-11T10:00:00+08:00') });
  visitor = visitorOf(run);
});
afterAll(() => run?.stop());

const answer = z.object({
  day: z.string(),
  channels: z.array(accountArrivals.extend({ paths: z.array(z.string()) })),
});
const arrived = async (channel: string, account: string, query = '') => {
  const { channels } = await visitor.ask(`/channels${query}`, answer, run.keys.operator);
  const [seen] = channels.filter((it) => it.channel === channel && it.account === account);
  return seen;
};
const none = { events: 0, refused: {}, faults: {}, notices: {}, ignored: {} };
const till = () => visitor.senders.pos ?? { account: '', key: '' };
const order = (number: number) => ({
  type: 'order.paid',
  timestamp: visitor.ago(MINUTE),
  data: { order_id: `A-${number}`, amount: 100, currency: 'CNY', member_id: 'M-1' },
});

test('before anything came every account of the brand is there, with where to send to', async () => {
  const { account } = till();
  const { day, channels } = await visitor.ask('/channels', answer);
  expect(day).toBe('2026-11-11');
  const accounts = Object.entries(run.brand.channels).flatMap(([channel, of]) =>
    Object.keys(of).map((name) => `${channel}/${name}`),
  );
  expect(channels.map((it) => `${it.channel}/${it.account}`)).toEqual(accounts);
  expect(await arrived('generic', account)).toEqual({
    channel: 'generic',
    account,
    ...none,
    paths: [`/webhooks/generic/${account}`],
  });
});

test('an event, a forged request, a fault and a name that nobody knows are there once they were worked on', async () => {
  const { account, key } = till();
  const other = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const body = JSON.stringify(order(1));
  await visitor.tell({ batch: [order(1), order(2), { type: 'order.paid', data: { member_id: 'M-1' } }] });
  for (const request of [
    sendGeneric(account, body, other, 'm1', visitor.now()),
    sendGeneric(account, body, other, 'm2', visitor.now()),
    sendGeneric(account, body, key, 'm3', visitor.now() - 6 * MINUTE),
  ])
    expect((await visitor.send(request)).status).toBe(401);
  await visitor.wechat({
    FromUserName: 'o-1',
    CreateTime: '1794362400',
    MsgType: 'event',
    Event: 'NEW_THING',
  });
  await visitor.settled();

  expect(await arrived('generic', account)).toMatchObject({
    events: 2,
    last: { receivedAt: expect.stringMatching(/^2026-11-11T02:0/), type: 'order_paid' },
    refused: { bad_signature: 2, timestamp_out_of_window: 1 },
    faults: { missing_property: 1 },
    notices: {},
  });
  expect(await arrived('wechat-oa', visitor.senders.wechat?.account ?? '')).toMatchObject({
    events: 0,
    ignored: { NEW_THING: 1 },
  });
});

test('what a vendor sends again is counted and stored as it should be: seen twice, known once', async () => {
  const { account } = till();
  await visitor.clock({ advance: '1m' }); // the first minute notes the rules of the file
  const before = await visitor.digest();
  await visitor.repeat();
  await visitor.settled();
  expect(await visitor.digest()).toBe(before);
  expect(await arrived('generic', account)).toMatchObject({ events: 4, faults: { missing_property: 2 } });
});

test('tomorrow counts from nothing, and still knows the last event and yesterday', async () => {
  const { account } = till();
  const last = (await arrived('generic', account))?.last;
  await visitor.clock({ to: toIso(visitor.now() + DAY) });
  expect(await arrived('generic', account)).toMatchObject({ ...none, last });
  expect(await arrived('generic', account, '?day=2026-11-11')).toMatchObject({ events: 4, last });
});
