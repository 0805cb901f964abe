import { createHash } from 'node:crypto';
import { hmacSha256 } from '../../../lib/channels/verify.ts';
import type { Vendor } from './vendor.ts';

export const qinghe = {
  shop: 'qinghe-tea.myshopify.com',
  apiSecret: 'shpss_test_00112233445566778899',
};

/** An id of a delivery as Shopify makes them, from the name of a sample. */
const uuid = (name: string) =>
  createHash('sha256')
    .update(name)
    .digest('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');

/** `about`: `topic`; `shop`, where it is another; `style: events` for the newer, lower-case headers. */
export const shopifyVendor: Vendor = {
  accounts: { tea: { shop: qinghe.shop, secret: 'shopify' } },
  secrets: { shopify: { apiSecret: qinghe.apiSecret } },
  sign({ account, message, about, now, nonce }) {
    const prefix = about.style === 'events' ? 'shopify-' : 'x-shopify-';
    const said = {
      'hmac-sha256': hmacSha256(Buffer.from(qinghe.apiSecret), message, 'base64'),
      topic: about.topic ?? '',
      'shop-domain': about.shop ?? qinghe.shop,
      'api-version': '2026-07',
      'webhook-id': uuid(`webhook ${nonce}`),
      'event-id': uuid(`event ${nonce}`),
      'triggered-at': new Date(now).toISOString(),
      ...(about.style === 'events' ? { handle: 'orders', action: about.action ?? 'update' } : {}),
    };
    const headers = Object.fromEntries(Object.entries(said).map(([name, value]) => [prefix + name, value]));
    return {
      method: 'POST',
      path: `/webhooks/shopify/${account}`,
      rawQuery: '',
      headers: { 'content-type': 'application/json', ...headers },
      body: message,
    };
  },
};
