import { createHash } from 'node:crypto';
import type { Vendor } from './vendor.ts';

export const teaMerchant = {
  clientId: '7A1D9C0B5E2F4A33',
  clientSecret: 'wm-client-secret-51c0',
  bosId: '4020112233445',
  businessId: '2000123',
};

const { clientId, clientSecret, bosId, businessId } = teaMerchant;

/** `message` is the push, its `sign` (or `msgSignature`) written as `SEE_RULE`. */
export const weimobVendor: Vendor = {
  accounts: {
    tea: {
      clientId,
      bosId,
      businessId,
      corpId: 'wwqh00teahouse0001',
      unionScope: 'wechat_open:qinghe',
      secret: 'weimob',
    },
  },
  secrets: { weimob: { clientSecret } },
  sign({ account, message }) {
    const push = JSON.parse(message);
    const text = `${clientId}${push.id}${push.msgBody ?? push.msg_body}${clientSecret}`;
    const sign = createHash('md5').update(text).digest('hex');
    return {
      method: 'POST',
      path: `/webhooks/weimob/${account}`,
      rawQuery: '',
      headers: { 'content-type': 'application/json' },
      body: message.replace('"SEE_RULE"', JSON.stringify(sign)),
    };
  },
};
