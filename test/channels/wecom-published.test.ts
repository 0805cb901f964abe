import { decrypt, getSignature } from '@wecom/crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { wechatDecrypt, wechatEncrypt, wechatSignature } from '../../lib/channels/wechat-crypto.ts';
import { eventId } from '../../lib/events/id.ts';
import { hasShared, NOW, sharedText, without } from './captured.ts';
import { aWecom, signWecom, wecomSenders } from './vendors/wecom.ts';

const { main, suite } = wecomSenders;

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
const vectors = hasShared ? vectorFile.parse(JSON.parse(sharedText('vectors/wecom.json'))).vectors : [];
const of = (kind: string) => vectors.filter((it) => it.kind === kind);
const text = z.record(z.string(), z.string());

describe.skipIf(!hasShared)(`published vectors of WeCom${without}`, () => {
  test.each(of('wx_sha1'))('$id: the signature holds, and not for another nonce', ({ inputs, expected }) => {
    const { token = '', timestamp = '', nonce = '', encrypt = '' } = text.parse(inputs);
    expect(wechatSignature(token, timestamp, nonce, encrypt)).toBe(expected.signature);
    expect(getSignature(token, timestamp, nonce, encrypt)).toBe(expected.signature);
    expect(wechatSignature(token, timestamp, `${nonce}0`, encrypt)).not.toBe(expected.signature);
  });

  test.each(of('wx_decrypt'))('$id: opens with its key, and not with another', ({ inputs, expected }) => {
    const { encoding_aes_key = '', encrypt = '', receive_id = '' } = text.parse(inputs);
    expect(wechatDecrypt(encoding_aes_key, encrypt)).toEqual({
      message: expected.message,
      receiveId: receive_id,
    });
    expect(decrypt(encoding_aes_key, encrypt).random.toString()).toBe(expected.random);
    expect(wechatDecrypt(encoding_aes_key.replace(/^./, 'z'), encrypt)?.message).not.toBe(expected.message);
  });

  test.each(of('wx_encrypt'))('$id: is sealed to the same bytes', ({ inputs, expected }) => {
    const { encoding_aes_key = '', random = '', message = '', receive_id = '' } = text.parse(inputs);
    const seal = (it: string) => wechatEncrypt(encoding_aes_key, it, receive_id, Buffer.from(random));
    expect(seal(message)).toBe(expected.encrypt);
    expect(seal(`${message}!`)).not.toBe(expected.encrypt);
  });

  const httpCase = z.object({
    now: z.number(),
    config: z.object({ token: z.string(), encoding_aes_key: z.string(), receive_id: z.string() }),
    request: z.object({
      method: z.enum(['GET', 'POST']),
      query: z.record(z.string(), z.string()),
      headers: z.record(z.string(), z.string()),
      body: z.string(),
    }),
  });

  test.each(of('http_case'))('$id: is taken or refused as published', async ({ inputs, expected }) => {
    const { now, config, request } = httpCase.parse(inputs);
    const account = (token: string, later = 0) =>
      aWecom({
        now: (now + later) * 1000,
        accounts: { main: { corpId: config.receive_id, secret: 'vector' } },
        secrets: { vector: { token, encodingAesKey: config.encoding_aes_key } },
      });
    const rawQuery = new URLSearchParams(request.query).toString();
    const sent = { ...request, path: '/webhooks/wecom/main', rawQuery };
    const { send, facts, events } = account(config.token);
    const reply = await send(sent);
    expect(reply.statusCode === 200).toBe(expected.accept);
    if (expected.accept) {
      expect(reply).toMatchObject({ statusCode: 200, body: '' });
      expect(events().map(({ type }) => type)).toEqual(['contact_added']);
    } else {
      expect(facts).toMatchObject([{ what: 'refused', reason: expected.reason }]);
      expect(events()).toEqual([]);
    }
    for (const wrong of [account('QDG6eL'), account(config.token, 600)])
      expect((await wrong.send(sent)).statusCode).toBeGreaterThanOrEqual(400);
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

describe.skipIf(!hasShared)(`published samples of WeCom${without}`, () => {
  test.each(samples.filter(({ channel }) => channel === 'wecom'))('$file means $canonical', async (it) => {
    const { send, events, facts, faults } = aWecom({ now: NOW + 60_000 });
    const message = sharedText(`samples/${it.file}`);
    const sender = message.includes('<SuiteId>') ? suite : main;
    const reply = await send(signWecom(message, sender, NOW + 60_000, 'n'));
    expect(reply.body).toBe(sender === suite ? 'success' : '');
    expect(faults()).toEqual([]);
    const told = facts.flatMap((fact) => (fact.what === 'notice' ? [fact.type] : []));
    expect([...events().map(({ type }) => type), ...told]).toEqual(it.canonical);
    const source = { channel: 'wecom', account: sender.account };
    // Of a group's members each has an event, told apart by the version of the list and by the member.
    const version = /<CurMemVer><!\[CDATA\[(\w+)/.exec(message)?.[1];
    for (const event of events()) {
      expect(event.identifiers).toEqual(it.identities);
      expect(event.occurredAt).toBe(it.occurred_at);
      const more = version ? [version, it.identities[0]!.value] : [];
      expect(event.id).toBe(eventId(source, [...it.dedupe_parts, ...more]));
    }
  });

  test.each(['xxe_file.xml', 'duplicate_encrypt.xml', 'unclosed.xml'])(
    '%s is refused outside a seal and kept as a fault inside one',
    async (file) => {
      const body = sharedText(`samples/hostile/${file}`);
      const { send, events, faults } = aWecom();
      const reply = await send({ ...signWecom('', main, NOW, 'n'), body });
      expect(reply.statusCode).toBeGreaterThanOrEqual(400);
      expect(reply.statusCode).toBeLessThan(500);
      await send(signWecom(body, main, NOW, 'n'));
      expect(events()).toEqual([]);
      expect(faults()).toMatchObject([{ reason: 'undecodable' }]);
    },
  );
});
