import { decrypt, getSignature } from '@wecom/crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { hasShared, NOW, sharedText, without } from './captured.ts';
import {
  expectAnswered,
  expectIds,
  expectMeant,
  expectOpened,
  expectSealed,
  expectSigned,
  httpCase,
  samplesOf,
  texts,
  vectorsOf,
} from './published.ts';
import { aWecom, signWecom, wecomSenders } from './vendors/wecom.ts';

const { main, suite } = wecomSenders;

describe.skipIf(!hasShared)(`published vectors of WeCom${without}`, () => {
  test.each(vectorsOf('wecom', 'wx_sha1'))('$id: the signature holds, and not for another nonce', (it) => {
    expectSigned(it);
    const { token = '', timestamp = '', nonce = '', encrypt = '' } = texts.parse(it.inputs);
    expect(getSignature(token, timestamp, nonce, encrypt)).toBe(it.expected.signature);
  });

  test.each(vectorsOf('wecom', 'wx_decrypt'))('$id: opens with its key, and not with another', (it) => {
    expectOpened(it);
    const { encoding_aes_key = '', encrypt = '' } = texts.parse(it.inputs);
    expect(decrypt(encoding_aes_key, encrypt).random.toString()).toBe(it.expected.random);
  });

  test.each(vectorsOf('wecom', 'wx_encrypt'))('$id: is sealed to the same bytes', expectSealed);

  test.each(vectorsOf('wecom', 'http_case'))('$id: is taken or refused as published', async (it) => {
    const { now, config, sent } = httpCase(
      it,
      '/webhooks/wecom/main',
      z.object({ token: z.string(), encoding_aes_key: z.string(), receive_id: z.string() }),
    );
    const account = (token: string, later = 0) =>
      aWecom({
        now: now + later,
        accounts: { main: { corpId: config.receive_id, secret: 'vector' } },
        secrets: { vector: { token, encodingAesKey: config.encoding_aes_key } },
      });
    const captured = account(config.token);
    const reply = await captured.send(sent);
    expectAnswered(it, reply, captured, it.expected.reason === 'doctype_forbidden' ? 400 : 401);
    expect(captured.events().map(({ type }) => type)).toEqual(it.expected.accept ? ['contact_added'] : []);
    for (const wrong of [account('QDG6eL'), account(config.token, 600_000)])
      expect((await wrong.send(sent)).statusCode).toBeGreaterThanOrEqual(400);
  });
});

describe.skipIf(!hasShared)(`published samples of WeCom${without}`, () => {
  test.each(samplesOf('wecom'))('$file means $canonical', async (it) => {
    const captured = aWecom({ now: NOW + 60_000 });
    const message = sharedText(`samples/${it.file}`);
    const sender = message.includes('<SuiteId>') ? suite : main;
    const reply = await captured.send(signWecom(message, sender, NOW + 60_000, 'n'));
    expect(reply.body).toBe(sender === suite ? 'success' : '');
    expectMeant(it, captured);
    // Of a group's members each has an event, told apart by the version of the list and by the member.
    const version = /<CurMemVer><!\[CDATA\[(\w+)/.exec(message)?.[1];
    const more = version ? [version, it.identities[0]!.value] : [];
    const source = { channel: 'wecom', account: sender.account };
    expectIds(it, captured, source, () => [...it.dedupe_parts, ...more]);
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
