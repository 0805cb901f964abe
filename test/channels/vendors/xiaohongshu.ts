import { createHash } from 'node:crypto';
import type { Vendor } from './vendor.ts';

const appKey = 'xhs0appkey0001';
const appSecret = 'xhs-app-secret-0a1b2c';

/** `tenant` of the query is `about.tenant`: what is registered with the address is signed with it. */
export const xiaohongshu: Vendor = {
  accounts: { main: { appKey, sellerId: '5f8a0c0000000000010002qh', secret: 'xiaohongshu' } },
  secrets: { xiaohongshu: { appSecret, token: 'xhsToken01' } },
  sign({ account, message, about: { tenant = 't001' }, now }) {
    const path = `/webhooks/xiaohongshu/${account}`;
    const timestamp = String(Math.floor(now / 1000));
    const signed = `${path}?app-key=${appKey}&tenant=${tenant}&timestamp=${timestamp}${appSecret}`;
    return {
      method: 'POST',
      path,
      rawQuery: `tenant=${tenant}`,
      headers: {
        'content-type': 'application/json',
        'app-key': appKey,
        timestamp,
        sign: createHash('md5').update(signed).digest('hex'),
      },
      body: message,
    };
  },
};
