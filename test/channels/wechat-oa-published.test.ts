import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { signWechat } from '../../lib/channels/sign.ts';
import { wechatDecrypt, wechatEncrypt, wechatSignature } from '../../lib/channels/wechat-crypto.ts';
import { eventId } from '../../lib/events/id.ts';
import { HOUR } from '../../lib/platform/clock.ts';
import { aBrand, aCapture, hasShared, NOW, oa, sharedText, teahouse, without } from './captured.ts';

const source = { channel: 'wechat-oa', account: 'main' };

const vectorFile = z.object({
  vectors: z.array(
    z.object({
      id: z.string(),
      kind: z.string(),
      inputs: z.record(z.string(), z.unknown()),
      expected: z.record(z.string(), z.unknown()),
    }),
  ),
});
const vectors = hasShared ? vectorFile.parse(JSON.parse(sharedText('vectors/wechat-oa.json'))).vectors : [];
const text = z.record(z.string(), z.string());

describe.skipIf(!hasShared)(`published vectors of WeChat${without}`, () => {
  test.each(vectors.filter(({ kind }) => kind === 'wx_sha1'))(
    '$id: the signature holds, and not for another nonce',
    ({ inputs, expected }) => {
      const { token, timestamp, nonce, encrypt: sealed } = text.parse(inputs);
      const parts = [token!, timestamp!, ...(sealed ? [sealed] : [])];
      expect(wechatSignature(...parts, nonce!)).toBe(expected.signature);
      expect(wechatSignature(...parts, `${nonce}0`)).not.toBe(expected.signature);
    },
  );

  test.each(vectors.filter(({ kind }) => kind === 'wx_decrypt'))(
    '$id: opens with its key, and not with another',
    ({ inputs, expected }) => {
      const { encoding_aes_key: key = '', encrypt: sealed = '', receive_id } = text.parse(inputs);
      const plain = wechatDecrypt(key, sealed);
      const parts = z.array(z.string()).default([]).parse(expected.message_contains);
      if (expected.message) expect(plain).toEqual({ message: expected.message, receiveId: receive_id });
      for (const part of parts) expect(plain?.message).toContain(part);
      expect(wechatDecrypt(key.replace(/^./, 'z'), sealed)?.message).not.toBe(plain?.message);
    },
  );

  test.each(vectors.filter(({ kind }) => kind === 'wx_encrypt'))(
    '$id: is sealed to the same bytes',
    ({ inputs, expected }) => {
      const { encoding_aes_key, random, message, receive_id } = text.parse(inputs);
      const seal = (word: string) =>
        wechatEncrypt(encoding_aes_key!, word, receive_id!, Buffer.from(random!));
      expect(seal(message!)).toBe(expected.encrypt);
      expect(seal(`${message}!`)).not.toBe(expected.encrypt);
    },
  );

  const httpCase = z.object({
    now: z.number(),
    config: z.object({ token: z.string(), mode: z.string(), seen_nonces: z.array(z.string()).optional() }),
    request: z.object({
      method: z.enum(['GET', 'POST']),
      query: z.record(z.string(), z.string()),
      headers: z.record(z.string(), z.string()),
      body: z.string(),
    }),
  });
  const httpCases = vectors.filter(({ kind }) => kind === 'http_case');

  test.each(httpCases)('$id: is taken or refused as published', async ({ inputs, expected }) => {
    const { now, config, request } = httpCase.parse(inputs);
    const { send, facts, events } = aCapture({ now: now * 1000 });
    const sent = {
      method: request.method,
      path: `/webhooks/wechat-oa/${config.mode === 'plain' ? 'plain' : 'main'}`,
      rawQuery: new URLSearchParams(request.query).toString(),
      headers: request.headers,
      body: request.body,
    };
    if (config.seen_nonces) await send(sent);
    const before = events().length;
    const reply = await send(sent);
    expect(reply.statusCode).toBe(expected.accept ? 200 : 401);
    if (expected.accept) expect(reply.body).toBe(z.object({ body: z.string() }).parse(expected.reply).body);
    else {
      expect(facts).toMatchObject([{ what: 'refused', reason: expected.reason }]);
      expect(events()).toHaveLength(before);
    }
    // The negative of each: one letter of the token is enough.
    const wrong = aCapture({
      now: now * 1000,
      secrets: { 'siyu/qinghe/oa': { token: 'QhTeaToken02', encodingAesKey: teahouse.encodingAesKey } },
    });
    expect((await wrong.send(sent)).statusCode).toBe(401);
  });
});

const sample = z.object({
  file: z.string(),
  channel: z.string(),
  canonical: z.array(z.string()),
  identities: z.array(z.object({ kind: z.string(), scope: z.string(), value: z.string() })),
  dedupe_parts: z.array(z.string()),
  occurred_at: z.string().nullable(),
});
const samples = hasShared
  ? z.object({ samples: z.array(sample) }).parse(JSON.parse(sharedText('samples/manifest.json'))).samples
  : [];

describe.skipIf(!hasShared)(`published samples of an official account${without}`, () => {
  test.each(samples.filter(({ channel }) => channel === 'wechat-oa'))(
    '$file means $canonical',
    async (it) => {
      const later = NOW + 3 * HOUR; // one sample is two hours younger than the others
      const { send, events, facts, faults } = aCapture({ now: later });
      const reply = await send(signWechat(sharedText(`samples/${it.file}`), oa, later, it.file));
      expect(reply.body).toBe('success');
      expect(faults()).toEqual([]);
      const told = facts.flatMap((fact) => (fact.what === 'notice' ? [fact.type] : []));
      expect([...events().map((event) => event.type), ...told]).toEqual(it.canonical);
      events().forEach((event, index) => {
        expect(event.identifiers).toEqual(expect.arrayContaining(it.identities));
        expect(event.occurredAt).toBe(it.occurred_at);
        expect(event.id).toBe(
          eventId(source, index === 0 ? it.dedupe_parts : [...it.dedupe_parts, String(index)]),
        );
      });
    },
  );

  const hostile = ['xxe_file.xml', 'duplicate_encrypt.xml', 'unclosed.xml'];
  test.each(hostile)('%s is refused outside a seal and kept as a fault inside one', async (file) => {
    const body = sharedText(`samples/hostile/${file}`);
    const { send, events, faults } = aCapture();
    const rawQuery = 'msg_signature=0&timestamp=1760000000&nonce=n&encrypt_type=aes';
    const reply = await send({
      method: 'POST',
      path: '/webhooks/wechat-oa/main',
      rawQuery,
      headers: {},
      body,
    });
    expect(reply.statusCode).toBe(400);
    expect(reply.body).not.toContain('passwd');
    await send(signWechat(body, oa, NOW, 'n'));
    expect(events()).toEqual([]);
    expect(faults()).toMatchObject([{ reason: 'undecodable' }]);
  });

  test('numbers in XML stay the strings that they are', async () => {
    const { send, events } = aCapture({
      brand: aBrand({
        channels: { 'wechat-oa': { main: { appId: teahouse.appId, secret: 'oa', keepContent: true } } },
      }),
    });
    await send(signWechat(sharedText('samples/hostile/number_traps.xml'), oa, NOW, 'n'));
    expect(events()).toMatchObject([
      { identifiers: [{ value: '0123' }], properties: { content: '1e5', message_id: '24879104321456789' } },
    ]);
  });
});
