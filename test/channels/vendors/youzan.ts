import { createHash } from 'node:crypto';
import type { Vendor } from './vendor.ts';

export const teaShop = {
  kdtId: '43210001',
  clientId: 'qh8c1d5e0f2a4b6c79',
  clientSecret: 'yz0secret1f2e3d4c5b6a798877665544',
};

const md5 = (text: string) => createHash('md5').update(text).digest('hex');
const { clientId, clientSecret } = teaShop;

/** The old signature, in the body. It needs no reading of the rest, which may hold numbers that a double cannot. */
function signBody(message: string): string {
  const msg: unknown = JSON.parse(message).msg;
  const sign = md5(`${clientId}${typeof msg === 'string' ? msg : JSON.stringify(msg)}${clientSecret}`);
  return message.replace('"SEE_RULE"', JSON.stringify(sign));
}

/** `message` is the body, its `sign` written as `SEE_RULE`. `about`: `scheme: legacy` leaves `Event-Sign` out. */
export const youzanVendor: Vendor = {
  accounts: { tea: { clientId, kdtId: teaShop.kdtId, appId: 'wxqh0000shop00001', secret: 'youzan' } },
  secrets: { youzan: { clientSecret } },
  sign({ account, message, about }) {
    const body = signBody(message);
    const type: unknown = JSON.parse(message).type;
    const signed = {
      'event-sign': md5(clientId + body + clientSecret),
      'event-type': String(type),
      'client-id': clientId,
    };
    return {
      method: 'POST',
      path: `/webhooks/youzan/${account}`,
      rawQuery: '',
      headers: { 'content-type': 'application/json', ...(about.scheme === 'legacy' ? {} : signed) },
      body,
    };
  },
};
