import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { NOW } from './captured.ts';
import { reasons } from './played.ts';
import {
  aWecom,
  signWecom,
  signWecomHandshake,
  teahouseCorp,
  teahouseSuite,
  wecomSenders,
} from './vendors/wecom.ts';

const { main, suite } = wecomSenders;
const customer = 'wmQhTeaAAAk3v9ZpX0bVn2LrS7dYcF5g';
const another = 'wmQhTeaAAAp7Lq3YwR8sZb1NcM5tXe2h';
const group = 'wrQhTeaBBBk3v9ZpX0bVn2LrS7dYcF5h';

const fieldsOf = (fields: Record<string, string | readonly string[]>) =>
  Object.entries(fields)
    .map(([name, value]) =>
      typeof value === 'string'
        ? `<${name}><![CDATA[${value}]]></${name}>`
        : `<${name}>${value.map((item) => `<Item><![CDATA[${item}]]></Item>`).join('')}</${name}>`,
    )
    .join('');

const xml = (event: string, change: string, fields: Record<string, string | readonly string[]> = {}) =>
  `<xml>${fieldsOf({
    ToUserName: teahouseCorp,
    FromUserName: 'sys',
    CreateTime: '1760000000',
    MsgType: 'event',
    Event: event,
    ChangeType: change,
    ...fields,
  })}</xml>`;

const contact = (change: string, fields: Record<string, string> = {}) =>
  xml('change_external_contact', change, { UserID: 'linxiao', ExternalUserID: customer, ...fields });

const members = (change: string, items: readonly string[], fields: Record<string, string> = {}) =>
  xml('change_external_chat', 'update', {
    ChatId: group,
    UpdateDetail: change,
    MemChangeList: items,
    CurMemVer: 'v2',
    ...fields,
  });

/** What became of messages sent one after the other. */
async function made(...messages: readonly string[]) {
  const { send, events, facts, faults } = aWecom();
  for (const [i, message] of messages.entries()) {
    const { statusCode } = await send(signWecom(message, main, NOW, `n${i}`));
    expect(statusCode).toBe(200);
  }
  return { events: events(), facts, faults: faults() };
}

describe('a self-built app of WeCom', () => {
  test('an added customer is known by staff and state; the reply is empty', async () => {
    const { send, events } = aWecom();
    const sent = contact('add_external_contact', { State: 'ch_store0021', WelcomeCode: 'once' });
    expect(await send(signWecom(sent, main, NOW, 'n'))).toMatchObject({ statusCode: 200, body: '' });
    expect(events()).toMatchObject([
      {
        type: 'contact_added',
        identifiers: [{ kind: 'wecom_external_userid', scope: teahouseCorp, value: customer }],
        properties: { staff_id: 'linxiao', mutual: true, state: 'ch_store0021' },
        context: { verified: 'signed', timeSource: 'sender' },
      },
    ]);
    expect(JSON.stringify(events())).not.toContain('once');
  });

  test('who went, and who sent them away', async () => {
    const { events } = await made(
      contact('del_follow_user'),
      contact('del_external_contact'),
      contact('del_external_contact', { Source: 'DELETE_BY_TRANSFER', UserID: 'wang' }),
      contact('transfer_fail', { FailReason: 'customer_limit_exceed' }),
    );
    expect(events.map(({ type, properties }) => [type, properties.removed_by ?? properties.reason])).toEqual([
      ['contact_removed', 'customer'],
      ['contact_removed', 'staff'],
      ['contact_removed', 'transfer'],
      ['contact_updated', 'customer_limit_exceed'],
    ]);
  });

  test('each customer in a list of members joined; staff did not, and whoever may be staff is counted', async () => {
    const { events, facts } = await made(
      members('add_member', [customer, 'linxiao', another, 'woQhSomebody', customer], { JoinScene: '3' }),
    );
    expect(
      events.map(({ identifiers, properties }) => [identifiers[0]?.value, properties.join_scene]),
    ).toEqual([
      [customer, '3'],
      [another, '3'],
    ]);
    expect(new Set(events.map(({ id }) => id)).size).toBe(2);
    expect(facts).toMatchObject([{ what: 'ignored', name: 'add_member: customer or staff (wo)' }]);
  });

  test('two changes of one group in one second differ in the version of its members', async () => {
    const { events } = await made(
      members('del_member', [customer], { QuitScene: '0' }),
      members('del_member', [customer], { QuitScene: '0', CurMemVer: 'v3' }),
      members('del_member', [customer], { QuitScene: '0' }),
    );
    const [first, second, retry] = events.map(({ id }) => id);
    expect(first).not.toBe(second);
    expect(retry).toBe(first);
  });

  test('a change of members without their list is told, as all that is known', async () => {
    const { events, facts } = await made(
      xml('change_external_chat', 'update', {
        ChatId: group,
        UpdateDetail: 'del_member',
        MemChangeCnt: '2',
      }),
    );
    expect(events).toEqual([]);
    expect(facts).toMatchObject([
      { type: 'group_updated', properties: { group_id: group, change: 'members_removed', count: '2' } },
    ]);
  });

  test('what happens to the brand’s own things is told and stands in nobody’s profile', async () => {
    const { events, facts, faults } = await made(
      xml('change_external_chat', 'create', { ChatId: group }),
      xml('change_external_chat', 'update', { ChatId: group, UpdateDetail: 'change_owner' }),
      xml('change_external_tag', 'delete', { Id: 'et1', TagType: 'tag_group' }),
      xml('change_external_tag', 'shuffle'),
      xml('customer_acquisition', 'balance_exhausted'),
      xml('customer_acquisition', 'delete_link', { LinkId: 'cawc1' }),
    );
    expect([events, faults]).toEqual([[], []]);
    expect(facts.map((fact) => fact.what === 'notice' && [fact.type, fact.properties.change])).toEqual([
      ['group_updated', 'created'],
      ['group_updated', 'owner_changed'],
      ['tag_definition_changed', 'deleted'],
      ['tag_definition_changed', 'shuffled'],
      ['acquisition_updated', 'balance_exhausted'],
      ['acquisition_updated', 'link_deleted'],
    ]);
  });

  test('of a customer service message its account is known; the token that opens it is told to nobody', async () => {
    const { events, facts } = await made(
      xml('kf_msg_or_event', '', { Token: 'ENCsecret', OpenKfId: 'wk1' }),
      xml('customer_acquisition', 'message_from_customer', { LinkId: 'l', ChatKey: 'ENCsecret' }),
    );
    expect(events).toEqual([]);
    expect(facts[0]).toMatchObject({ type: 'messages_announced', properties: { open_kfid: 'wk1' } });
    expect(JSON.stringify(facts)).not.toContain('ENCsecret');
  });

  test('an acquisition link brings leads and conversations, or a notice where nobody is named', async () => {
    const who = { UserID: 'linxiao', ExternalUserID: customer, LinkId: 'l1' };
    const { events, facts } = await made(
      xml('customer_acquisition', 'friend_request', { ...who, State: 'ad' }),
      xml('customer_acquisition', 'customer_start_chat', who),
      xml('customer_acquisition', 'friend_request', { LinkId: 'l1', State: 'ad' }),
    );
    expect(events.map(({ type, properties }) => [type, properties.link_id])).toEqual([
      ['lead_submitted', 'l1'],
      ['conversation_started', 'l1'],
    ]);
    expect(facts).toMatchObject([{ properties: { change: 'friend_requested', link_id: 'l1', state: 'ad' } }]);
  });

  test('what nobody knows, and what the staff write, is acknowledged and counted', async () => {
    const { events, facts } = await made(
      xml('change_external_contact', 'brand_new'),
      xml('msgaudit_notify', ''),
      `<xml>${fieldsOf({ FromUserName: 'linxiao', CreateTime: '1760000000', MsgType: 'text', Content: 'hi' })}</xml>`,
      '<xml><a></a></xml>',
    );
    expect(events).toEqual([]);
    expect(facts.map((fact) => fact.what === 'ignored' && fact.name)).toEqual([
      'change_external_contact/brand_new',
      'msgaudit_notify',
      'text',
      'a message without a name',
    ]);
  });

  test('what is authentic and cannot be an event goes to quarantine, never to a crash', async () => {
    const { events, faults } = await made(
      'hello',
      '[1]',
      '<xml><Event>x',
      contact('add_external_contact', { CreateTime: '' }),
      contact('add_external_contact', { UserID: '' }),
      contact('add_external_contact', { ExternalUserID: '' }),
      members(
        'add_member',
        Array.from({ length: 501 }, (_, i) => `wm${i}`),
      ),
      '{"MsgType":"event","Event":{"a":1},"ChangeType":[],"CreateTime":null}',
    );
    expect(events).toEqual([]);
    expect(faults.map(({ reason }) => reason)).toEqual([
      'undecodable',
      'undecodable',
      'undecodable',
      'bad_time',
      'missing_property',
      'no_identifier',
      'too_large',
    ]);
  });
});

describe('who it is from, and for whom', () => {
  const message = contact('add_external_contact');

  test('the address that WeCom tries is answered with what its echo holds', async () => {
    const { send, bodies } = aWecom();
    const reply = await send(signWecomHandshake('1616140317555161061', main, NOW, 'n'));
    expect(reply).toMatchObject({ statusCode: 200, body: '1616140317555161061' });
    expect(reply.headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8' });
    expect(bodies).toEqual([]);
  });

  test('a "+" of the echo that became a blank is one again', async () => {
    const nonces = Array.from({ length: 64 }, (_, i) => `n${i}`);
    const tries = nonces.map((nonce) => signWecomHandshake('16161403', main, NOW, nonce));
    const raw = tries.find(({ rawQuery }) => rawQuery.includes('%2B'));
    const { send } = aWecom();
    const reply = await send({ ...raw!, rawQuery: raw!.rawQuery.replaceAll('%2B', '+') });
    expect(reply).toMatchObject({ statusCode: 200, body: '16161403' });
  });

  test('an echo that is markup, stale, forged or for another corp is refused', async () => {
    const { send } = aWecom();
    const tries = [
      signWecomHandshake('<script>', main, NOW, 'n'),
      signWecomHandshake('1', main, NOW - 301_000, 'n'),
      signWecomHandshake('1', { ...main, token: 'guessed' }, NOW, 'n'),
      signWecomHandshake('1', { ...main, receiveId: 'wwother' }, NOW, 'n'),
    ];
    const replies = await Promise.all(tries.map((it) => send(it)));
    expect(replies.map(({ statusCode }) => statusCode)).toEqual([401, 401, 401, 401]);
    expect(new Set(replies.map(({ body }) => body)).size).toBe(1);
  });

  test('one letter of body, token, key, time or receiver, and it is refused', async () => {
    const { send, facts, events } = aWecom();
    const good = signWecom(message, main, NOW, 'n');
    await send({ ...good, body: good.body.replace(/(<Encrypt><!\[CDATA\[.{20})./, '$1_') });
    await send(signWecom(message, { ...main, token: 'QhWecomToken02' }, NOW, 'n'));
    await send(
      signWecom(message, { ...main, encodingAesKey: main.encodingAesKey.replace('w', 'x') }, NOW, 'n'),
    );
    await send({ ...good, rawQuery: good.rawQuery.replace('timestamp=1760000002', 'timestamp=1760000003') });
    await send(signWecom(message, main, NOW + 301_000, 'n'));
    await send(signWecom(message, { ...main, receiveId: `${teahouseCorp}x` }, NOW, 'n'));
    await send(signWecom(message, { ...main, receiveId: '' }, NOW, 'n'));
    await send({ ...good, body: '<xml><Encrypt></Encrypt></xml>' });
    expect(reasons(facts)).toEqual([
      'bad_signature',
      'bad_signature',
      'bad_ciphertext',
      'bad_signature',
      'timestamp_out_of_window',
      'receive_id_mismatch',
      'receive_id_mismatch',
      'bad_signature',
    ]);
    expect(events()).toEqual([]);
    expect((await send(good)).statusCode).toBe(200);
  });

  test('an app of a personal subject has messages for nobody, where the account says so', async () => {
    const accounts = { main: { corpId: teahouseCorp, personal: true, secret: 'wecom' } };
    const { send, events } = aWecom({ accounts });
    expect((await send(signWecom(message, { ...main, receiveId: '' }, NOW, 'n'))).statusCode).toBe(200);
    expect(events()).toHaveLength(1);
  });

  test('token and key may be rotated, each for itself: both are live while both are held', async () => {
    const fresh = { token: 'fresh', encodingAesKey: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg' };
    const { token, encodingAesKey } = main;
    const rotated = aWecom({ secrets: { wecom: { ...fresh, previous: { token, encodingAesKey } } } });
    const senders = [main, { ...main, ...fresh }, { ...main, token: fresh.token }];
    for (const sender of senders)
      expect((await rotated.send(signWecom(message, sender, NOW, 'n'))).statusCode).toBe(200);
    const over = aWecom({ secrets: { wecom: fresh } });
    expect((await over.send(signWecom(message, main, NOW, 'n'))).statusCode).toBe(401);
  });

  test('a retry is sealed anew and has the same id, and so has a replay', async () => {
    const { send, events, world } = aWecom();
    const first = signWecom(message, main, NOW, 'n1');
    await send(first);
    await send(first);
    world.now += 5000;
    await send(signWecom(message, main, NOW + 5000, 'n2'));
    expect(new Set(events().map(({ id }) => id)).size).toBe(1);
    expect(events()).toHaveLength(3);
  });
});

describe('a provider’s suite', () => {
  const info = (fields: Record<string, string>) =>
    `<xml>${fieldsOf({ SuiteId: teahouseSuite, TimeStamp: '1760000000', ...fields })}</xml>`;

  test('its events are for the suite, its ids are its own, and it wants to hear success', async () => {
    const { send, events } = aWecom();
    const message = info({
      AuthCorpId: teahouseCorp,
      InfoType: 'change_external_contact',
      ChangeType: 'add_external_contact',
      UserID: 'woStaff',
      ExternalUserID: 'wmCipher',
    });
    expect(await send(signWecom(message, suite, NOW, 'n'))).toMatchObject({
      statusCode: 200,
      body: 'success',
    });
    expect(events()[0]?.identifiers).toEqual([
      { kind: 'wecom_external_userid', scope: `${teahouseCorp}@${teahouseSuite}`, value: 'wmCipher' },
    ]);
  });

  test('what the app itself hears is for the corp, in the suite’s ids, and answered with nothing', async () => {
    const { send, events } = aWecom();
    const forCorp = { ...suite, receiveId: teahouseCorp };
    const reply = await send(signWecom(contact('del_follow_user'), forCorp, NOW, 'n'));
    expect(reply).toMatchObject({ statusCode: 200, body: '' });
    expect(events()[0]?.identifiers[0]?.scope).toBe(`${teahouseCorp}@${teahouseSuite}`);
  });

  test('another corp’s customers, and tickets, are counted and nothing of them is kept', async () => {
    const { send, bodies, facts } = aWecom();
    const other = { AuthCorpId: 'wwother', InfoType: 'change_external_contact', ExternalUserID: 'wmTheirs' };
    await send(signWecom(info({ ...other, ChangeType: 'add_external_contact' }), suite, NOW, 'n1'));
    await send(signWecom(info({ InfoType: 'suite_ticket', SuiteTicket: 'ticket' }), suite, NOW, 'n2'));
    expect(bodies).toEqual([]);
    expect(facts.map((fact) => 'name' in fact && fact.name)).toEqual(['of another corp', 'suite_ticket']);
    expect(JSON.stringify(facts)).not.toMatch(/wmTheirs|"ticket"/);
  });
});

interface WechatCrypto {
  encrypt(text: string): string;
  decrypt(text: string): { message: string; id: string };
  getSignature(timestamp: string, nonce: string, encrypt: string): string;
}
/** A second client; the package has no types. */
const Client: new (token: string, key: string, id: string) => WechatCrypto = createRequire(import.meta.url)(
  'wechat-crypto',
);

test('what the older client of WeCom seals and signs is captured', async () => {
  const { send, events } = aWecom();
  const client = new Client(main.token, main.encodingAesKey, teahouseCorp);
  const sealed = client.encrypt(contact('add_half_external_contact'));
  const timestamp = String(NOW / 1000);
  const query = { msg_signature: client.getSignature(timestamp, 'x', sealed), timestamp, nonce: 'x' };
  const reply = await send({
    method: 'POST',
    path: '/webhooks/wecom/main',
    rawQuery: new URLSearchParams(query).toString(),
    headers: {},
    body: Buffer.from(`<xml><Encrypt><![CDATA[${sealed}]]></Encrypt></xml>`),
  });
  expect(reply.statusCode).toBe(200);
  expect(events().map(({ type, properties }) => [type, properties.mutual])).toEqual([
    ['contact_added', false],
  ]);
});
