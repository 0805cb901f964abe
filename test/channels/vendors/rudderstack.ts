import { sendTracking } from '../../../lib/channels/sign.ts';
import type { Vendor } from './vendor.ts';

/** The throw-away keys of the brand's web site and of its servers. */
export const rudderKeys: Readonly<Record<string, string>> = {
  web: 'rudder_public_write_key',
  server: 'rudder_secret_write_key',
};

/** RudderStack's SDKs: calls by Basic authorization, or a batch by beacon with the key in the query. */
export const rudderstack: Vendor = {
  accounts: { web: { secret: 'rudder-web' }, server: { secret: 'rudder-server', server: true } },
  secrets: {
    'rudder-web': { writeKey: rudderKeys.web ?? '' },
    'rudder-server': { writeKey: rudderKeys.server ?? '' },
  },
  sign({ account, message, about }) {
    const key = rudderKeys[account] ?? '';
    if (about.call !== 'beacon') return sendTracking(about.call ?? 'batch', message, key);
    return {
      method: 'POST',
      path: '/beacon/v1/batch',
      rawQuery: new URLSearchParams({ writeKey: key }).toString(),
      headers: { 'content-type': 'text/plain;charset=UTF-8' },
      body: message,
    };
  },
};
