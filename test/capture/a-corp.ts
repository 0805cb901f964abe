// A brand of WeCom that asks, the WeCom that it asks, and what WeCom pushes to it.
import { afterEach } from 'vitest';
import { teahouseCorp, wecomVendor } from '../channels/vendors/wecom.ts';
import { aWecomApi, corpSecret } from '../channels/vendors/wecom-api.ts';
import { aFetching } from './fetching.ts';

export const customer = 'wmQhTeaAAAk3v9ZpX0bVn2LrS7dYcF5g';
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

export async function aCorp(over: { secret?: object; fetch?: string[]; more?: object } = {}) {
  const api = await aWecomApi();
  closing.push(api.close);
  const held = { token: 'QhWecomToken01', encodingAesKey: 'wecomTeahouse0123456789abcdefghijklmnopqrst' };
  const it = aFetching({
    channel: 'wecom',
    vendor: wecomVendor,
    secretName: 'wecom',
    settings: { fetch: over.fetch ?? ['contacts', 'messages'], url: api.url, ...over.more },
    secret: { ...held, corpSecret, ...over.secret },
  });
  return { api, ...it };
}

let seconds = 1_760_000_000;
/** The next second of the tests' time. */
export const nextSecond = () => ++seconds;
const push = (event: string, fields: Readonly<Record<string, string>>, at = nextSecond()) =>
  `<xml><ToUserName>${teahouseCorp}</ToUserName><FromUserName>sys</FromUserName><CreateTime>${at}</CreateTime><MsgType>event</MsgType><Event>${event}</Event>${Object.entries(
    fields,
  )
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join('')}</xml>`;
export const waiting = (kf = 'wkTea', pass = 'good') =>
  push('kf_msg_or_event', { Token: pass, OpenKfId: kf });
export const contact = (change: string, at?: number) =>
  push('change_external_contact', { ChangeType: change, UserID: 'linxiao', ExternalUserID: customer }, at);
export const edited = (at?: number) => contact('edit_external_contact', at);
