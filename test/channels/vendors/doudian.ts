import { createHash } from 'node:crypto';
import type { Vendor } from './vendor.ts';

const appKey = '7100000000000000001';
const appSecret = 'dd-secret-3f2a9c10-77aa';

export const doudian: Vendor = {
  accounts: { main: { appKey, shopId: '95250', secret: 'doudian' } },
  secrets: { doudian: { appSecret } },
  sign: ({ account, message }) => ({
    method: 'POST',
    path: `/webhooks/doudian/${account}`,
    rawQuery: '',
    headers: {
      'content-type': 'application/json',
      'app-id': appKey,
      'event-sign': createHash('md5').update(`${appKey}${message}${appSecret}`).digest('hex'),
    },
    body: message,
  }),
};
