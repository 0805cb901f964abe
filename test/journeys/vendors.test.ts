// Scope: the vendors' own code against a running brand, and what they sent read back as anybody would read it.
import { Analytics } from '@segment/analytics-node';
import { decrypt, encrypt, getSignature } from '@wecom/crypto';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type Run, startRun } from '../../infra/local/brand-run.ts';
import { type Visitor, visitorOf } from './visitor.ts';

let run: Run;
let visitor: Visitor;
beforeAll(async () => {
  run = await startRun({ brand: 'demo' });
  visitor = visitorOf(run);
});
afterAll(() => run?.stop());

const events = z.object({
  events: z.array(
    z.object({
      type: z.string(),
      properties: z.record(z.string(), z.json()),
      context: z.record(z.string(), z.json()),
    }),
  ),
});

test("Segment's own SDK, pointed here, tells of a visit, a sign-in and an order", async () => {
  const key = (by: 'web' | 'server') => visitor.senders[by]?.writeKey ?? '';
  const page = new Analytics({ writeKey: key('web'), host: run.url, flushAt: 20 });
  page.page({
    anonymousId: 'visit-1',
    name: 'Home',
    properties: { url: 'https://shop.example.com/?utm_source=douyin&utm_medium=feed&utm_campaign=autumn' },
  });
  page.track({
    anonymousId: 'visit-1',
    event: 'Product Added',
    properties: { product_id: 'SERUM', quantity: 1, price: 399 },
  });
  page.identify({
    anonymousId: 'visit-1',
    userId: 'M-100',
    traits: { city: '上海', email: 'lin@example.com' },
  });
  page.track({
    userId: 'M-100',
    event: 'Order Completed',
    properties: { order_id: 'FAKE', total: 1, currency: 'CNY' },
  });
  await page.closeAndFlush();
  const server = new Analytics({ writeKey: key('server'), host: run.url });
  server.track({
    userId: 'M-100',
    event: 'Order Completed',
    properties: {
      order_id: 'WEB-1',
      total: 399.9,
      currency: 'CNY',
      products: [{ product_id: 'SERUM', price: 399.9 }],
    },
  });
  await server.closeAndFlush();
  await visitor.settled();

  const profile = await visitor.profile('member_id', 'M-100');
  expect(profile.id).toBe((await visitor.profile('anonymous_id', 'visit-1')).id);
  expect(profile).toMatchObject({ stage: 'new', traits: { city: '上海' } });
  expect(Object.keys(profile.tags)).toEqual(expect.arrayContaining(['stage', 'tier', 'first_order_nurture']));
  expect(await visitor.conversions('member_id', 'M-100')).toMatchObject([
    {
      reference: 'WEB-1',
      value: { amount: 39_990, currency: 'CNY' },
      path: [{ channel: 'douyin/feed', campaign: 'autumn' }],
    },
  ]);
  const kept = await visitor.ask(
    '/quarantine',
    z.object({ items: z.array(z.object({ reason: z.string() })) }),
  );
  expect(kept.items).toMatchObject([{ reason: 'client_money' }]); // the page's own claim of an order
});

test('a till that signs with the standardwebhooks library is believed, and its customer is one with the web shop’s', async () => {
  const { account, key } = visitor.senders.pos ?? { account: '', key: '' };
  const at = new Date();
  const body = JSON.stringify({
    type: 'order.paid',
    timestamp: at.toISOString(),
    data: {
      order_id: 'POS-1',
      amount: 26_800,
      currency: 'CNY',
      member_id: 'M-100',
      phone: '13800138000',
      store_id: 'SH01',
    },
  });
  const reply = await fetch(`${run.url}/webhooks/generic/${account}`, {
    method: 'POST',
    headers: {
      'webhook-id': 'msg_till_1',
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(key).sign('msg_till_1', at, body),
    },
    body,
  });
  expect(reply.status).toBe(200);
  expect(await reply.json()).toEqual({ accepted: 1, faults: [] });
  await visitor.settled();

  const byPhone = await visitor.profile('phone', '+8613800138000');
  expect(byPhone.id).toBe((await visitor.profile('member_id', 'M-100')).id);
  expect(byPhone.tags.omnichannel?.value).toBe(true);
  expect(byPhone.rfm?.f).toBe(2);
});

test('a WeChat client tries the address, and its sealed messages become a follower’s events', async () => {
  const wechat = visitor.senders.wechat;
  if (!wechat) throw new Error('the demo brand has an official account');
  const timestamp = String(Math.floor(Date.now() / 1000));
  const path = `${run.url}/webhooks/wechat-oa/${wechat.account}`;
  const signature = getSignature(wechat.token, timestamp, 'n1', '');
  const tried = await fetch(`${path}?signature=${signature}&timestamp=${timestamp}&nonce=n1&echostr=5837123`);
  expect([tried.status, await tried.text()]).toEqual([200, '5837123']);

  const say = async (nonce: string, fields: string) => {
    const message = `<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[o-follower-1]]></FromUserName><CreateTime>${timestamp}</CreateTime>${fields}</xml>`;
    const sealed = encrypt(wechat.encodingAesKey, message, wechat.appId);
    expect(decrypt(wechat.encodingAesKey, sealed)).toMatchObject({ id: wechat.appId });
    const query = new URLSearchParams({
      timestamp,
      nonce,
      encrypt_type: 'aes',
      msg_signature: getSignature(wechat.token, timestamp, nonce, sealed),
    });
    const body = `<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[${sealed}]]></Encrypt></xml>`;
    const reply = await fetch(`${path}?${query}`, {
      method: 'POST',
      headers: { 'content-type': 'text/xml' },
      body,
    });
    expect([reply.status, await reply.text()]).toEqual([200, 'success']);
  };
  await say(
    'n2',
    '<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[subscribe]]></Event><EventKey><![CDATA[qrscene_store0021]]></EventKey>',
  );
  await say(
    'n3',
    '<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[敏感肌能用吗 <3 & 😀]]></Content><MsgId>24879104321456789</MsgId>',
  );
  await visitor.settled();

  const profile = await visitor.profile('wechat_openid', 'o-follower-1');
  expect(Object.keys(profile.tags)).toEqual(expect.arrayContaining(['new_follower', 'in_conversation']));
  const { events: journal } = await visitor.ask('/profiles/wechat_openid/o-follower-1/events', events);
  expect(journal.map(({ type }) => type).sort()).toEqual([
    'channel_followed',
    'message_received',
    'qr_code_scanned',
  ]);
  expect(journal.find(({ type }) => type === 'message_received')).toMatchObject({
    properties: { message_id: '24879104321456789', message_type: 'text' }, // what was written is not kept
    context: { verified: 'signed' },
  });
});
