import { decrypt, encrypt, getSignature } from '@wecom/crypto';
import { describe, expect, test } from 'vitest';
import { signWechat, signWechatHandshake } from '../../lib/channels/sign.ts';
import { wechatDecrypt, wechatEncrypt, wechatSignature } from '../../lib/channels/wechat-crypto.ts';
import { eventId } from '../../lib/events/id.ts';
import { aCapture, NOW, oa, teahouse } from './captured.ts';

const xml = (fields: string, event = 'subscribe') =>
  `<xml><ToUserName><![CDATA[gh_tea]]></ToUserName><FromUserName><![CDATA[oFollower]]></FromUserName><CreateTime>1760000000</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[${event}]]></Event>${fields}</xml>`;

const source = { channel: 'wechat-oa', account: 'main' };

describe('an official account in safe mode', () => {
  test('a follower by QR code is a follow and a scan, answered success', async () => {
    const { send, events } = aCapture();
    const reply = await send(signWechat(xml('<EventKey>qrscene_store0021</EventKey>'), oa, NOW, 'n1'));
    expect(reply).toMatchObject({ statusCode: 200, body: 'success' });
    expect(events().map(({ type, properties }) => ({ type, ...properties }))).toEqual([
      { type: 'channel_followed', channel_account_id: teahouse.appId, scene: 'store0021' },
      { type: 'qr_code_scanned', scene: 'store0021', is_follow: true },
    ]);
    expect(events()[0]?.context).toEqual({ timeSource: 'sender', verified: 'signed' });
  });

  test('the address that WeChat tries is answered with its echo, as text', async () => {
    const { send, bodies } = aCapture();
    const reply = await send(signWechatHandshake(oa, NOW, 'n', '5837397576500011341'));
    expect(reply).toMatchObject({ statusCode: 200, body: '5837397576500011341' });
    expect(reply.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
    expect(bodies).toEqual([]);
  });

  test('an echo that could be markup is not reflected', async () => {
    const { send } = aCapture();
    const reply = await send(signWechatHandshake(oa, NOW, 'n', '<script>'));
    expect(reply.statusCode).toBe(401);
    expect(reply.body).not.toContain('script');
  });

  test('a retry, encrypted anew with another time and nonce, gives the same ids', async () => {
    const { send, events, world } = aCapture();
    await send(signWechat(xml(''), oa, NOW, 'n1'));
    world.now += 5000;
    await send(signWechat(xml(''), oa, NOW + 5000, 'n2'));
    const [first, again] = events();
    expect(again?.id).toBe(first?.id);
    expect(again?.occurredAt).toBe(first?.occurredAt);
  });

  test('a message for another app is refused with the words of every other refusal', async () => {
    const { send, facts } = aCapture();
    const forged = await send(signWechat(xml(''), { ...oa, token: 'guessed' }, NOW, 'n'));
    const foreign = await send(signWechat(xml(''), { ...oa, appId: 'wxother' }, NOW, 'n'));
    const garbled = await send(
      signWechat(xml(''), { ...oa, encodingAesKey: teahouse.encodingAesKey.replace('abc', 'zzz') }, NOW, 'n'),
    );
    expect([foreign.statusCode, garbled.statusCode, forged.statusCode]).toEqual([401, 401, 401]);
    expect(new Set([foreign.body, garbled.body, forged.body]).size).toBe(1);
    expect(facts.map((fact) => 'reason' in fact && fact.reason)).toEqual([
      'bad_signature',
      'receive_id_mismatch',
      'bad_ciphertext',
    ]);
  });

  test('a message signed six minutes ago is stale', async () => {
    const { send, bodies } = aCapture();
    expect((await send(signWechat(xml(''), oa, NOW - 360_000, 'n'))).statusCode).toBe(401);
    expect(bodies).toEqual([]);
  });

  test('token and key may be rotated: both are live while both are held', async () => {
    const fresh = { token: 'fresh', encodingAesKey: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg' };
    const previous = { token: teahouse.token, encodingAesKey: teahouse.encodingAesKey };
    const rotated = aCapture({ secrets: { 'siyu/qinghe/oa': { ...fresh, previous } } });
    expect((await rotated.send(signWechat(xml(''), oa, NOW, 'n'))).statusCode).toBe(200);
    expect((await rotated.send(signWechat(xml(''), { ...oa, ...fresh }, NOW, 'n'))).statusCode).toBe(200);
    const over = aCapture({ secrets: { 'siyu/qinghe/oa': fresh } });
    expect((await over.send(signWechat(xml(''), oa, NOW, 'n'))).statusCode).toBe(401);
  });

  test('what is authentic and broken goes to quarantine and is answered success', async () => {
    const { send, events, faults } = aCapture();
    const reply = await send(signWechat('<xml><Event>subscribe', oa, NOW, 'n'));
    expect(reply.body).toBe('success');
    expect(events()).toEqual([]);
    expect(faults()).toMatchObject([{ reason: 'undecodable', body: { text: '<xml><Event>subscribe' } }]);
  });

  test('ids beyond 2^53 keep each digit, in XML and in JSON', async () => {
    const { send, events } = aCapture();
    await send(
      signWechat(
        '{"ToUserName":"gh","FromUserName":"o1","CreateTime":1760000000,"MsgType":"text","Content":"x","MsgId":9007199254740995123}',
        oa,
        NOW,
        'n',
      ),
    );
    expect(events()).toMatchObject([
      { type: 'message_received', properties: { message_id: '9007199254740995123', message_type: 'text' } },
    ]);
    expect(events()[0]?.properties).not.toHaveProperty('content');
  });

  test('a template that was accepted and one that was refused are two events, list or single object', async () => {
    const { send, events } = aCapture();
    const list = [
      { TemplateId: 'a', SubscribeStatusString: 'accept', PopupScene: '0' },
      { TemplateId: 'b', SubscribeStatusString: 'reject', PopupScene: '0' },
    ];
    const popup = (List: unknown, CreateTime: number) =>
      JSON.stringify({
        FromUserName: 'o1',
        CreateTime,
        MsgType: 'event',
        Event: 'subscribe_msg_popup_event',
        List,
      });
    await send(signWechat(popup(list, 1760000000), oa, NOW, 'n1'));
    await send(signWechat(popup(list[0], 1760000001), oa, NOW, 'n2'));
    expect(events().map(({ type, properties }) => [type, properties.template_id])).toEqual([
      ['subscription_granted', 'a'],
      ['subscription_revoked', 'b'],
      ['subscription_granted', 'a'],
    ]);
  });

  test('points and balance of a card that both changed are two events, of one message', async () => {
    const { send, events } = aCapture();
    await send(
      signWechat(
        xml(
          '<CardId>c</CardId><UserCardCode>7</UserCardCode><ModifyBonus>-20</ModifyBonus><ModifyBalance>500</ModifyBalance>',
          'update_member_card',
        ),
        oa,
        NOW,
        'n',
      ),
    );
    expect(events().map(({ properties }) => [properties.account, properties.delta])).toEqual([
      ['points', -20],
      ['balance', 500],
    ]);
  });

  test('a finished broadcast is told to operators and stands in nobody’s profile', async () => {
    const { send, bodies, facts } = aCapture();
    await send(
      signWechat(
        xml(
          '<MsgID>1000001625</MsgID><SentCount>1176</SentCount><ErrorCount>4</ErrorCount>',
          'MASSSENDJOBFINISH',
        ),
        oa,
        NOW,
        'n',
      ),
    );
    expect(bodies).toEqual([]);
    expect(facts).toMatchObject([
      {
        what: 'notice',
        type: 'broadcast_completed',
        properties: { job_id: '1000001625', sent: 1176, failed: 4 },
      },
    ]);
  });

  test('an event that nobody knows is acknowledged and counted, a place is not even counted', async () => {
    const { send, bodies, facts } = aCapture();
    await send(signWechat(xml('', 'brand_new_event'), oa, NOW, 'n'));
    await send(signWechat(xml('<Latitude>1</Latitude>', 'LOCATION'), oa, NOW, 'n2'));
    expect(bodies).toEqual([]);
    expect(facts).toEqual([
      { what: 'ignored', channel: 'wechat-oa', account: 'main', name: 'brand_new_event' },
    ]);
  });
});

describe('what an official account is told', () => {
  test('each menu is a click; what was scanned, photographed or chosen is not looked at', async () => {
    const { send, events, faults } = aCapture();
    const two =
      '<PicList><item><PicMd5Sum>a</PicMd5Sum></item><item><PicMd5Sum>b</PicMd5Sum></item></PicList>';
    const seen = {
      CLICK: '',
      view_miniprogram: '',
      scancode_push: '<ScanCodeInfo><ScanResult>secret</ScanResult></ScanCodeInfo>',
      scancode_waitmsg: '',
      pic_sysphoto: `<SendPicsInfo><Count>2</Count>${two}</SendPicsInfo>`,
      pic_photo_or_album: '',
      pic_weixin: '',
      location_select: '<SendLocationInfo><Label>secret</Label></SendLocationInfo>',
    };
    for (const [name, rest] of Object.entries(seen))
      await send(signWechat(xml(`<EventKey>m1</EventKey>${rest}`, name), oa, NOW, name));
    expect(faults()).toEqual([]);
    expect(events().map(({ type, properties }) => [type, properties])).toEqual(
      Object.keys(seen).map((name) => ['menu_clicked', { menu_key: 'm1', menu_type: name.toLowerCase() }]),
    );
  });

  test('a link longer than a key is kept whole beside it', async () => {
    const { send, events } = aCapture();
    const url = `https://m.qinghe.example.com/?${'x'.repeat(300)}`;
    await send(signWechat(xml(`<EventKey>${url}</EventKey>`, 'VIEW'), oa, NOW, 'n'));
    expect(events()).toMatchObject([{ properties: { menu_key: url.slice(0, 256), url } }]);
  });

  test('a consent is that of whom it is about, not of WeChat that pushes it', async () => {
    const { send, events } = aCapture();
    const scopes = {
      user_info_modified: 'profile',
      user_authorization_revoke: 'personal_data',
      user_authorization_cancellation: 'account',
    };
    for (const name of Object.keys(scopes))
      for (const customer of ['oFirst', 'oSecond'])
        await send(signWechat(xml(`<OpenID>${customer}</OpenID>`, name), oa, NOW, `${name}${customer}`));
    expect(events().map(({ type }) => type)).toEqual(Array(6).fill('consent_revoked'));
    expect(events().map(({ properties }) => properties.scope)).toEqual(
      Object.values(scopes).flatMap((scope) => [scope, scope]),
    );
    expect(new Set(events().map(({ identifiers }) => identifiers[0]?.value))).toEqual(
      new Set(['oFirst', 'oSecond']),
    );
    expect(new Set(events().map(({ id }) => id)).size).toBe(6);
  });

  test('two reports of one second are two, and the same report again is one', async () => {
    const { send, events } = aCapture();
    const report = (id: string) =>
      xml(`<MsgID>${id}</MsgID><Status>success</Status>`, 'TEMPLATESENDJOBFINISH');
    for (const id of ['3214567890123456790', '3214567890123456791', '3214567890123456791'])
      await send(signWechat(report(id), oa, NOW, `n${events().length}`));
    expect(new Set(events().map(({ id }) => id)).size).toBe(2);
    expect(events().map(({ type }) => type)).toEqual(Array(3).fill('message_delivered'));
  });

  test.each(['', '[]', 'null', '7', '{}', '{"MsgType":{}}', '{"MsgType":"event"}', '{"MsgType":"text"}'])(
    '%s in a seal becomes no event and no crash',
    async (message) => {
      const { send, events, faults, facts } = aCapture();
      expect(await send(signWechat(message, oa, NOW, 'n'))).toMatchObject({
        statusCode: 200,
        body: 'success',
      });
      expect(events()).toEqual([]);
      expect(faults().length + facts.length).toBe(1);
    },
  );
});

describe('plain mode', () => {
  const plain = (body: string, account: string, nonce = 'n') => ({
    method: 'POST' as const,
    path: `/webhooks/wechat-oa/${account}`,
    rawQuery: `signature=${wechatSignature(teahouse.token, '1760000000', nonce)}&timestamp=1760000000&nonce=${nonce}`,
    headers: { 'content-type': 'text/xml' },
    body,
  });

  test('is refused where it was not asked for', async () => {
    const { send, facts } = aCapture();
    expect((await send(plain(xml(''), 'main'))).statusCode).toBe(401);
    expect(facts).toMatchObject([{ reason: 'plain_not_allowed' }]);
  });

  test('is taken where the account says so, and says that only the sender is known', async () => {
    const { send, events } = aCapture();
    await send(plain(xml(''), 'plain'));
    expect(events()[0]?.context.verified).toBe('sender_only');
  });

  test('one captured query signs one body and no other', async () => {
    const { send, events, facts } = aCapture();
    await send(plain(xml(''), 'plain'));
    const replayed = await send(plain(xml('<EventKey>qrscene_attacker</EventKey>'), 'plain'));
    expect(replayed.statusCode).toBe(401);
    expect(facts).toMatchObject([{ reason: 'nonce_replayed' }]);
    expect(events()).toHaveLength(1);
  });
});

describe('WeChat’s own words', () => {
  test('our seal opens with the SDK of WeCom, and the SDK’s with ours', () => {
    const message = '我是中文abcd123';
    const ours = wechatEncrypt(teahouse.encodingAesKey, message, 'wx1', Buffer.alloc(16, 7));
    expect(decrypt(teahouse.encodingAesKey, ours)).toMatchObject({ message, id: 'wx1' });
    const theirs = encrypt(teahouse.encodingAesKey, message, 'wx1');
    expect(wechatDecrypt(teahouse.encodingAesKey, theirs)).toEqual({ message, receiveId: 'wx1' });
    expect(wechatSignature('t', '1', '2', theirs)).toBe(getSignature('t', '1', '2', theirs));
  });

  test('a message sealed by the SDK is captured', async () => {
    const { send, events } = aCapture();
    const sealed = encrypt(teahouse.encodingAesKey, xml('<EventKey></EventKey>'), teahouse.appId);
    const timestamp = String(NOW / 1000);
    await send({
      method: 'POST',
      path: '/webhooks/wechat-oa/main',
      rawQuery: `msg_signature=${getSignature(teahouse.token, timestamp, 'x', sealed)}&timestamp=${timestamp}&nonce=x&encrypt_type=aes`,
      headers: {},
      body: Buffer.from(`<xml><Encrypt><![CDATA[${sealed}]]></Encrypt></xml>`),
    });
    expect(events().map((event) => event.id)).toEqual([
      eventId(source, ['oFollower', '1760000000', 'subscribe', '']),
    ]);
  });
});
