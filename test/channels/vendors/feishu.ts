import { createCipheriv, createHash } from 'node:crypto';
import type { SentRequest } from '../../../lib/channels/sign.ts';
import { aPlayed, type Over } from '../played.ts';
import type { Vendor } from './vendor.ts';

export interface FeishuSender {
  readonly account: string;
  readonly encryptKey: string;
}

const secret = { encryptKey: 'feishu-encrypt-key-0001', verificationToken: 'vtok-0001' };

export const feishuSender: FeishuSender = { account: 'main', encryptKey: secret.encryptKey };

/** What Feishu sends to try an address, sealed and not signed. */
export function sealFeishu(message: string, sender: FeishuSender, nonce: string): SentRequest {
  const key = createHash('sha256').update(sender.encryptKey).digest();
  const vector = createHash('sha256').update(nonce).digest().subarray(0, 16);
  const cipher = createCipheriv('aes-256-cbc', key, vector);
  const encrypt = Buffer.concat([vector, cipher.update(message, 'utf8'), cipher.final()]).toString('base64');
  return {
    method: 'POST',
    path: `/webhooks/feishu/${sender.account}`,
    rawQuery: '',
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify({ encrypt }),
  };
}

/** A body as it stands, signed. */
export function signedFeishu(
  request: SentRequest,
  sender: FeishuSender,
  now: number,
  nonce: string,
): SentRequest {
  const timestamp = String(Math.floor(now / 1000));
  const signature = createHash('sha256')
    .update(`${timestamp}${nonce}${sender.encryptKey}${request.body}`)
    .digest('hex');
  return {
    ...request,
    headers: {
      ...request.headers,
      'x-lark-request-timestamp': timestamp,
      'x-lark-request-nonce': nonce,
      'x-lark-signature': signature,
    },
  };
}

/** An event: sealed, then signed. */
export const signFeishu = (message: string, sender: FeishuSender, now: number, nonce: string): SentRequest =>
  signedFeishu(sealFeishu(message, sender, nonce), sender, now, nonce);

export const feishuVendor: Vendor = {
  accounts: { main: { appId: 'cli_qh0001', secret: 'feishu' } },
  secrets: { feishu: secret },
  sign: ({ message, now, nonce }) => signFeishu(message, feishuSender, now, nonce),
};

/** A brand that hears this vendor. */
export const aFeishu = (over: Over = {}) => aPlayed('feishu', feishuVendor, over);
