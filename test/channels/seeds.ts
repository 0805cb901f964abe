// Every signed sample of events/, the handshakes beside them, and one brand that has all the accounts they are for.
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type SentRequest, sendGeneric, sendTracking, signWechatHandshake } from '../../lib/channels/sign.ts';
import { wechatSignature } from '../../lib/channels/wechat-crypto.ts';
import type { Brand } from '../../lib/platform/brand.ts';
import { secretName } from '../../lib/platform/brand-file.ts';
import { aBrand, NOW, oa, teahouse } from './captured.ts';
import { feishuSender, sealFeishu } from './vendors/feishu.ts';
import { vendors } from './vendors/index.ts';
import { metaSecret } from './vendors/meta.ts';
import type { Said, Vendor } from './vendors/vendor.ts';
import { signWecomHandshake, wecomSenders } from './vendors/wecom.ts';

const plain = { appId: 'wxqh0000plain0001', token: 'QhPlainToken01' };

/** Plain mode: the query is signed, and whatever stands in the body. */
function inPlainMode({ account, message, now, nonce }: Said): SentRequest {
  const [timestamp, word] = [String(Math.floor(now / 1000)), createHash('md5').update(nonce).digest('hex')];
  const query = { signature: wechatSignature(plain.token, timestamp, word), timestamp, nonce: word };
  return {
    method: 'POST',
    path: `/webhooks/wechat-oa/${account}`,
    rawQuery: new URLSearchParams(query).toString(),
    headers: { 'content-type': 'text/xml' },
    body: message,
  };
}

const scopes = { wechat_unionid: 'wechat_open:qinghe' };
const safe = vendors['wechat-oa'];

/** The vendors of `vendors/`, an account in plain mode, and our own ways in. */
export const senders: Readonly<Record<string, Vendor>> = {
  ...vendors,
  'wechat-oa': {
    accounts: { ...safe?.accounts, plain: { appId: plain.appId, secret: 'oa-plain', plain: true } },
    secrets: { ...safe?.secrets, 'oa-plain': { token: plain.token } },
    sign: (said) => (said.account === 'plain' ? inPlainMode(said) : signedBy('wechat-oa', said)),
  },
  generic: {
    accounts: { pos: { secret: 'pos', scopes } },
    secrets: { pos: { keys: [teahouse.whsec] } },
    sign: ({ account, message, now, nonce }) =>
      sendGeneric(account, message, teahouse.whsec, nonce.replaceAll(/[^\w-]/g, '-'), now),
  },
  segment: {
    accounts: { web: { secret: 'segment-web' }, server: { secret: 'segment-server', server: true } },
    secrets: {
      'segment-web': { writeKey: teahouse.webKey },
      'segment-server': { writeKey: teahouse.serverKey },
    },
    sign: ({ account, message, about }) =>
      sendTracking(about.call ?? 'batch', message, account === 'web' ? teahouse.webKey : teahouse.serverKey),
  },
};

function signedBy(channel: string, said: Said): SentRequest {
  const vendor = vendors[channel];
  if (!vendor) throw new Error(`nobody plays ${channel}`);
  return vendor.sign(said);
}

/** A brand with an account wherever one of the senders has one, and what Secrets Manager holds for it. */
export function brandOfAll(): { brand: Brand; secrets: Record<string, unknown> } {
  const brand = aBrand({
    channels: Object.fromEntries(
      Object.entries(senders).map(([channel, { accounts }]) => [channel, structuredClone(accounts)]),
    ),
  });
  const held = Object.values(senders).flatMap(({ secrets }) => Object.entries(secrets));
  return {
    brand,
    secrets: Object.fromEntries(held.map(([name, it]) => [secretName(brand, name), it])),
  };
}

/** Something that a vendor said, and the request in which it said so. */
export interface Seed extends Omit<Said, 'now' | 'nonce'> {
  /** `<channel>/<case>` */
  readonly name: string;
  readonly channel: string;
  readonly now: number;
  readonly request: SentRequest;
}

const pair = z.object({
  at: z.iso.datetime(),
  channel: z.string(),
  account: z.string(),
  about: z.record(z.string(), z.string()).default({}),
  message: z.string(),
  request: z.object({
    method: z.enum(['GET', 'POST']),
    path: z.string(),
    rawQuery: z.string(),
    headers: z.record(z.string(), z.string()),
    body: z.string(),
  }),
});

const root = fileURLToPath(new URL('../../events/', import.meta.url));

/** Every pair whose request is written, in the order of their names. */
export const seeds: readonly Seed[] = globSync('*/*.request.json', { cwd: root })
  .sort()
  .flatMap((file) => {
    const read = pair.safeParse(JSON.parse(readFileSync(`${root}${file}`, 'utf8')));
    if (!read.success) return [];
    const { at, ...said } = read.data;
    const call: Record<string, string> =
      said.channel === 'segment' ? { call: said.request.path.split('/').at(-1) ?? '' } : {};
    const name = file.replace('.request.json', '');
    return [{ ...said, name, about: { ...call, ...said.about }, now: Date.parse(at) }];
  });

const follow =
  '<xml><ToUserName><![CDATA[gh_qh0teahouse]]></ToUserName><FromUserName><![CDATA[oQh1plainFollower0000000001]]></FromUserName><CreateTime>1760000000</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[subscribe]]></Event></xml>';
const followed = { account: 'plain', about: {}, message: follow, now: NOW, nonce: 'follow' };

/** What no pair shows: an event in plain mode. */
export const inPlain: Seed = {
  ...followed,
  name: 'wechat-oa/plain-follow',
  channel: 'wechat-oa',
  request: inPlainMode(followed),
};

const tried = (channel: string, account: string, query: Readonly<Record<string, string>>): SentRequest => ({
  method: 'GET',
  path: `/webhooks/${channel}/${account}`,
  rawQuery: new URLSearchParams(query).toString(),
  headers: {},
  body: '',
});

function echo(channel: string, token: string): SentRequest {
  const [timestamp, nonce] = [String(Math.floor(NOW / 1000)), '1320562132'];
  const signature = wechatSignature(token, timestamp, nonce);
  return tried(channel, 'main', { signature, timestamp, nonce, echostr: '5837397576500011341' });
}

const challenge = JSON.stringify({
  challenge: 'ajls384kdjx98XX',
  token: 'vtok-0001',
  type: 'url_verification',
});

/** How vendors try an address before they send anything; those in `events/` are seeds. */
export const handshakes: readonly Seed[] = Object.entries({
  'wechat-oa': signWechatHandshake(oa, NOW, '1320562132', '5837397576500011341'),
  'wechat-miniprogram': echo('wechat-miniprogram', 'QhMiniToken01'),
  'douyin-miniapp': echo('douyin-miniapp', 'QDG6eK'),
  xiaohongshu: echo('xiaohongshu', 'xhsToken01'),
  wecom: signWecomHandshake('1616140317555161061', wecomSenders.main, NOW, 'n'),
  feishu: sealFeishu(challenge, feishuSender, 'n'),
  meta: tried('meta', 'main', {
    'hub.mode': 'subscribe',
    'hub.verify_token': metaSecret.verifyToken,
    'hub.challenge': '1158201444',
  }),
}).map(([channel, request]) => ({
  name: `${channel}/handshake`,
  channel,
  account: 'main',
  about: {},
  message: '',
  now: NOW,
  request,
}));
