import { AESCipher, EventDispatcher, generateChallenge } from '@larksuiteoapi/node-sdk';
import { describe, expect, test } from 'vitest';
import type { SentRequest } from '../../lib/channels/sign.ts';
import { eventId } from '../../lib/events/id.ts';
import { NOW } from './captured.ts';
import {
  aFeishu,
  feishuSender,
  feishuVendor,
  sealFeishu,
  signedFeishu,
  signFeishu,
} from './vendors/feishu.ts';

const who = { open_id: 'ou_84aa', union_id: 'on_8ed6', user_id: 'e33g' };
const staff = { open_id: 'ou_staff', union_id: 'on_1', user_id: 'a1' };

const message = (type: string, event: unknown, header: Record<string, unknown> = {}) =>
  JSON.stringify({
    schema: '2.0',
    header: {
      event_id: 'e1',
      event_type: type,
      create_time: '1760000000000',
      token: 'vtok-0001',
      app_id: 'cli_qh0001',
      tenant_key: 'own',
      ...header,
    },
    event,
  });

const words = (over: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
  message(
    'im.message.receive_v1',
    {
      sender: { sender_id: who, sender_type: 'user', tenant_key: 'theirs' },
      message: { message_id: 'om_1', chat_id: 'oc_1', message_type: 'text', content: '{"text":"你好"}' },
      ...over,
    },
    header,
  );

const sign = (text: string, now = NOW, nonce = 'n') => signFeishu(text, feishuSender, now, nonce);

async function made(...texts: readonly string[]) {
  const { send, events, facts, faults } = aFeishu();
  for (const text of texts) expect((await send(sign(text))).statusCode).toBe(200);
  return { events: events(), facts, faults: faults() };
}

describe('an app of Feishu', () => {
  test('a message is known by its sender, and what it says is not kept', async () => {
    const { events } = await made(words());
    expect(events).toMatchObject([
      {
        id: eventId({ channel: 'feishu', account: 'main' }, ['e1']),
        type: 'message_received',
        occurredAt: '2025-10-09T08:53:20.000Z',
        identifiers: [{ kind: 'feishu_open_id', scope: 'cli_qh0001', value: 'ou_84aa' }],
        properties: { message_id: 'om_1', message_type: 'text', is_external: true },
      },
    ]);
    expect(JSON.stringify(events)).not.toContain('你好');
  });

  test('what it says is kept where the account says so', async () => {
    const accounts = { main: { appId: 'cli_qh0001', secret: 'feishu', keepContent: true } };
    const { send, events } = aFeishu({ accounts });
    await send(sign(words()));
    const broken = { message_id: 'om_2', message_type: 'text', content: 'no JSON' };
    await send(sign(words({ message: broken }, { event_id: 'e2' })));
    expect(events().map(({ properties }) => properties.content)).toEqual(['你好', undefined]);
  });

  test('another bot’s messages are no customer’s', async () => {
    const { events, facts } = await made(words({ sender: { sender_id: who, sender_type: 'app' } }));
    expect(events).toEqual([]);
    expect(facts).toMatchObject([{ what: 'ignored', name: 'im.message.receive_v1' }]);
  });

  test('each person in a list joined; the app’s own company is told from others', async () => {
    const users = [
      { user_id: who, tenant_key: 'theirs' },
      { user_id: staff, tenant_key: 'own' },
    ];
    const { events } = await made(
      message('im.chat.member.user.added_v1', { chat_id: 'oc_1', operator_id: staff, users }),
    );
    expect(events.map(({ type, properties }) => [type, properties])).toEqual([
      ['group_joined', { group_id: 'oc_1', is_external: true }],
      ['group_joined', { group_id: 'oc_1', is_external: false }],
    ]);
    expect(new Set(events.map(({ id }) => id)).size).toBe(2);
  });

  test('who left, who was removed, and whose invitation was taken back', async () => {
    const out = (operator: unknown, id: string, type = 'im.chat.member.user.deleted_v1') =>
      message(type, { chat_id: 'oc_1', operator_id: operator, users: [{ user_id: who }] }, { event_id: id });
    const { events } = await made(
      out(who, '1'),
      out(staff, '2'),
      out(undefined, '3'),
      out(staff, '4', 'im.chat.member.user.withdrawn_v1'),
    );
    expect(events.map(({ properties }) => properties.quit_scene)).toEqual([
      'left',
      'removed',
      'unknown',
      'invitation_withdrawn',
    ]);
  });

  test('an event that nobody knows, and one of version 1, is acknowledged and counted', async () => {
    const old = { uuid: 'u', token: 'vtok-0001', type: 'event_callback', event: { type: 'message' } };
    const { events, facts } = await made(message('contact.user.created_v3', {}), JSON.stringify(old));
    expect(events).toEqual([]);
    expect(facts.map((fact) => 'name' in fact && fact.name)).toEqual([
      'contact.user.created_v3',
      'version 1: message',
    ]);
  });

  test('another company’s events are counted, where the account says whose it wants', async () => {
    const accounts = { main: { appId: 'cli_qh0001', tenantKey: 'own', secret: 'feishu' } };
    const { send, events, facts } = aFeishu({ accounts });
    await send(sign(words()));
    await send(sign(words({}, { event_id: 'e2', tenant_key: 'theirs' })));
    expect(events()).toHaveLength(1);
    expect(facts).toMatchObject([{ what: 'ignored', name: 'of another tenant' }]);
  });

  test('what is authentic and cannot be an event goes to quarantine, never to a crash', async () => {
    const { events, faults } = await made(
      'hello',
      '[1]',
      'null',
      '{}',
      words({ sender: null }),
      words({ message: [] }),
      words({}, { create_time: 'yesterday' }),
      words({}, { event_id: undefined }),
      message('im.chat.member.user.added_v1', { users: Array.from({ length: 501 }, () => ({})) }),
      `${'['.repeat(40)}${']'.repeat(40)}`,
    );
    expect(events).toEqual([]);
    expect(faults.map(({ reason }) => reason)).toEqual([
      'undecodable',
      'bad_shape',
      'bad_shape',
      'bad_shape',
      'no_identifier',
      'missing_property',
      'bad_time',
      'bad_shape',
      'too_large',
      'undecodable',
    ]);
  });
});

describe('who it is from, and for whom', () => {
  const challenge = (over: Record<string, unknown> = {}) =>
    JSON.stringify({ challenge: 'ajls384kdjx98XX', token: 'vtok-0001', type: 'url_verification', ...over });
  const tried = (text: string) => sealFeishu(text, feishuSender, 'n');

  test.each([
    ['sealed', tried(challenge())],
    ['in clear', { ...tried(''), body: challenge() }],
    ['sealed and signed', sign(challenge())],
  ])('the address that Feishu tries is answered with its challenge, %s', async (_, request) => {
    const { send, bodies } = aFeishu();
    const reply = await send(request);
    expect(reply.statusCode).toBe(200);
    expect(JSON.parse(reply.body ?? '')).toEqual({ challenge: 'ajls384kdjx98XX' });
    expect(bodies).toEqual([]);
  });

  test.each([
    ['bad_verification_token', tried(challenge({ token: 'guessed' }))],
    ['bad_verification_token', tried(challenge({ token: undefined }))],
    ['bad_verification_token', sign(challenge({ token: 'guessed' }))],
    ['bad_challenge', tried(challenge({ challenge: '<script>' }))],
    ['bad_challenge', sign(challenge({ challenge: { a: 1 } }))],
    ['bad_signature', tried(words())],
    ['bad_signature', { ...tried(''), body: words() }],
    ['bad_signature', sealFeishu(challenge(), { ...feishuSender, encryptKey: 'another' }, 'n')],
    ['bad_json', { ...tried(''), body: 'challenge' }],
    ['bad_json', { ...tried(''), body: '[]' }],
  ])('%s: what is not signed is not taken', async (reason, request) => {
    const { send, bodies, facts } = aFeishu();
    const reply = await send(request);
    expect(reply.statusCode).toBe(401);
    expect(reply.body).not.toContain('script');
    expect(facts).toMatchObject([{ what: 'refused', reason }]);
    expect(bodies).toEqual([]);
  });

  test('one bit of body, key, nonce, time, app or token, and it is refused', async () => {
    const { send, events, facts } = aFeishu();
    const good = sign(words());
    const head = (name: string, value: string): SentRequest => ({
      ...good,
      headers: { ...good.headers, [name]: value },
    });
    await send({ ...good, body: good.body.replace(/"encrypt":"./, '"encrypt":"!') });
    await send({ ...good, body: `${good.body} ` });
    await send(signFeishu(words(), { ...feishuSender, encryptKey: 'feishu-encrypt-key-0002' }, NOW, 'n'));
    await send(head('x-lark-request-nonce', 'm'));
    await send(head('x-lark-request-timestamp', '1760000003'));
    await send(head('x-lark-signature', ''));
    await send(sign(words(), NOW - 301_000));
    await send(sign(words({}, { app_id: 'cli_other' })));
    await send(sign(words({}, { token: 'guessed' })));
    await send(signedFeishu({ ...good, body: words() }, feishuSender, NOW, 'n'));
    await send(signedFeishu({ ...good, body: '{"encrypt":"AAAA"}' }, feishuSender, NOW, 'n'));
    await send(signedFeishu({ ...good, body: 'no JSON' }, feishuSender, NOW, 'n'));
    expect(facts.map((fact) => 'reason' in fact && fact.reason)).toEqual([
      'bad_signature',
      'bad_signature',
      'bad_signature',
      'bad_signature',
      'bad_signature',
      'bad_signature',
      'timestamp_out_of_window',
      'unknown_app',
      'bad_verification_token',
      'plain_not_allowed',
      'bad_ciphertext',
      'bad_json',
    ]);
    expect(events()).toEqual([]);
    expect((await send(good)).statusCode).toBe(200);
  });

  test('key and token may be rotated: both are live while both are held', async () => {
    const fresh = { encryptKey: 'fresh-key', verificationToken: 'fresh-token' };
    const rotated = aFeishu({ secrets: { feishu: { ...fresh, previous: feishuVendor.secrets.feishu } } });
    const renewed = { ...feishuSender, encryptKey: fresh.encryptKey };
    for (const request of [
      sign(words()),
      signFeishu(words({}, { token: 'fresh-token' }), renewed, NOW, 'n'),
      tried(challenge()),
      sealFeishu(challenge({ token: 'fresh-token' }), renewed, 'n'),
    ])
      expect((await rotated.send(request)).statusCode).toBe(200);
    const over = aFeishu({ secrets: { feishu: fresh } });
    expect((await over.send(sign(words()))).statusCode).toBe(401);
    expect((await over.send(tried(challenge()))).statusCode).toBe(401);
  });

  test('a retry is signed anew and has the same id, and so has a replay', async () => {
    const { send, events, world } = aFeishu();
    await send(sign(words()));
    await send(sign(words()));
    world.now += 15_000;
    await send(sign(words(), NOW + 15_000, 'm'));
    expect(events()).toHaveLength(3);
    expect(new Set(events().map(({ id }) => id)).size).toBe(1);
  });
});

describe('Feishu’s own SDK', () => {
  test('opens what our signer seals, takes its signature, and refuses one bit less', async () => {
    const sent = sign(words());
    expect(new AESCipher(feishuSender.encryptKey).decrypt(JSON.parse(sent.body).encrypt)).toBe(words());
    const seen: unknown[] = [];
    const quiet = () => {};
    const dispatcher = new EventDispatcher({
      encryptKey: feishuSender.encryptKey,
      logger: { error: quiet, warn: quiet, info: quiet, debug: quiet, trace: quiet },
    }).register({ 'im.message.receive_v1': (data) => void seen.push(data.message.message_id) });
    const invoke = (headers: Readonly<Record<string, string>>) =>
      dispatcher.invoke(Object.assign(Object.create({ headers }), JSON.parse(sent.body)));
    await invoke({ ...sent.headers, 'x-lark-request-nonce': 'other' });
    expect(seen).toEqual([]);
    await invoke(sent.headers);
    expect(seen).toEqual(['om_1']);
  });

  test('answers a challenge as we do', async () => {
    const text = JSON.stringify({ challenge: 'c-1', token: 'vtok-0001', type: 'url_verification' });
    const sealed = sealFeishu(text, feishuSender, 'n');
    const theirs = generateChallenge(JSON.parse(sealed.body), feishuSender);
    const { send } = aFeishu();
    expect(JSON.parse((await send(sealed)).body ?? '')).toEqual(theirs.challenge);
  });
});
