import Stripe from 'stripe';
import type { SentRequest } from '../../../lib/channels/sign.ts';
import type { Vendor } from './vendor.ts';

export const stripeSecret = 'whsec_qh_vendor_0123456789';

/** An event, signed by Stripe's own library. */
export function signStripe(
  message: string,
  account: string,
  now: number,
  secret = stripeSecret,
): SentRequest {
  const timestamp = Math.floor(now / 1000);
  const client = new Stripe('sk_test_throw_away');
  return {
    method: 'POST',
    path: `/webhooks/stripe/${account}`,
    rawQuery: '',
    headers: {
      'content-type': 'application/json',
      'stripe-signature': client.webhooks.generateTestHeaderString({ payload: message, secret, timestamp }),
    },
    body: message,
  };
}

export const stripeVendor: Vendor = {
  accounts: {
    main: { secret: 'stripe' },
    elements: { secret: 'stripe', paidBy: 'payment_intent' },
    connect: { secret: 'stripe', accountId: 'acct_qh0001' },
  },
  secrets: { stripe: { signingSecret: stripeSecret } },
  sign: ({ account, message, now }) => signStripe(message, account, now),
};
