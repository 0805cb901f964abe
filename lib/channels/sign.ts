import { createHash } from 'node:crypto';
import { hmacSha256 } from './verify.ts';
import { wechatEncrypt, wechatSignature } from './wechat-crypto.ts';

/** A request as a vendor would send it: for samples, the demo, and tests of the whole way. */
export interface SentRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly rawQuery: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What an official account and its sender both know. */
export interface WechatSender {
  /** The account's id in the brand. */
  readonly account: string;
  readonly appId: string;
  readonly token: string;
  readonly encodingAesKey: string;
}

const seconds = (now: number) => String(Math.floor(now / 1000));

/**
 * A message of an official account in safe mode.
 *
 * @param message the XML or JSON inside
 * @param nonce new for each request; the random bytes of the ciphertext are made from it too
 */
export function signWechat(message: string, sender: WechatSender, now: number, nonce: string): SentRequest {
  const { account, appId, token, encodingAesKey } = sender;
  const timestamp = seconds(now);
  const random = createHash('sha256').update(nonce).digest().subarray(0, 16);
  const encrypted = wechatEncrypt(encodingAesKey, message, appId, random);
  const query = {
    signature: wechatSignature(token, timestamp, nonce),
    timestamp,
    nonce,
    encrypt_type: 'aes',
    msg_signature: wechatSignature(token, timestamp, nonce, encrypted),
  };
  const isXml = message.trimStart().startsWith('<');
  const to = /<ToUserName>(?:<!\[CDATA\[)?([\w-]*)|"ToUserName"\s*:\s*"([\w-]*)"/.exec(message);
  const receiver = to?.[1] ?? to?.[2] ?? '';
  return {
    method: 'POST',
    path: `/webhooks/wechat-oa/${account}`,
    rawQuery: new URLSearchParams(query).toString(),
    headers: { 'content-type': isXml ? 'text/xml' : 'application/json' },
    body: isXml
      ? `<xml><ToUserName><![CDATA[${receiver}]]></ToUserName><Encrypt><![CDATA[${encrypted}]]></Encrypt></xml>`
      : JSON.stringify({ ToUserName: receiver, Encrypt: encrypted }),
  };
}

/** The GET with which WeChat tries an address that was entered in its console. */
export function signWechatHandshake(
  sender: WechatSender,
  now: number,
  nonce: string,
  echostr: string,
): SentRequest {
  const timestamp = seconds(now);
  const query = { signature: wechatSignature(sender.token, timestamp, nonce), timestamp, nonce, echostr };
  return {
    method: 'GET',
    path: `/webhooks/wechat-oa/${sender.account}`,
    rawQuery: new URLSearchParams(query).toString(),
    headers: {},
    body: '',
  };
}

/**
 * The headers of a body by Standard Webhooks 1.0.
 *
 * @param key `whsec_` and the base64 of the secret
 * @param id the message's id, the same in each retry
 */
export function signStandardWebhook(
  body: string,
  key: string,
  id: string,
  now: number,
): Record<string, string> {
  const timestamp = seconds(now);
  const secret = Buffer.from(key.replace(/^whsec_/, ''), 'base64');
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${hmacSha256(secret, `${id}.${timestamp}.${body}`, 'base64')}`,
  };
}

/** A body for an account of the generic channel, signed. */
export const sendGeneric = (
  account: string,
  body: string,
  key: string,
  id: string,
  now: number,
): SentRequest => ({
  method: 'POST',
  path: `/webhooks/generic/${account}`,
  rawQuery: '',
  headers: signStandardWebhook(body, key, id, now),
  body,
});

/** A call of the tracking protocol, with its write key. @param call `track`, `batch`, … */
export const sendTracking = (call: string, body: string, writeKey: string): SentRequest => ({
  method: 'POST',
  path: `/v1/${call}`,
  rawQuery: '',
  headers: {
    'content-type': 'application/json',
    authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`,
  },
  body,
});
