import { createHash } from 'node:crypto';
import { Aes, Formatter, Hash, Rsa, Transformer } from 'wechatpay-axios-plugin';
import type { SentRequest } from '../../../lib/channels/sign.ts';
import type { Json } from '../../../lib/events/event.ts';
import { aPlayed } from '../played.ts';
import type { Vendor } from './vendor.ts';

/** A throw-away key pair: WeChat Pay's side of the tests, and of nothing else. */
const PRIVATE =
  'MIIEvwIBADANBgkqhkiG9w0BAQEFAASCBKkwggSlAgEAAoIBAQCX+awek0zuVQ8aKIkhgg9hcKCMGfeK+yoaTPP06NCctjntyAb+' +
  'hlDFjKcf1BTj3N29d3dtHw8au76HHy+sHKTJwfHecI1k+Lm7T74cdx2xmFcffRqbufwhjy3p7EWJTZ+iN56QBXVkjp90ZOG7ecMf' +
  'tvLgw5SZBG76+ZLLEnrzjHRGXM+JkoMlTFO59wu/bfod+3y5p2ztjhfv2yxANdPQyenNbVpKJa0uHi52DsWfzzRuBKvrqYFxb+P0' +
  '8CHYLkVqxzoKeT4Hl5OqvRURwKMfL8tdopFxq17P8zMtI+rlp0VL4rZODFZ6KrbUxISDlu1kurZW5vBbcrgQVOfyOJB/AgMBAAEC' +
  'ggEAA1IynN/FhHHPE4MY7WayX66T5kE3rnhVpQnTIkzSKOfh39yJVpeTJ/YDvZzSBgwQu8VivTuQBhqzNlsL8ibAF86esqiNVncJ' +
  'rAUOl6r8tvb9dGk0oybkfSFBX3AehuUaMh56tGqsyZFE/R3/7Cu5hAsTR1kkJAHmS6LCPqDSl1mM8BEvHcJnlEyFqDmb/C9OBgYS' +
  't6aVFrkpADjLN4gNlVKe+9zLjwO7fqu2YRfEu8MPhkXj1FiL071i6fKcrZ8+rTJvZ4iVNIg9aQ2FT86lO1V/LYz5F4pNtuK4pBu6' +
  '4IYE/3sZ2z6jiLfu3mg3LTPAxIXhNdi/pfzeofSsxzYm/QKBgQDRYKcI48Ymkt8diHBruEw0GX6UTP3r4lOzZhf3dAQVZE5Pdz8a' +
  '24Vx/thJ2uOWyPxTPa5DRNSMrUIKbZl7U4bF1UdX5ROP/dTu1B/lBLGF5INy67XQpahpUnjrxb453+wizNZ0oExtQ5aVk2eVdUWb' +
  'UM+waBa7xiIEFM+8bTF3owKBgQC50N0oWD8thjlDSZRpMDjxqcjkqRXuzShE5AIqwl/XQy9Ppt3DxWMJkarv/deWt6OMjPIFs3xa' +
  'wHJfeNNGwXFuwxc1AJtSYNnr5haVUF26PC55NRfOcGu4eQU4/EJzVotnlUjaJn8I0WHTcC40mr0NgfE1Ozx/w9i9fMp7tZnBdQKB' +
  'gQC8DwP4iB1CKEkeTZ4sIqzPXtbCfSTU6cQkLl74c8v3KtDrrz+O7/08FppOO7yPgpagbZZH9VqzwCrBEw/4JV2384jQ+YBIpMTM' +
  'ftrm6QBKMqWeYvg7H4/Uia7ylfn2IZoG59T3i8MZoMtwLaWsKFkM19izqcpBfgSvhcHQjIMR4QKBgQCOL8IbzjNB/bSxxYsYVrss' +
  'SVSdjLloy3pmBOeXmrdF/HYmiDSoStG3D81y6ZZgEVPICE5miGq+8wZSAh4BxaKsNAL9HuK7zbrT5XQge6fNC6IwQ61c3e+/8HNL' +
  'oNSkd3QjJjviGpUYxUgLSItC26mQvX860YJA7jdbADPdKCBoxQKBgQC/xMMnHEfYdlkJSVf01Ziu0m+1fUs/3yIP5Me4G6tcyR8O' +
  'iuuXMC47GfMCpw42zxcFaJRxsrktxvbtHfzISZZ/SR+WFPB14HZi04+ITIBDheLdjageLpmSKCvlkM2Ei1K3JqKjVLXY3D7X2pPr' +
  'HJjy40hYhlDfxHzJLzUcKHXPVQ==';
const PUBLIC =
  'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAl/msHpNM7lUPGiiJIYIPYXCgjBn3ivsqGkzz9OjQnLY57cgG/oZQxYyn' +
  'H9QU49zdvXd3bR8PGru+hx8vrBykycHx3nCNZPi5u0++HHcdsZhXH30am7n8IY8t6exFiU2fojeekAV1ZI6fdGThu3nDH7by4MOU' +
  'mQRu+vmSyxJ684x0RlzPiZKDJUxTufcLv236Hft8uads7Y4X79ssQDXT0MnpzW1aSiWtLh4udg7Fn880bgSr66mBcW/j9PAh2C5F' +
  'asc6Cnk+B5eTqr0VEcCjHy/LXaKRcatez/MzLSPq5adFS+K2TgxWeiq21MSEg5btZLq2VubwW3K4EFTn8jiQfwIDAQAB';

const pem = (base64: string) =>
  `-----BEGIN PUBLIC KEY-----\n${base64.replace(/.{64}/g, '$&\n')}\n-----END PUBLIC KEY-----\n`;

export const payKeys = {
  serial: 'PUB_KEY_ID_0119000092312025100900000001',
  publicKey: pem(PUBLIC),
  apiV3Key: 'QhTeaHouseVendorApiV3Key01234567',
  apiKey: 'QhTeaHouseVendorV2ApiKey01234567',
};

export interface PaySender {
  readonly account: string;
  readonly serial: string;
  readonly apiV3Key: string;
  readonly apiKey: string;
}

export const paySender: PaySender = { account: 'main', ...payKeys };

const short = (nonce: string, length: number) =>
  createHash('sha256').update(nonce).digest('hex').slice(0, length);

/** A body of v3, signed by the package as WeChat Pay signs it. */
export function signPay(body: string, sender: PaySender, now: number, nonce: string): SentRequest {
  const timestamp = String(Math.floor(now / 1000));
  const word = short(nonce, 32);
  return {
    method: 'POST',
    path: `/webhooks/wechat-pay/${sender.account}`,
    rawQuery: '',
    headers: {
      'content-type': 'application/json',
      'wechatpay-timestamp': timestamp,
      'wechatpay-nonce': word,
      'wechatpay-serial': sender.serial,
      'wechatpay-signature': Rsa.sign(Formatter.response(timestamp, word, body), Rsa.fromPkcs8(PRIVATE)),
      'wechatpay-signature-type': 'WECHATPAY2-SHA256-RSA2048',
    },
    body,
  };
}

/** What stands around a sealed resource. */
export interface Notice {
  readonly event_type: string;
  readonly id?: string;
  readonly create_time?: string;
  readonly original_type?: string;
}

/** The body of v3: the resource sealed by the package. */
export function sealPay(resource: string, notice: Notice, apiV3Key: string, nonce: string): string {
  const { event_type, id = `EV-${short(nonce, 20)}`, create_time = '2025-10-09T16:53:21+08:00' } = notice;
  const kind = notice.original_type ?? (event_type.startsWith('REFUND') ? 'refund' : 'transaction');
  const word = short(nonce, 12);
  return JSON.stringify({
    id,
    create_time,
    resource_type: 'encrypt-resource',
    event_type,
    summary: '通知',
    resource: {
      original_type: kind,
      algorithm: 'AEAD_AES_256_GCM',
      ciphertext: Aes.AesGcm.encrypt(resource, apiV3Key, word, kind),
      associated_data: kind,
      nonce: word,
    },
  });
}

/** A notification of v3. */
export const notifyPay = (
  resource: string,
  notice: Notice,
  now: number,
  nonce: string,
  sender: PaySender = paySender,
): SentRequest => signPay(sealPay(resource, notice, sender.apiV3Key, nonce), sender, now, nonce);

const legacy = (body: string, account: string): SentRequest => ({
  method: 'POST',
  path: `/webhooks/wechat-pay/${account}`,
  rawQuery: '',
  headers: { 'content-type': 'text/xml' },
  body,
});

/** A payment of v2: the package's signature in the place of whatever stands in `sign`. */
export function notifyLegacy(
  xml: string,
  sender: PaySender = paySender,
  algorithm: 'MD5' | 'HMAC-SHA256' = 'MD5',
): SentRequest {
  const { sign: _, ...fields } = { sign: '', ...Transformer.toObject(xml) };
  const sign = Hash.sign(algorithm, fields, sender.apiKey);
  return legacy(xml.replace(/<sign>.*<\/sign>/, `<sign><![CDATA[${sign}]]></sign>`), sender.account);
}

/** A refund of v2: encrypted by the package, and not signed. */
export function notifyLegacyRefund(xml: string, sender: PaySender = paySender): SentRequest {
  const sealed = Aes.AesEcb.encrypt(xml, Hash.md5(sender.apiKey));
  const fields = {
    return_code: 'SUCCESS',
    appid: 'wxqh0000minip0001',
    mch_id: '1900009231',
    nonce_str: 'TeqClE3i0mvn3DrK',
    req_info: sealed,
  };
  const elements = Object.entries(fields).map(([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`);
  return legacy(`<xml>${elements.join('')}</xml>`, sender.account);
}

/** `about.event_type` names the notification of v3; `v2`, `v2-hmac` and `v2-refund` stand for those of v2. */
export const wechatPayVendor: Vendor = {
  accounts: {
    main: { mchId: '1900009231', appIds: ['wxqh0000minip0001'], legacyRefunds: true, secret: 'wechat-pay' },
  },
  secrets: {
    'wechat-pay': {
      apiV3Key: payKeys.apiV3Key,
      publicKeys: { [payKeys.serial]: payKeys.publicKey },
      apiKey: payKeys.apiKey,
    },
  },
  sign({ account, message, about, now, nonce }) {
    const sender = { ...paySender, account };
    const kind = about.event_type ?? '';
    if (kind === 'v2-refund') return notifyLegacyRefund(message, sender);
    if (kind.startsWith('v2')) return notifyLegacy(message, sender, kind === 'v2' ? 'MD5' : 'HMAC-SHA256');
    return notifyPay(message, { ...about, event_type: kind }, now, nonce, sender);
  },
};

interface Over {
  settings?: Record<string, Json>;
  secret?: unknown;
  now?: number;
}

/** A merchant with one mini program. */
export const mini = { mchId: '1900009231', appIds: ['wxqh0000minip0001'] };

/** Capture for one merchant, `main`. */
export const aMerchant = ({
  settings = mini,
  secret = wechatPayVendor.secrets['wechat-pay'],
  now,
}: Over = {}) =>
  aPlayed('wechat-pay', wechatPayVendor, {
    accounts: { main: { secret: 'wechat-pay', ...settings } },
    secrets: { 'wechat-pay': secret },
    now,
  });
