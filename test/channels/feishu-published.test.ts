import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { feishuDecrypt } from '../../lib/channels/feishu.ts';
import { eventId } from '../../lib/events/id.ts';
import { hasShared, NOW, sharedText, without } from './captured.ts';
import { aFeishu, feishuSender, signFeishu } from './vendors/feishu.ts';

const sign = (text: string) => signFeishu(text, feishuSender, NOW, 'n');

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
const vectors = hasShared ? vectorFile.parse(JSON.parse(sharedText('vectors/feishu.json'))).vectors : [];
const of = (kind: string) => vectors.filter((it) => it.kind === kind);

describe.skipIf(!hasShared)(`published vectors of Feishu${without}`, () => {
  test.each(of('aes_cbc_decrypt'))(
    '$id: opens with its key, and not with another',
    ({ inputs, expected }) => {
      const it = z.object({ key_sha256_of: z.string(), ciphertext_b64: z.string() }).parse(inputs);
      expect(feishuDecrypt(it.key_sha256_of, it.ciphertext_b64)).toBe(expected.plaintext);
      expect(feishuDecrypt(`${it.key_sha256_of}!`, it.ciphertext_b64)).not.toBe(expected.plaintext);
    },
  );

  test.each(of('hash'))('$id: is the signature that we take', async ({ inputs, expected }) => {
    const { data } = z.object({ data: z.string() }).parse(inputs);
    expect(createHash('sha256').update(data).digest('hex')).toBe(expected.digest);
    const [timestamp, nonce, key] = ['1760000000', 'nn-77', feishuSender.encryptKey];
    expect(data.startsWith(`${timestamp}${nonce}${key}`)).toBe(true);
    const headers = {
      'x-lark-request-timestamp': timestamp,
      'x-lark-request-nonce': nonce,
      'x-lark-signature': String(expected.digest),
    };
    const sent = { ...sign(''), headers, body: data.slice(`${timestamp}${nonce}${key}`.length) };
    const { send, events } = aFeishu();
    expect((await send(sent)).statusCode).toBe(200);
    expect(events().map(({ type }) => type)).toEqual(['message_received']);
    expect((await send({ ...sent, body: sent.body.replace('{', '{ ') })).statusCode).toBe(401);
  });

  test.each(of('http_case'))('$id: is taken or refused as published', async ({ inputs, expected }) => {
    const { now, config, request } = z
      .object({
        now: z.number(),
        config: z.object({ encrypt_key: z.string(), verification_token: z.string() }),
        request: z.object({
          method: z.enum(['GET', 'POST']),
          headers: z.record(z.string(), z.string()),
          body: z.string(),
        }),
      })
      .parse(inputs);
    const holding = (verificationToken: string, encryptKey: string) =>
      aFeishu({ now: now * 1000, secret: { encryptKey, verificationToken } });
    const sent = { ...request, path: '/webhooks/feishu/main', rawQuery: '' };
    const { send, facts } = holding(config.verification_token, config.encrypt_key);
    const reply = await send(sent);
    if (expected.accept) {
      expect(reply.statusCode).toBe(200);
      const { json } = z.object({ json: z.unknown() }).parse(expected.reply);
      expect(JSON.parse(reply.body ?? '')).toEqual(json);
    } else {
      expect(reply.statusCode).toBe(401);
      expect(facts).toMatchObject([{ what: 'refused', reason: expected.reason }]);
    }
    for (const wrong of [
      holding(`${config.verification_token}x`, config.encrypt_key),
      holding(config.verification_token, `${config.encrypt_key}x`),
    ])
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

describe.skipIf(!hasShared)(`published samples of Feishu${without}`, () => {
  test.each(samples.filter(({ channel }) => channel === 'feishu'))('$file means $canonical', async (it) => {
    const { send, events, faults } = aFeishu();
    await send(sign(sharedText(`samples/${it.file}`)));
    expect(faults()).toEqual([]);
    expect(events().map(({ type }) => type)).toEqual(it.canonical);
    for (const event of events()) {
      expect(event.identifiers).toEqual(it.identities);
      expect(event.occurredAt).toBe(it.occurred_at);
      expect(event.id).toBe(eventId({ channel: 'feishu', account: 'main' }, it.dedupe_parts));
    }
  });

  test.each(['deep_json.json', 'proto.json'])('%s does no harm, signed or not', async (file) => {
    const body = sharedText(`samples/hostile/${file}`);
    const { send, events, faults } = aFeishu();
    expect((await send({ ...sign(''), headers: {}, body })).statusCode).toBe(401);
    expect((await send(sign(body))).statusCode).toBe(200);
    expect(events()).toEqual([]);
    expect(faults()).toHaveLength(1);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
