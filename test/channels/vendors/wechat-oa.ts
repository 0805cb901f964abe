import { createHash } from 'node:crypto';
import { encrypt, getSignature } from '@wecom/crypto';
import type { SentRequest } from '../../../lib/channels/sign.ts';
import { teahouse } from '../captured.ts';
import type { Said, Vendor } from './vendor.ts';

/** An app that WeChat pushes to, as WeChat knows it. */
export interface PushedTo {
  readonly channel: string;
  readonly appId: string;
  readonly token: string;
  readonly encodingAesKey: string;
}

const receiverOf = (message: string) => {
  const to = /<ToUserName>(?:<!\[CDATA\[)?([\w-]*)|"ToUserName"\s*:\s*"([\w-]*)"/.exec(message);
  return to?.[1] ?? to?.[2] ?? '';
};

/** Safe mode, sealed and signed by WeCom's own package, in the form (XML, JSON) of the message. */
export function pushed({ account, message, now, nonce }: Said, to: PushedTo): SentRequest {
  const digest = createHash('sha256').update(nonce).digest();
  const [timestamp, word] = [String(Math.floor(now / 1000)), String(digest.readUInt32BE(16))];
  const sealed = encrypt(to.encodingAesKey, message, to.appId, digest.subarray(0, 16));
  const query = {
    signature: getSignature(to.token, timestamp, word, ''),
    timestamp,
    nonce: word,
    encrypt_type: 'aes',
    msg_signature: getSignature(to.token, timestamp, word, sealed),
  };
  const isXml = message.trimStart().startsWith('<');
  const receiver = receiverOf(message);
  return {
    method: 'POST',
    path: `/webhooks/${to.channel}/${account}`,
    rawQuery: new URLSearchParams(query).toString(),
    headers: { 'content-type': isXml ? 'text/xml' : 'application/json' },
    body: isXml
      ? `<xml><ToUserName><![CDATA[${receiver}]]></ToUserName><Encrypt><![CDATA[${sealed}]]></Encrypt></xml>`
      : JSON.stringify({ ToUserName: receiver, Encrypt: sealed }),
  };
}

/** The official account of the tea house. */
export const wechatOa: Vendor = {
  accounts: { main: { appId: teahouse.appId, unionScope: 'wechat_open:qinghe', secret: 'oa' } },
  secrets: { oa: { token: teahouse.token, encodingAesKey: teahouse.encodingAesKey } },
  sign: (said) => pushed(said, { channel: 'wechat-oa', ...teahouse }),
};
