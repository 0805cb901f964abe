import { z } from 'zod';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import type { HttpRequest } from '../platform/http.ts';
import { type Account, channel, type Opened } from './channel.ts';
import { fieldsOf, textOf } from './context.ts';
import { isRecord, readJson } from './json.ts';
import { readShopify, standsFor, topicsOf } from './shopify-events.ts';
import { hmacSha256, sameSecret, unauthentic } from './verify.ts';

const settings = z.strictObject({
  /** The shop's permanent name: ids of customers are unique within it. */
  shop: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9-]{0,62}\.myshopify\.com$/,
      'the shop’s own domain, such as my-shop.myshopify.com',
    ),
  secret: z.string().min(1),
});
export type ShopifySettings = z.infer<typeof settings>;

const held = z.object({ apiSecret: z.string().min(1) });
/** The app’s API secret key, and the one before it: after a rotation Shopify signs with the old one for a while. */
const secret = held.extend({ previous: held.optional() });
type Secret = z.infer<typeof secret>;

type Shop = Account<ShopifySettings, Secret>;

/**
 * The webhooks of one Shopify shop.
 *
 * Shopify signs the body and nothing else: topic, shop and id of the delivery stand in headers that anybody can
 * change. So an account is one shop, the topic must be one that the body itself bears out, and an event's key is made
 * of the body: whoever repeats a signed body under other headers can only say again what it says. Nothing signed says
 * when it was sent; that a repetition has the same key is what protects against it.
 * Source: shopify.dev, “About webhooks” and “Privacy law compliance”.
 */
export const shopify = channel<ShopifySettings, Secret>({
  name: 'shopify',
  settings,
  secret,
  maxBytes: 1024 * 1024,
  verify,
  decode: (text) => [readJson(text)],
  read: readShopify,
});

function verify(request: HttpRequest, account: Shop): Opened {
  const { body } = request;
  const sent = header(request, 'hmac-sha256');
  const holds = secretsOf(account).map((key) =>
    sameSecret(hmacSha256(Buffer.from(key), body, 'base64'), sent),
  );
  if (!holds.includes(true)) unauthentic('bad_signature', `shopify: signature does not match, ${account.id}`);
  const text = body.toString('utf8');
  const topic = topicOf(request);
  const said = readable(text);
  checkShop(request, said, account);
  checkTopic(topic, said);
  return { text, envelope: { verified: 'signed', topic } };
}

const secretsOf = ({ secret: { apiSecret, previous } }: Shop) => [
  apiSecret,
  ...(previous ? [previous.apiSecret] : []),
];

/** Webhooks come with `X-Shopify-…`, those of the newer kind with `Shopify-…`; whichever signature is there decides. */
function header({ headers }: HttpRequest, name: string): string {
  const prefix = headers['x-shopify-hmac-sha256'] === undefined ? 'shopify-' : 'x-shopify-';
  return headers[`${prefix}${name}`] ?? '';
}

/** `orders/paid`; the newer kind may say it in two headers, topic and action. */
function topicOf(request: HttpRequest): string {
  const topic = header(request, 'topic').toLowerCase();
  const whole = topic.includes('/') ? topic : `${topic}/${header(request, 'action').toLowerCase()}`;
  if (!/^[a-z_]{1,40}\/[a-z_]{1,40}$/.test(whole))
    unauthentic('event_type_mismatch', 'shopify: a webhook has a topic, such as orders/paid');
  return whole;
}

/** One app secret may sign for many shops: what the body says of its shop must be this one. */
function checkShop(request: HttpRequest, body: Json | undefined, { id, settings: { shop } }: Shop): void {
  const said = header(request, 'shop-domain').toLowerCase();
  if ((said !== '' && said !== shop) || !isOfShop(body, shop))
    unauthentic('shop_mismatch', `shopify: a webhook of another shop came to ${id}`);
}

function isOfShop(body: Json | undefined, shop: string): boolean {
  if (!isRecord(body)) return true;
  const domain = textOf(body, 'shop_domain', 'myshopify_domain');
  if (domain !== undefined && domain.toLowerCase() !== shop) return false;
  const links = [textOf(body, 'order_status_url'), textOf(fieldsOf(body, 'checkout'), 'web_url')];
  // A shop that has a domain of its own shows that one in its links, which says nothing.
  return links.every((link) => {
    const host = link === undefined || !URL.canParse(link) ? '' : new URL(link).hostname;
    return !host.endsWith('.myshopify.com') || host === shop;
  });
}

function checkTopic(topic: string, body: Json | undefined): void {
  // What is of no shape that we know may be a newer one: it is kept as a fault until somebody has looked at it.
  if (!isRecord(body) || topicsOf(body).length === 0) return;
  if (!standsFor(topic, body))
    unauthentic('event_type_mismatch', 'shopify: the topic is not one that the signed body bears out');
}

/** The body, or nothing where it is no JSON: then decoding says so. */
function readable(text: string): Json | undefined {
  try {
    return readJson(text);
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return undefined;
  }
}
