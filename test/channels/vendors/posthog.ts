import type { Json } from '../../../lib/events/event.ts';
import type { Vendor } from './vendor.ts';

/** The throw-away keys of the brand's web site and of its servers. */
export const posthogKeys: Readonly<Record<string, string>> = {
  web: 'phc_public_project_api_key',
  server: 'phc_secret_project_api_key',
};

/**
 * PostHog's SDKs. `path`: where to; `form`: `base64` as old browsers send it, else JSON. The browser's SDK writes the
 * key into each event's properties, those of servers into the batch.
 */
export const posthog: Vendor = {
  accounts: { web: { secret: 'posthog-web' }, server: { secret: 'posthog-server', server: true } },
  secrets: {
    'posthog-web': { projectApiKey: posthogKeys.web ?? '' },
    'posthog-server': { projectApiKey: posthogKeys.server ?? '' },
  },
  sign({ account, message, about }) {
    const key = posthogKeys[account] ?? '';
    const path = about.path ?? '/batch/';
    const said: Json = JSON.parse(message);
    const keyed = Array.isArray(said)
      ? JSON.stringify(said).replaceAll('"properties":{', `"properties":{"token":${JSON.stringify(key)},`)
      : JSON.stringify({ api_key: key, ...Object(said) });
    const isForm = about.form === 'base64';
    return {
      method: 'POST',
      path,
      rawQuery: isForm ? 'compression=base64&ip=1&_=1760000002000' : '',
      headers: { 'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json' },
      body: isForm ? `data=${encodeURIComponent(Buffer.from(keyed).toString('base64'))}` : keyed,
    };
  },
};
