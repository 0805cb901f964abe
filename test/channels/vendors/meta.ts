import { createHmac } from 'node:crypto';
import type { SentRequest } from '../../../lib/channels/sign.ts';
import type { Vendor } from './vendor.ts';

export const metaSecret = { appSecret: 'qh_meta_app_secret_0001', verifyToken: 'qh-verify-token' };

/** As Meta writes JSON: what is beyond ASCII is escaped, and signed escaped. */
export const escaped = (text: string) =>
  text.replace(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

/**
 * A delivery, signed as Meta and GitHub sign; GitHub's own library can do so only by a promise, and is asked in the
 * tests whether it does the same.
 */
export function signMeta(body: string, account = 'main', appSecret = metaSecret.appSecret): SentRequest {
  return {
    method: 'POST',
    path: `/webhooks/meta/${account}`,
    rawQuery: '',
    headers: {
      'content-type': 'application/json',
      'x-hub-signature-256': `sha256=${createHmac('sha256', appSecret).update(body).digest('hex')}`,
    },
    body,
  };
}

export const metaVendor: Vendor = {
  accounts: {
    main: { wabaIds: ['102290129340398'], pageIds: ['153125381133'], secret: 'meta' },
    any: { secret: 'meta', keepContent: true },
  },
  secrets: { meta: metaSecret },
  sign: ({ account, message }) => signMeta(escaped(message), account),
};
