// Scope: a running brand whose vendors only announce: WeCom and Doudian push over HTTP, are asked over HTTP by the
// function that the template names, and what they answer is in the profiles, once; vendors that are away are asked again.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type Run, startRun } from '../../infra/local/brand-run.ts';
import type { SentRequest } from '../../lib/channels/sign.ts';
import { brand } from '../../lib/platform/brand.ts';
import { NOW } from '../channels/captured.ts';
import { doudian } from '../channels/vendors/doudian.ts';
import { aDoudianApi, type ShopApi } from '../channels/vendors/shop-apis.ts';
import { teahouseCorp, wecomVendor } from '../channels/vendors/wecom.ts';
import { aWecomApi, corpSecret, type WecomApi } from '../channels/vendors/wecom-api.ts';

const customer = 'wmQhTeaAAAk3v9ZpX0bVn2LrS7dYcF5g';
const order = '4705288465508532862';
const { appKey = '', shopId = '' } = doudian.accounts.main ?? {};

let corp: WecomApi;
let shop: ShopApi;
let run: Run;
beforeAll(async () => {
  corp = await aWecomApi();
  shop = await aDoudianApi(String(appKey), Object(doudian.secrets.doudian).appSecret, String(shopId));
  run = await startRun({
    clockAt: NOW,
    brand: brand.parse({
      name: 'asking',
      title: { zh: '问', en: 'Asking' },
      timezone: 'Asia/Shanghai',
      locale: 'zh-CN',
      currency: 'CNY',
      channels: {
        wecom: {
          main: { corpId: teahouseCorp, fetch: ['contacts', 'messages'], url: corp.url, secret: 'wecom' },
        },
        doudian: { main: { appKey, shopId, fetch: ['orders'], url: shop.url, secret: 'doudian' } },
      },
      local: {
        secrets: {
          wecom: { ...Object(wecomVendor.secrets.wecom), corpSecret },
          doudian: doudian.secrets.doudian ?? null,
        },
      },
    }),
  });
});
afterAll(async () => {
  await run?.stop();
  await Promise.all([corp?.close(), shop?.close()]);
});

let count = 0;
async function push({ path, rawQuery, headers, body }: SentRequest): Promise<number> {
  const reply = await fetch(`${run.url}${path}${rawQuery && `?${rawQuery}`}`, {
    method: 'POST',
    headers,
    body,
  });
  return reply.status;
}
const wecomSays = (event: string, fields: string) =>
  push(
    wecomVendor.sign({
      account: 'main',
      about: {},
      now: run.clock.now(),
      nonce: `n${++count}`,
      message: `<xml><CreateTime>1760000000</CreateTime><MsgType>event</MsgType><Event>${event}</Event>${fields}</xml>`,
    }),
  );

const seen = z.object({ events: z.array(z.object({ type: z.string() })) });

async function eventsOf(kind: string, value: string): Promise<string[]> {
  await run.idle();
  const reply = await fetch(`${run.url}/profiles/${kind}/${value}/events`, {
    headers: { authorization: `Bearer ${run.keys.admin}`, 'x-reason': 'a journey asks' },
  });
  const text = await reply.text();
  if (reply.status !== 200) throw new Error(`answered ${reply.status}: ${text}`);
  return seen
    .parse(JSON.parse(text))
    .events.map(({ type }) => type)
    .sort();
}

test('messages and tags that WeCom only announced are in the profile, once', async () => {
  corp.messages.set('wkTea', [
    { msgid: 'm1', external_userid: customer, send_time: 1_760_000_000, origin: 3, msgtype: 'text' },
  ]);
  const tags = [{ tag_id: 't1', tag_name: '茶', type: 1 }];
  corp.contacts.set(customer, { follows: [{ userid: 'linxiao', tags }] });
  for (let i = 0; i < 2; i++) {
    expect(await wecomSays('kf_msg_or_event', '<Token>good</Token><OpenKfId>wkTea</OpenKfId>')).toBe(200);
    const who = `<UserID>linxiao</UserID><ExternalUserID>${customer}</ExternalUserID>`;
    expect(
      await wecomSays('change_external_contact', `<ChangeType>add_external_contact</ChangeType>${who}`),
    ).toBe(200);
    await run.idle();
  }
  expect(await eventsOf('wecom_external_userid', customer)).toEqual([
    'contact_added',
    'message_received',
    'tag_added',
  ]);
});

test('an order whose shop is away when it is announced is asked for again, and is one order with its amount', async () => {
  shop.orders.set(order, {
    order_id: order,
    shop_id: shopId,
    pay_time: 1_760_000_001,
    pay_amount: 26_800,
    doudian_open_id: 'buyer-1',
  });
  shop.fails = () => 503;
  const data = JSON.stringify({ p_id: order, shop_id: shopId, order_status: 2, pay_time: 1_760_000_001 });
  const message = JSON.stringify([{ tag: '101', msg_id: 'm1', data }]);
  const about = { account: 'main', about: {}, now: run.clock.now(), nonce: 'n', message };
  expect(await push(doudian.sign(about))).toBe(200);
  await run.clock.walkTo(run.clock.now() + 60_000);
  shop.fails = undefined;
  await run.clock.walkTo(run.clock.now() + 30 * 60_000);
  expect(await eventsOf('doudian_open_id', 'buyer-1')).toEqual(['order_paid']);
});
