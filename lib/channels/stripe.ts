import { z } from 'zod';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { type DraftIdentifier, mailAddress, phoneNumber } from '../events/identifiers.ts';
import type { HttpRequest } from '../platform/http.ts';
import { type Account, channel, type Envelope, type Place, type Reading } from './channel.ts';
import { fieldsOf, textOf } from './context.ts';
import { isRecord, readJson } from './json.ts';
import { orderOf, paymentOf, stripeEvents } from './stripe-events.ts';
import { hmacSha256, sameSecret, signedTime, unauthentic } from './verify.ts';

type Fields = Record<string, Json>;

const settings = z.strictObject({
  secret: z.string().min(1),
  /** For an endpoint of Connect: the connected account whose events are taken; all others are refused. */
  accountId: z
    .string()
    .regex(/^acct_[A-Za-z0-9]{1,64}$/, 'the id of a connected account, such as acct_1032D82eZvKYlo2C')
    .optional(),
  /** What says that an order is paid: Checkout's session, or the payment intent where Checkout is not used. */
  paidBy: z.enum(['checkout', 'payment_intent']).default('checkout'),
});
type Settings = z.infer<typeof settings>;

const held = z.object({ signingSecret: z.string().min(1) });
const secret = held.extend({
  /** What was valid before the endpoint's secret was rolled. */
  previous: held.optional(),
});
type Secret = z.infer<typeof secret>;

/** How many signatures of one header are looked at. */
const SIGNATURES = 16;

/**
 * Stripe's events (snapshot payloads), signed with the endpoint's secret.
 * Source: docs.stripe.com/webhooks, stripe-node `Webhooks.ts`.
 */
export const stripe = channel<Settings, Secret>({
  name: 'stripe',
  settings,
  secret,
  maxBytes: 256 * 1024,

  verify(request, account, now) {
    const [t, signatures] = signatureOf(request);
    const signed = Buffer.concat([Buffer.from(`${t}.`), request.body]);
    if (!isSigned(signed, signatures, account))
      unauthentic('bad_signature', `stripe: no signature holds, ${account.id}`);
    const sentAt = signedTime(t, now);
    return { text: request.body.toString('utf8'), envelope: { verified: 'signed', sentAt } };
  },

  decode(text, _envelope, { id, settings: { accountId } }) {
    const event = readJson(text);
    const of = isRecord(event) ? textOf(event, 'account') : undefined;
    if (of !== undefined && of !== accountId)
      unauthentic('shop_mismatch', `stripe: an event of another connected account, ${id}`);
    return [event];
  },

  read,
});

/** Of `t=…,v1=…,v1=…,v0=…`: the time and the signatures of the one scheme that is known. */
function signatureOf(request: HttpRequest): [string, readonly string[]] {
  const parts = (request.headers['stripe-signature'] ?? '').split(',').map((part) => part.trim());
  const all = (name: string) =>
    parts.filter((part) => part.startsWith(`${name}=`)).map((part) => part.slice(name.length + 1));
  return [all('t')[0] ?? '', all('v1').slice(0, SIGNATURES)];
}

/** The key is the whole secret with its `whsec_`, as text: other than in Standard Webhooks. Every pair is tried. */
function isSigned(content: Buffer, signatures: readonly string[], { secret }: Account<Settings, Secret>) {
  const keys = [secret.signingSecret, ...(secret.previous ? [secret.previous.signingSecret] : [])];
  const holds = keys.flatMap((key) => {
    const expected = hmacSha256(Buffer.from(key), content, 'hex');
    return signatures.map((signature) => sameSecret(expected, signature));
  });
  return holds.includes(true);
}

function read(message: Json, _envelope: Envelope, place: Place<Settings>): Reading {
  const type = isRecord(message) ? textOf(message, 'type') : undefined;
  const id = isRecord(message) ? textOf(message, 'id') : undefined;
  if (!isRecord(message) || !type || !id)
    throw new FaultError('bad_shape', 'an event of Stripe is an object with "id" and "type"');
  const entry = Object.hasOwn(stripeEvents, type) ? stripeEvents[type] : undefined;
  if (!entry || (entry.paidBy ?? place.settings.paidBy) !== place.settings.paidBy)
    return { drafts: [], ignored: type };
  const data = fieldsOf(message, 'data');
  const object = fieldsOf(data, 'object');
  const meaning = entry.means({ object, previous: fieldsOf(data, 'previous_attributes') });
  if (!meaning) return { drafts: [], ignored: type };
  const identifiers = [...buyerOf(object, place), ...orderIdentifiers(object, place)];
  return {
    drafts: [
      {
        type: meaning.type,
        // Stripe's id of the event is the same in each retry, and is signed: what is replayed is stored once.
        key: meaning.key ?? [id],
        at: textOf(message, 'created'),
        identifiers,
        properties: meaning.properties,
      },
    ],
  };
}

/** Ids are unique within one account of Stripe, which is one account here. */
const scopeOf = ({ id }: Place<Settings>) => `stripe:${id}`;

function buyerOf(object: Fields, place: Place<Settings>): DraftIdentifier[] {
  const details = fieldsOf(object, 'customer_details');
  const customer = textOf(object, 'customer');
  const email = mailAddress(textOf(details, 'email') ?? textOf(object, 'receipt_email') ?? '');
  const phone = phoneNumber(textOf(details, 'phone') ?? '', place.home.locale);
  return [
    ...(customer ? [{ kind: 'stripe_customer_id', scope: scopeOf(place), value: customer }] : []),
    ...(phone ? [{ kind: 'phone', value: phone }] : []),
    ...(email ? [{ kind: 'email', value: email }] : []),
  ];
}

/** A refund names no buyer: the order and its payment intent, which the payment named too, find who paid. */
function orderIdentifiers(object: Fields, place: Place<Settings>): DraftIdentifier[] {
  const values = new Set([orderOf(object), paymentOf(object)]);
  return [...values].flatMap((value) =>
    value === undefined ? [] : [{ kind: 'order_id', scope: scopeOf(place), value }],
  );
}
