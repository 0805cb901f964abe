import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { hasShared, NOW, sharedText, without } from './captured.ts';
import { aPlayed, hostile, idOf, oneBit } from './played.ts';
import { expectAnswered, httpCase, samplesOf, vectorsOf } from './published.ts';
import { doudian } from './vendors/doudian.ts';

const channel = 'doudian';
const played = (over: Parameters<typeof aPlayed>[2] = {}) => aPlayed(channel, doudian, over);
const ok = '{"code":0,"msg":"success"}';

const one = (tag: string, data: string, id = `m:${tag}`) =>
  JSON.stringify([{ tag, msg_id: id, data: `{"p_id":4705288465508532862,"shop_id":95250,${data}}` }]);
const paid = one('101', '"pay_time":1760000001,"pay_amount":26800');

describe('a push of Doudian', () => {
  test('keeps each digit of its ids, and is answered as Doudian wants', async () => {
    const { say, events } = played();
    expect((await say(paid)).body).toBe(ok);
    expect(events()).toMatchObject([
      {
        type: 'order_paid',
        occurredAt: '2025-10-09T08:53:21.000Z',
        identifiers: [{ kind: 'order_id', scope: 'doudian:95250', value: '4705288465508532862' }],
        properties: { order_id: '4705288465508532862', paid_amount: 26_800, currency: 'CNY' },
        context: { verified: 'signed' },
      },
    ]);
  });

  test('one bit, another secret or a signature left out is refused; another app-id is another application', async () => {
    const { send, sign, refused, bodies } = played();
    const request = sign(paid);
    const headers = (over: object) => ({ ...request, headers: { ...request.headers, ...over } });
    const replies = [
      await send({ ...request, body: oneBit(request.body) }),
      await send(headers({ 'event-sign': '' })),
      await send(headers({ 'app-id': '7100000000000000002' })),
      await send(headers({ 'app-id': '' })),
      await played({ secrets: { doudian: { appSecret: 'x' } } }).send(request),
    ];
    expect(replies.map(({ statusCode }) => statusCode)).toEqual([401, 401, 401, 401, 401]);
    expect(new Set(replies.map(({ body }) => body)).size).toBe(1);
    expect(refused()).toEqual(['bad_signature', 'bad_signature', 'unknown_app', 'unknown_app']);
    expect(bodies.join('')).not.toContain('"type"');
  });

  test('two secrets are live while both are held', async () => {
    const previous = { appSecret: 'dd-secret-3f2a9c10-77aa' };
    const rotated = played({ secrets: { doudian: { appSecret: 'fresh', previous } } });
    expect((await rotated.say(paid)).statusCode).toBe(200);
    const sign = createHash('md5').update(`7100000000000000001${paid}fresh`).digest('hex');
    const request = rotated.sign(paid);
    const fresh = { ...request, headers: { ...request.headers, 'event-sign': sign } };
    expect((await rotated.send(fresh)).statusCode).toBe(200);
    expect((await played({ secrets: { doudian: { appSecret: 'fresh' } } }).say(paid)).statusCode).toBe(401);
  });

  test('several messages come in one request: a bad one does not fail the others, all are queued or none', async () => {
    const { say, events, faults, world, bodies } = played();
    const three = `[${[paid, one('101', '"pay_time":1760000001,"pay_amount":"much"', 'm:2'), one('103', '"complete_time":1760000003')].map((it) => it.slice(1, -1)).join(',')}]`;
    world.queueFails = true;
    expect((await say(three)).statusCode).toBe(500);
    expect(bodies).toEqual([]);
    world.queueFails = false;
    expect((await say(three)).body).toBe(ok);
    expect(events().map(({ type }) => type)).toEqual(['order_paid', 'order_received']);
    expect(faults()).toMatchObject([{ reason: 'bad_property' }]);
  });

  test('a message again, whenever and in whatever company, is the same event', async () => {
    const { say, events, world } = played();
    await say(paid);
    world.now += 30 * 86_400_000;
    await say(`[${one('103', '"complete_time":1760000003').slice(1, -1)},${paid.slice(1, -1)}]`);
    const [first, other, again] = events().map(({ id }) => id);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  test('tag 110 is a payment when the status says so, and no other time', async () => {
    const { say, events, ignored } = played();
    await say(one('110', '"order_status":1,"create_time":1760000000'));
    await say(one('110', '"order_status":2,"pay_time":1760000001,"pay_amount":1', 'm:3'));
    expect(events().map(({ type }) => type)).toEqual(['order_paid']);
    expect(ignored()).toEqual(['tag 110']);
  });

  test('what is said of another shop goes to quarantine, unless the account is for all shops', async () => {
    const foreign = paid.replace('95250', '95251');
    const { say, events, faults } = played();
    await say(foreign);
    expect(events()).toEqual([]);
    expect(faults()).toMatchObject([{ reason: 'bad_shape' }]);
    const all = played({ accounts: { main: { appKey: '7100000000000000001', secret: 'doudian' } } });
    await all.say(foreign);
    expect(all.events()[0]?.identifiers[0]?.scope).toBe('doudian:95251');
  });

  test('the probe of an address says nothing, a tag that nobody knows is counted', async () => {
    const { say, bodies, ignored } = played();
    expect((await say('[{"tag":"0","msg_id":"0","data":"2025-10-09T16:53:20+08:00"}]')).body).toBe(ok);
    expect(bodies).toEqual([]);
    await say(one('400', '"product_id":1'));
    expect(ignored()).toEqual(['tag 400']);
  });

  test('more than 500 messages are refused', async () => {
    const { say } = played();
    expect((await say(`[${Array(501).fill('{"tag":"0"}').join(',')}]`)).statusCode).toBe(413);
  });

  test.each([
    ...hostile,
    '[{"tag":"101","msg_id":"m","data":"["}]',
    '[{"tag":"101","data":"{}"}]',
    '[{"tag":{}}]',
  ])('%s is never an event and never a failure', async (body) => {
    const { say, events } = played();
    expect((await say(body)).statusCode).toBe(200);
    expect(events()).toEqual([]);
  });
});

describe.skipIf(!hasShared)(`published vectors and samples${without}`, () => {
  test.each(vectorsOf(channel, 'hash'))('$id: the digest is what a request is checked with', async (it) => {
    const { data } = z.object({ data: z.string() }).parse(it.inputs);
    const body = data.slice('7100000000000000001'.length, -'dd-secret-3f2a9c10-77aa'.length);
    expect(played().sign(body).headers['event-sign']).toBe(it.expected.digest);
    expect((await played().say(body)).statusCode).toBe(200);
  });

  test.each(vectorsOf(channel, 'http_case'))('$id: is taken or refused as published', async (it) => {
    const config = z.object({ app_key: z.string(), app_secret: z.string() });
    const { sent, config: held } = httpCase(it, '/webhooks/doudian/main', config);
    const holding = (appSecret: string) =>
      played({
        accounts: { main: { appKey: held.app_key, secret: 'doudian' } },
        secrets: { doudian: { appSecret } },
      });
    const captured = holding(held.app_secret);
    expectAnswered(it, await captured.send(sent), captured);
    expect((await holding(`${held.app_secret}0`).send(sent)).statusCode).toBe(401);
  });

  test.each(samplesOf(channel))('$file means $canonical', async (it) => {
    const { say, events, faults } = played({ now: NOW + 60_000 });
    expect((await say(sharedText(`samples/${it.file}`))).body).toBe(ok);
    expect(faults()).toEqual([]);
    expect(events().map(({ type }) => type)).toEqual(it.canonical);
    expect(events().map(({ id }) => id)).toEqual(it.dedupe_parts.map((part) => idOf(channel, part)));
    if (it.occurred_at) expect(events()[0]?.occurredAt).toBe(it.occurred_at);
    // Nobody is named: an order is all that there is to know them by.
    for (const { identifiers } of events()) expect(identifiers.map(({ kind }) => kind)).toEqual(['order_id']);
  });
});
