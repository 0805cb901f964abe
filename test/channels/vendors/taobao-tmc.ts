import { topSign, topTime } from '../../../lib/channels/taobao-top.ts';
import type { Vendor } from './vendor.ts';

const appKey = '21000001';
const appSecret = 'helloworld';

/** As a relay of the brand inside the Taobao cloud posts what it was given: signed as TOP signs its own calls. */
export const taobaoTmc: Vendor = {
  accounts: { main: { appKey, secret: 'taobao' } },
  secrets: { taobao: { appSecret } },
  sign({ account, message, now }) {
    const fields = { app_key: appKey, sign_method: 'md5', timestamp: topTime(now) };
    const query = new URLSearchParams({ ...fields, sign: topSign(appSecret, fields, message) });
    return {
      method: 'POST',
      path: `/webhooks/taobao-tmc/${account}`,
      rawQuery: query.toString(),
      headers: { 'content-type': 'application/json' },
      body: message,
    };
  },
};
