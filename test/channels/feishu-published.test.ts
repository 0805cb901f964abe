import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { feishuDecrypt } from '../../lib/channels/feishu.ts';
import { hasShared, NOW, sharedText, without } from './captured.ts';
import {
  expectAnswered,
  expectHarmless,
  expectIds,
  expectMeant,
  httpCase,
  samplesOf,
  vectorsOf,
} from './published.ts';
import { aFeishu, feishuSender, signFeishu } from './vendors/feishu.ts';

const sign = (text: string) => signFeishu(text, feishuSender, NOW, 'n');

describe.skipIf(!hasShared)(`published vectors of Feishu${without}`, () => {
  test.each(vectorsOf('feishu', 'aes_cbc_decrypt'))(
    '$id: opens with its key, and not with another',
    ({ inputs, expected }) => {
      const it = z.object({ key_sha256_of: z.string(), ciphertext_b64: z.string() }).parse(inputs);
      expect(feishuDecrypt(it.key_sha256_of, it.ciphertext_b64)).toBe(expected.plaintext);
      expect(feishuDecrypt(`${it.key_sha256_of}!`, it.ciphertext_b64)).not.toBe(expected.plaintext);
    },
  );

  test.each(vectorsOf('feishu', 'hash'))(
    '$id: is the signature that we take',
    async ({ inputs, expected }) => {
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
    },
  );

  test.each(vectorsOf('feishu', 'http_case'))('$id: is taken or refused as published', async (it) => {
    const { now, config, sent } = httpCase(
      it,
      '/webhooks/feishu/main',
      z.object({ encrypt_key: z.string(), verification_token: z.string() }),
    );
    const holding = (verificationToken: string, encryptKey: string) =>
      aFeishu({ now, secrets: { feishu: { encryptKey, verificationToken } } });
    const captured = holding(config.verification_token, config.encrypt_key);
    expectAnswered(it, await captured.send(sent), captured);
    for (const wrong of [
      holding(`${config.verification_token}x`, config.encrypt_key),
      holding(config.verification_token, `${config.encrypt_key}x`),
    ])
      expect((await wrong.send(sent)).statusCode).toBe(401);
  });
});

describe.skipIf(!hasShared)(`published samples of Feishu${without}`, () => {
  test.each(samplesOf('feishu'))('$file means $canonical', async (it) => {
    const captured = aFeishu();
    await captured.send(sign(sharedText(`samples/${it.file}`)));
    expectMeant(it, captured);
    expectIds(it, captured, { channel: 'feishu', account: 'main' });
  });

  test.each(['deep_json.json', 'proto.json'])('%s does no harm, signed or not', async (file) => {
    const body = sharedText(`samples/hostile/${file}`);
    const captured = aFeishu();
    expect((await captured.send({ ...sign(''), headers: {}, body })).statusCode).toBe(401);
    expect((await captured.send(sign(body))).statusCode).toBe(200);
    expectHarmless(captured);
  });
});
