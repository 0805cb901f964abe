import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { wechatDecrypt, wechatSignature } from '../../lib/channels/wechat-crypto.ts';
import { hasShared, sharedText, without } from './captured.ts';
import { aPlayed, hostile, oneBit } from './played.ts';
import { vectorsOf } from './published.ts';
import { douyinMiniapp } from './vendors/douyin-miniapp.ts';

const channel = 'douyin-miniapp';
const played = (over: Parameters<typeof aPlayed>[2] = {}) => aPlayed(channel, douyinMiniapp, over);
const text = (id = '7291450001122334455') =>
  `{"ToUserName":"tt5823bf96d3bd56c7","FromUserName":"fan-1","CreateTime":1760000001,"MsgType":"text","Content":"x","MsgId":${id}}`;

const held = { token: 'QDG6eK', encodingAesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C' };
const fresh = { token: 'fresh', encodingAesKey: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg' };

describe('message push of a Douyin mini app', () => {
  test('a message is answered success, its int64 id kept and its words not', async () => {
    const { say, events } = played();
    expect(await say(text())).toMatchObject({ statusCode: 200, body: 'success' });
    expect(events()).toMatchObject([
      {
        type: 'message_received',
        identifiers: [{ kind: 'douyin_open_id', scope: 'tt5823bf96d3bd56c7', value: 'fan-1' }],
        properties: { message_id: '7291450001122334455', message_type: 'text' },
      },
    ]);
    expect(events()[0]?.properties).not.toHaveProperty('content');
  });

  test('a retry, sealed anew at another time, is the same event', async () => {
    const { say, world, events } = played();
    await say(text());
    world.now += 5000;
    await say(text(), { now: world.now, nonce: 'other' });
    await say(text('7291450001122334456'), { now: world.now });
    const ids = events().map(({ id }) => id);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  test('another token, key, app, time or bit is refused in the same words', async () => {
    const { send, sign, refused, world } = played();
    const request = sign(text());
    const replies = [
      await send({ ...request, body: oneBit(request.body) }),
      await played({ secrets: { miniapp: { ...held, token: 'x' } } }).send(request),
      await played({ secrets: { miniapp: { ...held, encodingAesKey: fresh.encodingAesKey } } }).send(request),
      await played({ accounts: { main: { appId: 'ttother', secret: 'miniapp' } } }).send(request),
    ];
    world.now += 301_000;
    replies.push(await send(request));
    expect(replies.map(({ statusCode }) => statusCode)).toEqual([401, 401, 401, 401, 401]);
    expect(new Set(replies.map(({ body }) => body)).size).toBe(1);
    expect(refused()).toEqual(['bad_signature', 'timestamp_out_of_window']);
  });

  test('two tokens and keys are live while both are held', async () => {
    const rotated = played({ secrets: { miniapp: { ...fresh, previous: held } } });
    expect((await rotated.say(text())).statusCode).toBe(200);
    expect((await played({ secrets: { miniapp: fresh } }).say(text())).statusCode).toBe(401);
  });

  test('an address is tried by GET and answered with its echo', async () => {
    const { send, sign, refused } = played();
    const get = (signature: string) => ({
      ...sign(''),
      method: 'GET',
      rawQuery: `signature=${signature}&timestamp=1760000000&nonce=n&echostr=abc%2B1`,
      body: '',
    });
    expect(await send(get(wechatSignature('QDG6eK', '1760000000', 'n')))).toMatchObject({
      statusCode: 200,
      body: 'abc+1',
    });
    expect((await send(get('0'))).statusCode).toBe(401);
    expect(refused()).toEqual(['bad_signature']);
  });

  test('a ticket of a service platform is acknowledged and counted', async () => {
    const { say, ignored } = played();
    await say('<xml><MsgType>Ticket</MsgType><Event>PUSH</Event></xml>');
    expect(ignored()).toEqual(['PUSH']);
  });

  test.each(hostile)('%s inside a seal is never an event and never a failure', async (body) => {
    const { say, events } = played();
    expect((await say(body)).statusCode).toBe(200);
    expect(events()).toEqual([]);
  });

  test.each(hostile)('%s outside a seal is refused', async (body) => {
    const { send, sign } = played();
    expect([400, 401]).toContain((await send({ ...sign(text()), body })).statusCode);
  });
});

const inputs = z.record(z.string(), z.union([z.string(), z.number()]));

describe.skipIf(!hasShared)(`published vectors${without}`, () => {
  test.each(vectorsOf('douyin-open', 'wx_decrypt'))('$id: opens with 32 random bytes, not with 16', (it) => {
    const { encoding_aes_key, encrypt, receive_id } = inputs.parse(it.inputs);
    const [key, sealed] = [String(encoding_aes_key), String(encrypt)];
    expect(wechatDecrypt(key, sealed, 32)).toEqual({ message: it.expected.message, receiveId: receive_id });
    expect(wechatDecrypt(key, sealed)?.message).not.toBe(it.expected.message);
    expect(wechatDecrypt(key.replace(/^./, 'z'), sealed, 32)?.message).not.toBe(it.expected.message);
  });

  test.each(vectorsOf('douyin-open', 'wx_sha1'))('$id: is taken at its time, untrimmed', async (it) => {
    const { token, timestamp, nonce, encrypt } = inputs.parse(it.inputs);
    const parts = [token, timestamp, nonce, encrypt].map(String);
    expect(wechatSignature(...parts)).toBe(it.expected.signature);
    const body = `<xml><Nonce>${nonce}</Nonce><TimeStamp>${timestamp}</TimeStamp><Encrypt><![CDATA[${encrypt}]]></Encrypt><MsgSignature>${it.expected.signature}</MsgSignature></xml>`;
    const { send, sign } = played({ now: Number(timestamp) * 1000 });
    expect((await send({ ...sign(''), body })).statusCode).toBe(200);
    const trimmed = body.replace(' ]]>', ']]>').replace('=]]>', ']]>');
    expect((await send({ ...sign(''), body: trimmed })).statusCode).toBe(401);
  });

  test('entities and DOCTYPE outside a seal are refused', async () => {
    const { send, sign } = played();
    const reply = await send({ ...sign(''), body: sharedText('samples/hostile/xxe_file.xml') });
    expect(reply.statusCode).toBe(400);
    expect(reply.body).toContain('doctype_forbidden');
  });
});
