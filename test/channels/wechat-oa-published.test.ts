import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { signWechat } from '../../lib/channels/sign.ts';
import { HOUR } from '../../lib/platform/clock.ts';
import { aBrand, aCapture, hasShared, NOW, oa, sharedText, teahouse, without } from './captured.ts';
import {
  expectAnswered,
  expectIds,
  expectMeant,
  expectOpened,
  expectSealed,
  expectSigned,
  httpCase,
  numbered,
  samplesOf,
  vectorsOf,
} from './published.ts';

const source = { channel: 'wechat-oa', account: 'main' };

describe.skipIf(!hasShared)(`published vectors of WeChat${without}`, () => {
  test.each(vectorsOf('wechat-oa', 'wx_sha1'))(
    '$id: the signature holds, and not for another nonce',
    expectSigned,
  );

  test.each(vectorsOf('wechat-oa', 'wx_decrypt'))(
    '$id: opens with its key, and not with another',
    expectOpened,
  );

  test.each(vectorsOf('wechat-oa', 'wx_encrypt'))('$id: is sealed to the same bytes', expectSealed);

  test.each(vectorsOf('wechat-oa', 'http_case'))('$id: is taken or refused as published', async (it) => {
    const config = z.object({
      token: z.string(),
      mode: z.string(),
      seen_nonces: z.array(z.string()).optional(),
    });
    const published = httpCase(it, '/webhooks/wechat-oa/main', config);
    const { now } = published;
    const { mode, seen_nonces } = published.config;
    const sent = { ...published.sent, path: `/webhooks/wechat-oa/${mode === 'plain' ? 'plain' : 'main'}` };
    const captured = aCapture({ now });
    if (seen_nonces) await captured.send(sent);
    const before = captured.events().length;
    expectAnswered(it, await captured.send(sent), captured);
    if (!it.expected.accept) expect(captured.events()).toHaveLength(before);
    // The negative of each: one letter of the token is enough.
    const wrong = aCapture({
      now,
      secrets: { 'siyu/qinghe/oa': { token: 'QhTeaToken02', encodingAesKey: teahouse.encodingAesKey } },
    });
    expect((await wrong.send(sent)).statusCode).toBe(401);
  });
});

describe.skipIf(!hasShared)(`published samples of an official account${without}`, () => {
  test.each(samplesOf('wechat-oa'))('$file means $canonical', async (it) => {
    const later = NOW + 3 * HOUR; // one sample is two hours younger than the others
    const captured = aCapture({ now: later });
    const reply = await captured.send(signWechat(sharedText(`samples/${it.file}`), oa, later, it.file));
    expect(reply.body).toBe('success');
    expectMeant(it, captured, { people: 'among others' });
    expectIds(it, captured, source, numbered(it));
  });

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
