import { createHash } from 'node:crypto';
import type { Vendor } from './vendor.ts';

const clientSecret = 'dysec_9f0c3a7be21d4f55a1';

/** Douyin has no package that sends: its rule is one line, and its vectors are in the tests. */
export const douyinOpen: Vendor = {
  accounts: {
    main: { clientKey: 'awqh0teahouse', unionScope: 'douyin:qinghe', secret: 'douyin' },
    'mini-app': { clientKey: 'ttqh0teahouse', secret: 'douyin' },
  },
  secrets: { douyin: { clientSecret } },
  sign: ({ account, message, nonce }) => ({
    method: 'POST',
    path: `/webhooks/douyin-open/${account}`,
    rawQuery: '',
    headers: {
      'content-type': 'application/json',
      'msg-id': createHash('md5').update(nonce).digest('hex'),
      'x-douyin-signature': createHash('sha1').update(`${clientSecret}${message}`).digest('hex'),
    },
    body: message,
  }),
};
