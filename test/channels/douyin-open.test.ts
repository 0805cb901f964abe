import { createCipheriv, createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { douyinMobile } from '../../lib/channels/douyin-open.ts';
import { hasShared, NOW, sharedText, without } from './captured.ts';
import { aPlayed, hostile, oneBit } from './played.ts';
import { expectAnswered, expectIds, expectMeant, httpCase, samplesOf, vectorsOf } from './published.ts';
import { douyinOpen } from './vendors/douyin-open.ts';

const channel = 'douyin-open';
const played = (over: Parameters<typeof aPlayed>[2] = {}) => aPlayed(channel, douyinOpen, over);

const message = (event: string, content?: unknown, over: object = {}) =>
  JSON.stringify({
    event,
    client_key: 'awqh0teahouse',
    from_user_id: 'fan-1',
    to_user_id: 'brand-1',
    content,
    log_id: 'log-1',
    ...over,
  });
const followed = message('new_follow_action', { action_type: 1, action_time: 1_760_000_000 });
const paid = (order: object) =>
  message(
    'life_trade_order_notify',
    JSON.stringify({ action: 'pay_success', msg_time: 1_760_000_001, order }),
  );

describe('a Douyin webhook', () => {
  test('is answered 200 and nothing, and says that it was signed', async () => {
    const { say, events } = played();
    expect(await say(followed)).toMatchObject({ statusCode: 200, body: '' });
    expect(events()).toMatchObject([
      {
        type: 'channel_followed',
        context: { verified: 'signed' },
        properties: { channel_account_id: 'brand-1' },
      },
    ]);
  });

  test.each([
    ['{"challenge":12345}', { challenge: 12345 }],
    ['{"challenge":12345}', JSON.stringify({ challenge: 12345 })],
    ['{"challenge":"word-1"}', { challenge: 'word-1' }],
    ['{"challenge":"12345"}', JSON.stringify({ challenge: '12345' })],
  ])('a challenge is answered with %s, content as object or text', async (reply, content) => {
    const { say, bodies } = played();
    expect(await say(message('verify_webhook', content, { client_key: 'abc' }))).toMatchObject({
      statusCode: 200,
      body: reply,
      headers: { 'x-content-type-options': 'nosniff' },
    });
    expect(bodies).toEqual([]);
  });

  test('a challenge beyond 2^53 keeps each digit', async () => {
    const body = '{"event":"verify_webhook","client_key":"abc","content":{"challenge":9007199254740995123}}';
    expect((await played().say(body)).body).toBe('{"challenge":9007199254740995123}');
  });

  test('a challenge that could be markup, or that nobody signed, is not reflected', async () => {
    const { say, send, sign, refused } = played();
    const markup = await say(message('verify_webhook', { challenge: '<script>' }));
    const unsigned = await send({ ...sign(message('verify_webhook', { challenge: 7 })), headers: {} });
    expect([markup.statusCode, unsigned.statusCode]).toEqual([401, 401]);
    expect(`${markup.body}${unsigned.body}`).not.toMatch(/script|challenge/);
    expect(refused()).toEqual(['bad_echostr', 'bad_signature']);
  });

  test('one bit of the body, the signature or another secret is refused in the same words', async () => {
    const { send, sign, refused, bodies } = played();
    const request = sign(followed);
    const replies = [
      await send({ ...request, body: oneBit(request.body) }),
      await send({ ...request, headers: { ...request.headers, 'x-douyin-signature': '0'.repeat(40) } }),
      await played({ secrets: { douyin: { clientSecret: 'another' } } }).send(request),
    ];
    expect(replies.map(({ statusCode }) => statusCode)).toEqual([401, 401, 401]);
    expect(new Set(replies.map(({ body }) => body)).size).toBe(1);
    expect(refused()).toEqual(['bad_signature', 'bad_signature']);
    expect(bodies).toEqual([]);
  });

  test('a message of another application is refused, though its signature holds', async () => {
    const { say, refused } = played();
    expect((await say(message('authorize', {}, { client_key: 'awother' }))).statusCode).toBe(401);
    expect(refused()).toEqual(['unknown_app']);
  });

  test('bytes appended to a signed body are refused, whatever they are', async () => {
    const { say, refused } = played();
    for (const more of ['{}', '\u0000', 'x', ',']) await say(`${followed}${more}`);
    expect(refused()).toEqual(['bad_json', 'bad_json', 'bad_json', 'bad_json']);
  });

  test('two secrets are live while both are held', async () => {
    const previous = { clientSecret: 'dysec_9f0c3a7be21d4f55a1' };
    const rotated = played({ secrets: { douyin: { clientSecret: 'fresh', previous } } });
    expect((await rotated.say(followed)).statusCode).toBe(200);
    const signature = createHash('sha1').update(`fresh${followed}`).digest('hex');
    const fresh = { ...rotated.sign(followed), headers: { 'x-douyin-signature': signature } };
    expect((await rotated.send(fresh)).statusCode).toBe(200);
    expect((await played({ secrets: { douyin: { clientSecret: 'fresh' } } }).say(followed)).statusCode).toBe(
      401,
    );
  });

  test('the same body is the same event, a year later and under another Msg-Id', async () => {
    const { send, sign, world, events } = played();
    await send(sign(message('dial_phone')));
    world.now += 365 * 86_400_000;
    await send({
      ...sign(message('dial_phone')),
      headers: { ...sign(message('dial_phone')).headers, 'msg-id': 'x' },
    });
    await send(sign(message('dial_phone', undefined, { log_id: 'log-2' })));
    const ids = events().map(({ id }) => id);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  test('an order is told once, whatever else its retries say', async () => {
    const { say, events } = played();
    const order = { order_id: '1079312205512345678', pay_amount: 9900, pay_time: 1_760_000_000 };
    await say(paid(order));
    await say(paid(order).replace('log-1', 'log-2'));
    expect(new Set(events().map(({ id }) => id)).size).toBe(1);
    expect(events()[0]).toMatchObject({
      occurredAt: '2025-10-09T08:53:20.000Z',
      properties: { order_id: '1079312205512345678', paid_amount: 9900, currency: 'CNY' },
    });
  });

  test('an order without an amount, or with half a fen, goes to quarantine', async () => {
    const { say, events, faults } = played();
    await say(paid({ order_id: 'o1' }));
    await say(paid({ order_id: 'o2', pay_amount: 0.5 }));
    await say(paid({ pay_amount: 1 }));
    expect(events()).toEqual([]);
    expect(faults().map(({ reason }) => reason)).toEqual([
      'missing_property',
      'bad_property',
      'missing_property',
    ]);
  });

  test('an event that nobody knows and a like taken back are acknowledged and counted', async () => {
    const { say, bodies, ignored } = played();
    await say(message('brand_new'));
    await say(message('new_video_digg', { action_type: 2, item_id: 'v' }));
    await say(message('life_trade_order_notify', { action: 'brand_new' }));
    expect(ignored()).toEqual(['brand_new', 'new_video_digg', 'life_trade_order_notify']);
    expect(bodies.join('')).not.toContain('"type"');
  });

  test.each(hostile)('%s is refused, for it is not one JSON object of ours', async (body) => {
    const { say, bodies } = played();
    expect((await say(body)).statusCode).toBe(401);
    expect(bodies.join('')).not.toContain('"type"');
  });

  test.each(['[]', '7', 'true', '"{"', '"[]"', '"7"'])('content %s goes to quarantine', async (content) => {
    const { say, faults } = played();
    const body = message('new_follow_action').replace('"log_id"', `"content":${content},"log_id"`);
    expect((await say(body)).statusCode).toBe(200);
    expect(faults()).toHaveLength(1);
  });
});

describe('phones', () => {
  const clientSecret = '0123456789abcdef0123456789abcdef';
  const seal = (mobile: string) => {
    const cipher = createCipheriv('aes-256-cbc', clientSecret, clientSecret.slice(0, 16));
    return Buffer.concat([cipher.update(mobile), cipher.final()]).toString('base64');
  };
  const joined = async (mobile: string, held = clientSecret) => {
    const body = message('life_member_join', JSON.stringify({ account_id: '1', mobile }));
    const { send, sign, events } = played({ secrets: { douyin: { clientSecret: held } } });
    const signature = createHash('sha1').update(`${held}${body}`).digest('hex');
    await send({ ...sign(body), headers: { 'x-douyin-signature': signature } });
    return events()[0]?.identifiers;
  };
  const openId = { kind: 'douyin_open_id', scope: 'awqh0teahouse', value: 'fan-1' };

  test('in digits, or sealed with our secret, identify a member', async () => {
    const phone = { kind: 'phone', scope: 'e164', value: '+8613800138000' };
    expect(await joined('13800138000')).toEqual([openId, phone]);
    expect(await joined(seal('13800138000'))).toEqual([openId, phone]);
  });

  test('masked, or sealed with another secret, identify nobody', async () => {
    expect(await joined('138****8000')).toEqual([openId]);
    expect(await joined(seal('13800138000'), 'f'.repeat(32))).toEqual([openId]);
    expect(await joined(seal('no phone at all'))).toEqual([openId]);
  });
});

describe.skipIf(!hasShared)(`published vectors and samples${without}`, () => {
  test.each(vectorsOf(channel, 'hash'))('$id: the digest is what a request is checked with', async (it) => {
    const { data } = z.object({ data: z.string() }).parse(it.inputs);
    const at = data.indexOf('{');
    const body = data.slice(at);
    const request = {
      method: 'POST',
      path: '/webhooks/douyin-open/main',
      rawQuery: '',
      headers: { 'x-douyin-signature': String(it.expected.digest) },
      body,
    };
    const held = { douyin: { clientSecret: data.slice(0, at) } };
    expect((await played({ secrets: held }).send(request)).statusCode).toBe(200);
    expect((await played({ secrets: { douyin: { clientSecret: 'x' } } }).send(request)).statusCode).toBe(401);
  });

  test.each(vectorsOf(channel, 'http_case'))('$id: is taken or refused as published', async (it) => {
    const config = z.object({ client_secret: z.string() });
    const { sent, config: held } = httpCase(it, '/webhooks/douyin-open/main', config);
    const holding = (clientSecret: string) => played({ secrets: { douyin: { clientSecret } } });
    const captured = holding(held.client_secret);
    expectAnswered(it, await captured.send(sent), captured);
    expect((await holding(`${held.client_secret}0`).send(sent)).statusCode).toBe(401);
  });

  test.each(vectorsOf(channel, 'aes_cbc_decrypt'))('$id: opens with its secret and no other', (it) => {
    const { key_utf8, ciphertext_b64 } = z
      .object({ key_utf8: z.string(), ciphertext_b64: z.string() })
      .parse(it.inputs);
    expect(douyinMobile(key_utf8, ciphertext_b64)).toBe(it.expected.plaintext);
    expect(douyinMobile(key_utf8.replace('0', '1'), ciphertext_b64)).toBeUndefined();
  });

  test.each(samplesOf(channel))('$file means $canonical', async (it) => {
    const body = sharedText(`samples/${it.file}`);
    const captured = played({ now: NOW + 60_000 });
    const reply = await captured.say(body);
    expect(reply.statusCode).toBe(200);
    if (it.canonical.length === 0) expect(reply.body).toBe('{"challenge":12345}');
    expectMeant(it, captured, { at: it.occurred_at ?? new Date(NOW + 60_000).toISOString() });
    const digest = createHash('sha256').update(body).digest('base64url');
    const [first = '', second = '', ...rest] = it.dedupe_parts;
    // The header is not signed: where a message has no other id, its body stands for it.
    const key = first === 'Msg-Id header' ? [second, digest] : [first, second, ...rest];
    expectIds(it, captured, { channel, account: 'main' }, () => key);
  });
});
