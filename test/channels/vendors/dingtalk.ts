import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type { SentRequest } from '../../../lib/channels/sign.ts';
import { wechatEncrypt } from '../../../lib/channels/wechat-crypto.ts';
import type { Vendor } from './vendor.ts';

/** What the package `dingtalk-encrypt` offers; it has no types. */
interface Encryptor {
  getSignature(token: string, timestamp: string, nonce: string, encrypt: string): string;
  /** Opens what is signed for the receiver, or throws. */
  getDecryptMsg(signature: string, timestamp: string, nonce: string, encrypt: string): string;
}

export const DingTalkEncryptor: new (token: string, encodingAesKey: string, receiveId: string) => Encryptor =
  createRequire(import.meta.url)('dingtalk-encrypt');

export interface DingtalkSender {
  readonly account: string;
  readonly receiveId: string;
  readonly token: string;
  readonly aesKey: string;
}

const keys = {
  dingtalk: { token: 'QhDingToken01', aesKey: 'dingtalkTea0123456789abcdefghijklmnopqrstuv' },
  'dingtalk-app': { token: 'QhDingToken02', aesKey: 'dingtalkApp0123456789abcdefghijklmnopqrstuV' },
};

export const dingtalkSenders = {
  main: { account: 'main', receiveId: 'ding6ccabc44d2c8d38b', ...keys.dingtalk },
  app: { account: 'app', receiveId: 'dingqh0appkey0001', ...keys['dingtalk-app'] },
} satisfies Record<string, DingtalkSender>;

/**
 * A callback, signed by the package. The package escapes each quote of what it seals as `%22`, which DingTalk does not:
 * the seal is ours, and the package opens it.
 *
 * @param name of the signature in the query: DingTalk writes either
 */
export function signDingtalk(
  message: string,
  sender: DingtalkSender,
  now: number,
  nonce: string,
  name: 'signature' | 'msg_signature' = 'signature',
): SentRequest {
  const { token, aesKey, receiveId } = sender;
  const random = createHash('sha256').update(nonce).digest().subarray(0, 16);
  const encrypt = wechatEncrypt(aesKey, message, receiveId, random);
  const timestamp = String(now);
  const client = new DingTalkEncryptor(token, aesKey, receiveId);
  const query = { [name]: client.getSignature(token, timestamp, nonce, encrypt), timestamp, nonce };
  return {
    method: 'POST',
    path: `/webhooks/dingtalk/${sender.account}`,
    rawQuery: new URLSearchParams(query).toString(),
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ encrypt }),
  };
}

export const dingtalkVendor: Vendor = {
  accounts: {
    main: { corpId: 'ding6ccabc44d2c8d38b', secret: 'dingtalk' },
    app: { corpId: 'ding6ccabc44d2c8d38b', appKey: 'dingqh0appkey0001', secret: 'dingtalk-app' },
  },
  secrets: keys,
  sign: ({ account, message, now, nonce }) =>
    signDingtalk(message, account === 'app' ? dingtalkSenders.app : dingtalkSenders.main, now, nonce),
};
