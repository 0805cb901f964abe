import type { SentRequest } from '../../../lib/channels/sign.ts';
import type { Vendor } from './vendor.ts';

/** The throw-away tokens of the brand's web site and of its servers. */
export const sensorsTokens: Readonly<Record<string, string>> = {
  web: 'sensors_public_token',
  server: 'sensors_secret_token',
};

/** Java's `String.hashCode`, as the SDKs compute it. */
export const hashCode = (text: string): number => {
  let hash = 0;
  for (const unit of text) hash = ((hash << 5) - hash + unit.charCodeAt(0)) | 0;
  return hash;
};

/**
 * The SDKs of Sensors: one record as a picture that a page loads (`path` `/sa.gif`), or a list of records as a form.
 * `crc`: a check sum that is not theirs.
 */
export const sensors: Vendor = {
  accounts: {
    web: { secret: 'sensors-web', appId: 'wxqh0000teahouse1', identities: { $identity_vip_no: 'member_id' } },
    server: { secret: 'sensors-server', server: true },
  },
  secrets: {
    'sensors-web': { token: sensorsTokens.web ?? '' },
    'sensors-server': { token: sensorsTokens.server ?? '' },
  },
  sign({ account, message, about }): SentRequest {
    const address = { project: 'qinghe', token: sensorsTokens[account] ?? '' };
    const data = Buffer.from(message).toString('base64');
    const crc = about.crc ?? String(hashCode(data));
    const path = about.path ?? '/sa';
    if (path === '/sa.gif') {
      const query = new URLSearchParams({ ...address, data, ext: `crc=${crc}` }).toString();
      return { method: 'GET', path, rawQuery: query, headers: {}, body: '' };
    }
    return {
      method: 'POST',
      path,
      rawQuery: new URLSearchParams(address).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ data_list: data, gzip: '0', crc }).toString(),
    };
  },
};
