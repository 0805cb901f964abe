import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { hasShared, NOW, sharedText, without } from './captured.ts';
import { aPlayed, type Over, reasons } from './played.ts';
import {
  expectHarmless,
  expectIds,
  expectMeant,
  expectOpened,
  expectSigned,
  httpCase,
  samplesOf,
  vectorsOf,
} from './published.ts';
import {
  DingTalkEncryptor,
  type DingtalkSender,
  dingtalkSenders,
  dingtalkVendor,
  signDingtalk,
} from './vendors/dingtalk.ts';

const { main, app } = dingtalkSenders;
const corp = main.receiveId;

const aDingtalk = (over: Over = {}) => aPlayed('dingtalk', dingtalkVendor, over);

const message = (type: string, over: Record<string, unknown> = {}) =>
  JSON.stringify({
    EventType: type,
    TimeStamp: '1760000000000',
    ChatId: 'chat0001',
    OpenConversationId: 'cid0001',
    UserId: ['u1'],
    CorpId: corp,
    ...over,
  });

const reply = z.object({
  msg_signature: z.string(),
  timeStamp: z.string(),
  nonce: z.string(),
  encrypt: z.string(),
});

/** What DingTalk's client reads in our answer; it throws where signature or receiver are not what it expects. */
function heard(body: string | undefined, sender: DingtalkSender): string {
  const { msg_signature, timeStamp, nonce, encrypt } = reply.parse(JSON.parse(body ?? ''));
  return new DingTalkEncryptor(sender.token, sender.aesKey, sender.receiveId).getDecryptMsg(
    msg_signature,
    timeStamp,
    nonce,
    encrypt,
  );
}

async function made(...texts: readonly string[]) {
  const { send, events, facts, faults } = aDingtalk();
  for (const [i, text] of texts.entries()) {
    const answer = await send(signDingtalk(text, main, NOW, `n${i}`));
    expect(answer.statusCode).toBe(200);
    expect(heard(answer.body, main)).toBe('success');
  }
  return { events: events(), facts, faults: faults() };
}

describe('a company of DingTalk', () => {
  test('who joined, was removed and left, one event each', async () => {
    const { events } = await made(
      message('chat_add_member', { UserId: ['u1', 'u2', 'u1'] }),
      message('chat_remove_member'),
      message('chat_quit', { UserId: 'u2' }),
    );
    expect(
      events.map(({ type, identifiers, properties }) => [type, identifiers[0]?.value, properties.quit_scene]),
    ).toEqual([
      ['group_joined', 'u1', undefined],
      ['group_joined', 'u2', undefined],
      ['group_left', 'u1', 'removed'],
      ['group_left', 'u2', 'left'],
    ]);
    expect(new Set(events.map(({ id }) => id)).size).toBe(4);
    expect(events[0]).toMatchObject({
      occurredAt: '2025-10-09T08:53:20.000Z',
      identifiers: [{ kind: 'dingtalk_userid', scope: corp, value: 'u1' }],
      properties: { group_id: 'chat0001', conversation_id: 'cid0001' },
      context: { verified: 'signed' },
    });
  });

  test('what happens to a group itself is told; what nobody knows is counted', async () => {
    const { events, facts } = await made(
      message('chat_update_owner'),
      message('chat_update_title'),
      message('chat_disband'),
      message('user_add_org'),
      message('chat_add_member', { CorpId: 'dingother' }),
    );
    expect(events).toEqual([]);
    expect(
      facts.map((fact) =>
        fact.what === 'notice' ? fact.properties.change : fact.what === 'ignored' && fact.name,
      ),
    ).toEqual(['owner_changed', 'name_changed', 'dismissed', 'user_add_org', 'of another corp']);
  });

  test('what is authentic and cannot be an event goes to quarantine, never to a crash', async () => {
    const { events, faults } = await made(
      'hello',
      '[1]',
      '{}',
      message('chat_add_member', { UserId: [] }),
      message('chat_add_member', { UserId: [{}, null] }),
      message('chat_add_member', { TimeStamp: 'now' }),
      message('chat_add_member', { ChatId: '', OpenConversationId: '' }),
      message('chat_add_member', { UserId: Array.from({ length: 501 }, (_, i) => `u${i}`) }),
    );
    expect(events).toEqual([]);
    expect(faults.map(({ reason }) => reason)).toEqual([
      'undecodable',
      'bad_shape',
      'bad_shape',
      'no_identifier',
      'no_identifier',
      'bad_time',
      'missing_property',
      'too_large',
    ]);
  });
});

describe('who it is from, for whom, and what it hears', () => {
  const text = message('chat_add_member');

  test('the address that DingTalk tries is answered with a sealed success, by either name of the signature', async () => {
    const { send, bodies } = aDingtalk();
    for (const name of ['signature', 'msg_signature'] as const) {
      const answer = await send(signDingtalk('{"EventType":"check_url"}', main, NOW, 'n', name));
      expect(answer.statusCode).toBe(200);
      expect(answer.headers).toMatchObject({ 'content-type': 'application/json; charset=utf-8' });
      expect(heard(answer.body, main)).toBe('success');
      expect(() => heard(answer.body, { ...main, token: 'guessed' })).toThrow();
      expect(() => heard(answer.body, { ...main, receiveId: 'dingother' })).toThrow();
    }
    expect(bodies).toEqual([]);
  });

  test('an app with a key of its own is addressed by it, and answered for it', async () => {
    const { send, events } = aDingtalk();
    const answer = await send(signDingtalk(text, app, NOW, 'n'));
    expect(heard(answer.body, app)).toBe('success');
    expect(events()[0]?.identifiers[0]?.scope).toBe(corp);
    const forCorp = { ...app, receiveId: corp };
    expect(heard((await send(signDingtalk(text, forCorp, NOW, 'n'))).body, forCorp)).toBe('success');
    const { receiveId } = app;
    expect((await send(signDingtalk(text, { ...main, receiveId }, NOW, 'n'))).statusCode).toBe(401);
  });

  test('one letter of body, token, key, time or receiver, and it is refused', async () => {
    const { send, facts, events } = aDingtalk();
    const good = signDingtalk(text, main, NOW, 'n');
    await send({ ...good, body: good.body.replace(/"encrypt":"./, '"encrypt":"!') });
    await send(signDingtalk(text, { ...main, token: 'QhDingToken0x' }, NOW, 'n'));
    await send(signDingtalk(text, { ...main, aesKey: main.aesKey.replace('d', 'e') }, NOW, 'n'));
    await send({ ...good, rawQuery: good.rawQuery.replace('=1760000002000', '=1760000002001') });
    await send(signDingtalk(text, main, NOW - 301_000, 'n'));
    await send(signDingtalk(text, main, Math.floor(NOW / 1000), 'n')); // seconds are no time of DingTalk
    await send(signDingtalk(text, { ...main, receiveId: 'dingother' }, NOW, 'n'));
    await send({ ...good, body: '{"encrypt":""}' });
    await send({ ...good, body: '{}' });
    await send({ ...good, body: '[]' });
    await send({ ...good, body: 'encrypt' });
    expect(reasons(facts)).toEqual([
      'bad_signature',
      'bad_signature',
      'bad_ciphertext',
      'bad_signature',
      'timestamp_out_of_window',
      'timestamp_out_of_window',
      'receive_id_mismatch',
      'bad_signature',
      'bad_signature',
      'bad_body',
      'bad_body',
    ]);
    expect(events()).toEqual([]);
    expect((await send(good)).statusCode).toBe(200);
  });

  test('while token and key are rotated, each message is answered in what it was sealed with', async () => {
    const fresh = { token: 'fresh', aesKey: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg' };
    const { token, aesKey } = main;
    const { send } = aDingtalk({ secrets: { dingtalk: { ...fresh, previous: { token, aesKey } } } });
    for (const sender of [main, { ...main, ...fresh }])
      expect(heard((await send(signDingtalk(text, sender, NOW, 'n'))).body, sender)).toBe('success');
    const over = aDingtalk({ secrets: { dingtalk: fresh } });
    expect((await over.send(signDingtalk(text, main, NOW, 'n'))).statusCode).toBe(401);
  });

  test('a retry is sealed anew and has the same id, and so has a replay', async () => {
    const { send, events, world } = aDingtalk();
    const first = signDingtalk(text, main, NOW, 'n1');
    await send(first);
    await send(first);
    world.now += 5000;
    await send(signDingtalk(text, main, NOW + 5000, 'n2'));
    expect(events()).toHaveLength(3);
    expect(new Set(events().map(({ id }) => id)).size).toBe(1);
  });

  test('the answers to two messages share no random byte', async () => {
    const { send } = aDingtalk();
    const sealed = async (nonce: string, said: string) =>
      reply.parse(JSON.parse((await send(signDingtalk(said, main, NOW, nonce))).body ?? ''));
    const [a, b] = [await sealed('a', text), await sealed('b', message('chat_quit'))];
    expect(a.nonce).not.toBe(b.nonce);
    expect(a.encrypt).not.toBe(b.encrypt);
  });
});

describe.skipIf(!hasShared)(`published vectors of DingTalk${without}`, () => {
  test.each(vectorsOf('dingtalk', 'wx_sha1'))(
    '$id: the signature holds, and not for another nonce',
    expectSigned,
  );

  test.each(vectorsOf('dingtalk', 'wx_decrypt'))(
    '$id: opens with its key, and not with another',
    expectOpened,
  );

  test.each(vectorsOf('dingtalk', 'http_case'))('$id: is taken and answered as published', async (it) => {
    const { now, config, sent } = httpCase(
      it,
      '/webhooks/dingtalk/main',
      z.object({ token: z.string(), encoding_aes_key: z.string(), receive_id: z.string() }),
    );
    const holding = (token: string, receiveId = config.receive_id, later = 0) =>
      aDingtalk({
        now: now + later,
        accounts: { main: { corpId: receiveId, secret: 'vector' } },
        secrets: { vector: { token, aesKey: config.encoding_aes_key } },
      });
    const answer = await holding(config.token).send(sent);
    expect(answer.statusCode).toBe(200);
    const hope = z
      .object({ json_has: z.array(z.string()), decrypts_to: z.string() })
      .parse(it.expected.reply);
    expect(Object.keys(JSON.parse(answer.body ?? '')).sort()).toEqual(hope.json_has.sort());
    const sender = {
      account: 'main',
      token: config.token,
      aesKey: config.encoding_aes_key,
      receiveId: config.receive_id,
    };
    expect(heard(answer.body, sender)).toBe(hope.decrypts_to);
    for (const wrong of [
      holding(`${config.token}x`),
      holding(config.token, 'dingother'),
      holding(config.token, config.receive_id, 301_000),
    ])
      expect((await wrong.send(sent)).statusCode).toBe(401);
  });
});

describe.skipIf(!hasShared)(`published samples of DingTalk${without}`, () => {
  const heardOnce = async (file: string) => {
    const captured = aDingtalk();
    const answer = await captured.send(signDingtalk(sharedText(`samples/${file}`), main, NOW, 'n'));
    expect(heard(answer.body, main)).toBe('success');
    return captured;
  };

  test.each(samplesOf('dingtalk'))('$file means $canonical', async (it) => {
    const captured = await heardOnce(it.file);
    expectMeant(it, captured);
    expectIds(it, captured, { channel: 'dingtalk', account: 'main' });
  });

  test.each(['deep_json.json', 'proto.json'])('%s inside a seal does no harm', async (file) => {
    expectHarmless(await heardOnce(`hostile/${file}`));
  });
});
