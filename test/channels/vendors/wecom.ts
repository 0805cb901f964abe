import { createHash } from 'node:crypto';
import { encrypt, getSignature } from '@wecom/crypto';
import type { SentRequest } from '../../../lib/channels/sign.ts';
import { aPlayed, type Over } from '../played.ts';
import type { Vendor } from './vendor.ts';

export const teahouseCorp = 'wwqh00teahouse0001';
export const teahouseSuite = 'wwqh00suite0000001';

const keys = {
  wecom: { token: 'QhWecomToken01', encodingAesKey: 'wecomTeahouse0123456789abcdefghijklmnopqrst' },
  'wecom-suite': { token: 'QhSuiteToken01', encodingAesKey: 'suiteTeahouse0123456789abcdefghijklmnopqrsT' },
};

/** What WeCom and an account both know. */
export interface WecomSender {
  readonly account: string;
  /** corpid, or the suite's id. */
  readonly receiveId: string;
  readonly token: string;
  readonly encodingAesKey: string;
}

export const wecomSenders = {
  main: { account: 'main', receiveId: teahouseCorp, ...keys.wecom },
  suite: { account: 'suite', receiveId: teahouseSuite, ...keys['wecom-suite'] },
} satisfies Record<string, WecomSender>;

function sealed(message: string, sender: WecomSender, now: number, nonce: string) {
  const random = createHash('sha256').update(nonce).digest().subarray(0, 16);
  const ciphertext = encrypt(sender.encodingAesKey, message, sender.receiveId, random);
  const timestamp = String(Math.floor(now / 1000));
  return {
    ciphertext,
    query: { msg_signature: getSignature(sender.token, timestamp, nonce, ciphertext), timestamp, nonce },
  };
}

/** A callback, sealed and signed by WeCom's own package. */
export function signWecom(message: string, sender: WecomSender, now: number, nonce: string): SentRequest {
  const { ciphertext, query } = sealed(message, sender, now, nonce);
  return {
    method: 'POST',
    path: `/webhooks/wecom/${sender.account}`,
    rawQuery: new URLSearchParams(query).toString(),
    headers: { 'content-type': 'text/xml' },
    body: `<xml><ToUserName><![CDATA[${sender.receiveId}]]></ToUserName><Encrypt><![CDATA[${ciphertext}]]></Encrypt><AgentID><![CDATA[1000002]]></AgentID></xml>`,
  };
}

/** The GET with which WeCom tries an address: the echo is sealed. */
export function signWecomHandshake(
  echo: string,
  sender: WecomSender,
  now: number,
  nonce: string,
): SentRequest {
  const { ciphertext, query } = sealed(echo, sender, now, nonce);
  return {
    method: 'GET',
    path: `/webhooks/wecom/${sender.account}`,
    rawQuery: new URLSearchParams({ ...query, echostr: ciphertext }).toString(),
    headers: {},
    body: '',
  };
}

export const wecomVendor: Vendor = {
  accounts: {
    main: { corpId: teahouseCorp, secret: 'wecom' },
    suite: { corpId: teahouseCorp, suiteId: teahouseSuite, secret: 'wecom-suite' },
  },
  secrets: keys,
  sign: ({ account, message, now, nonce }) =>
    signWecom(message, account === 'suite' ? wecomSenders.suite : wecomSenders.main, now, nonce),
};

/** A brand that hears this vendor. */
export const aWecom = (over: Over = {}) => aPlayed('wecom', wecomVendor, over);
