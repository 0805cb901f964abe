import { createHash } from 'node:crypto';
import { wechatEncrypt, wechatSignature } from '../../../lib/channels/wechat-crypto.ts';
import type { Vendor } from './vendor.ts';

const appId = 'tt5823bf96d3bd56c7';
const token = 'QDG6eK';
const encodingAesKey = 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C';

export const douyinMiniapp: Vendor = {
  accounts: { main: { appId, secret: 'miniapp' } },
  secrets: { miniapp: { token, encodingAesKey } },
  sign({ account, message, now, nonce }) {
    const random = createHash('sha256').update(nonce).digest(); // 32 bytes, where WeChat has 16
    const sealed = wechatEncrypt(encodingAesKey, message, appId, random);
    const timestamp = String(Math.floor(now / 1000));
    const signature = wechatSignature(token, timestamp, nonce, sealed);
    const isXml = message.startsWith('<');
    return {
      method: 'POST',
      path: `/webhooks/douyin-miniapp/${account}`,
      rawQuery: '',
      headers: { 'content-type': isXml ? 'text/xml' : 'application/json' },
      body: isXml
        ? `<xml><Nonce>${nonce}</Nonce><TimeStamp>${timestamp}</TimeStamp><Encrypt><![CDATA[${sealed}]]></Encrypt><MsgSignature><![CDATA[${signature}]]></MsgSignature></xml>`
        : JSON.stringify({ Nonce: nonce, TimeStamp: timestamp, Encrypt: sealed, MsgSignature: signature }),
    };
  },
};
