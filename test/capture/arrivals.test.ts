// Scope: what capture lets be counted, and what it says of a query that signs no body.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { chunks } from '../../lib/capture/chunks.ts';
import { type SentRequest, sendGeneric, sendTracking } from '../../lib/channels/sign.ts';
import { wechatSignature } from '../../lib/channels/wechat-crypto.ts';
import { type Event, eventsMessage, type Tally } from '../../lib/events/event.ts';
import { toIso } from '../../lib/platform/clock.ts';
import { aBrand, aCapture, NOW, teahouse } from '../channels/captured.ts';

const order = JSON.stringify({
  type: 'order.paid',
  data: { order_id: 'o1', amount: 5, currency: 'CNY', member_id: 'M1' },
});
const otherKey = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const generic = (key = teahouse.whsec, now = NOW): SentRequest =>
  sendGeneric('pos', order, key, 'msg_1', now);
const pos = { channel: 'generic', account: 'pos' };

/** A message in plain mode, whose query signs time and nonce and not the body. */
const plain = (fields: Record<string, string>, nonce = 'n1'): SentRequest => {
  const timestamp = String(Math.floor(NOW / 1000));
  const all = { ToUserName: 'gh_1', FromUserName: 'o-1', CreateTime: timestamp, ...fields };
  const inner = Object.entries(all).map(([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`);
  const signature = wechatSignature(teahouse.token, timestamp, nonce);
  return {
    method: 'POST',
    path: '/webhooks/wechat-oa/plain',
    rawQuery: String(new URLSearchParams({ signature, timestamp, nonce })),
    headers: { 'content-type': 'text/xml' },
    body: `<xml>${inner.join('')}</xml>`,
  };
};
const followed = { MsgType: 'event', Event: 'subscribe' };

test('a refused request is counted by reason for the account that it was sent to, and brings nothing', async () => {
  const { send, tallies, bodies } = aCapture();
  for (const request of [
    generic(otherKey),
    generic(teahouse.whsec, NOW - 400_000),
    { ...generic(), method: 'PUT' },
  ])
    await send(request);
  const at = toIso(NOW);
  expect(tallies()).toEqual([
    { source: pos, at, refused: 'bad_signature' },
    { source: pos, at, refused: 'timestamp_out_of_window' },
    { source: pos, at, refused: 'bad_method' },
  ]);
  expect(bodies).toEqual([]);
});

test('where no account is found nobody is counted', async () => {
  const { send, tallies } = aCapture();
  for (const request of [
    { ...generic(), path: '/webhooks/generic/nobody' },
    { ...generic(), path: '/webhooks/nothing/pos' },
    sendTracking('track', '{"event":"x","userId":"M1"}', 'not_a_write_key'),
  ])
    expect((await send(request)).statusCode).toBeGreaterThanOrEqual(400);
  expect(tallies()).toEqual([]);
});

test('an account whose secret is not filled in is counted too: its sender hears 500 and cannot say why', async () => {
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const { send, tallies } = aCapture({ secrets: { 'siyu/qinghe/pos': {} } });
  expect((await send(generic())).statusCode).toBe(500);
  vi.restoreAllMocks();
  expect(tallies()).toMatchObject([{ source: pos, refused: 'misconfigured' }]);
});

test('a refusal is answered all the same where it cannot be counted; an event is not', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {});
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const { send, world } = aCapture();
  world.queueFails = true;
  expect((await send(generic(otherKey))).statusCode).toBe(401);
  expect(log).toHaveBeenCalledTimes(1);
  expect((await send(generic())).statusCode).toBe(500);
  out.mockRestore();
  log.mockRestore();
});

test('what a channel has no use for is counted by its name, and answered as ever', async () => {
  const { send, tallies, bodies } = aCapture();
  const reply = await send(plain({ MsgType: 'event', Event: 'SOMETHING_NEW' }));
  expect([reply.statusCode, reply.body]).toEqual([200, 'success']);
  const plainAccount = { channel: 'wechat-oa', account: 'plain' };
  expect(tallies()).toEqual([{ source: plainAccount, at: toIso(NOW), ignored: { SOMETHING_NEW: 1 } }]);
  expect(bodies).toEqual([]);
});

test('an accepted event brings no tally', async () => {
  const { send, tallies, bodies } = aCapture();
  expect((await send(generic())).statusCode).toBe(200);
  expect(bodies).toHaveLength(1);
  expect(tallies()).toEqual([]);
});

const nonceOf = (body = '{}') => eventsMessage.parse(JSON.parse(body)).nonce;

test('a query that signs no body is told with the body that it came with, and neither is in clear', async () => {
  const { send, bodies } = aCapture();
  const request = plain(followed, 'a-nonce-of-wechat');
  await send(request);
  const nonce = nonceOf(bodies[0]);
  expect(nonce?.body).toBe(createHash('sha256').update(request.body).digest('base64url'));
  expect(bodies.join()).not.toContain('a-nonce-of-wechat');
});

test('another instance takes the query again, and says that it is the same one with another body', async () => {
  const [one, two] = [aCapture(), aCapture()];
  await one.send(plain(followed));
  expect((await one.send(plain({ ...followed, FromUserName: 'o-2' }))).statusCode).toBe(401);
  expect((await two.send(plain({ ...followed, FromUserName: 'o-2' }))).statusCode).toBe(200);
  const [first, second] = [nonceOf(one.bodies[0]), nonceOf(two.bodies[0])];
  expect(second?.query).toBe(first?.query);
  expect(second?.body).not.toBe(first?.body);
  expect(one.tallies()).toMatchObject([{ refused: 'nonce_replayed' }]);
  const other = aCapture();
  await other.send(plain(followed, 'n2'));
  expect(nonceOf(other.bodies[0])?.query).not.toBe(first?.query);
});

test('what could not be queued may be sent again, by the same query', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {});
  const { send, world, bodies } = aCapture();
  world.queueFails = true;
  expect((await send(plain(followed))).statusCode).toBe(500);
  world.queueFails = false;
  expect((await send(plain(followed))).statusCode).toBe(200);
  expect((await send(plain(followed))).statusCode).toBe(401);
  expect(bodies).toHaveLength(1);
  log.mockRestore();
});

test('a query that signs its body says no nonce', async () => {
  const { send, bodies } = aCapture();
  await send(generic());
  expect(nonceOf(bodies[0])).toBeUndefined();
});

test('the same query of two accounts is two', async () => {
  const { channels } = aBrand();
  const twin = channels['wechat-oa']?.plain ?? {};
  const brand = aBrand({ channels: { 'wechat-oa': { plain: twin, twin } } });
  const { send, bodies } = aCapture({ brand });
  await send(plain(followed));
  await send({ ...plain(followed), path: '/webhooks/wechat-oa/twin' });
  expect(new Set(bodies.map((body) => nonceOf(body)?.query)).size).toBe(2);
});

const event = (n: number): Event => ({
  id: `event_${String(n).padStart(10, '0')}`,
  type: 'visit',
  occurredAt: toIso(NOW),
  receivedAt: toIso(NOW),
  source: pos,
  identifiers: [{ kind: 'member_id', scope: 'brand', value: 'M1' }],
  properties: { note: 'x'.repeat(n * 20) },
  context: { timeSource: 'sender', verified: 'signed' },
});

test('however a request is cut, each message has its nonce, one its tally, and none is too long', () =>
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 3000, max: 9000 }), (many, most) => {
      const tally: Tally = { source: pos, at: toIso(NOW), ignored: { 'a 私域 name': 3 } };
      const digest = createHash('sha256').update(String(many)).digest('base64url');
      const nonce = { query: digest, body: digest };
      const events = Array.from({ length: many }, (_, i) => event(i));
      const bodies = chunks(events, [], most, { tally, nonce });
      const messages = bodies.map((body) => eventsMessage.parse(JSON.parse(body)));
      expect(messages.flatMap((it) => it.events)).toEqual(events);
      expect(messages.flatMap((it) => it.tally ?? [])).toEqual([tally]);
      expect(messages.every((it) => it.nonce?.query === digest)).toBe(true);
      for (const body of bodies) expect(Buffer.byteLength(body)).toBeLessThanOrEqual(most);
    }),
    { numRuns: 50 },
  ));
