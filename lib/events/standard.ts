/**
 * What a required property of a standard type is.
 *
 * - `id`: a name of something, a string, never a number
 * - `text`: a non-empty string
 * - `money`: an integer ≥ 0 in minor units of the event's currency
 * - `currency`: three capital letters, ISO 4217
 * - `count`: an integer ≥ 0; `amount`: an integer of either sign; `number`: any finite number
 * - `flag`: true or false
 */
export type PropertyKind = 'id' | 'text' | 'money' | 'currency' | 'count' | 'amount' | 'number' | 'flag';

export interface StandardType {
  /** `notice`: about the brand's own things, no customer did it. */
  readonly tier: 'core' | 'ext' | 'notice';
  readonly required: Readonly<Record<string, PropertyKind>>;
  /**
   * Of the required, those that may be absent while `amount_pending` is true: the vendor says that money moved and not
   * how much (a push without amounts). An amount is then known to be unknown; it is never 0.
   */
  readonly pending?: readonly string[];
  /** The name that Segment's specification gives it; absent: it has none. */
  readonly segment?: string;
  /** The name or names that Google Analytics 4 gives it. */
  readonly ga4?: readonly string[];
}

const order = { order_id: 'id' } as const;
const refund = { refund_id: 'id', order_id: 'id' } as const;
const message = { message_id: 'id' } as const;
const member = { member_id: 'id' } as const;
const coupon = { coupon_code: 'id' } as const;
const staff = { staff_id: 'id' } as const;

/** The standard types: other names are custom events, which require nothing. */
export const standardTypes = {
  channel_followed: { tier: 'core', required: { channel_account_id: 'id' }, ga4: ['channel_followed'] },
  channel_unfollowed: {
    tier: 'core',
    required: { channel_account_id: 'id' },
    segment: 'Unsubscribed',
    ga4: ['channel_unfollowed'],
  },
  qr_code_scanned: { tier: 'core', required: { scene: 'id' }, ga4: ['qr_code_scanned'] },
  menu_clicked: { tier: 'core', required: { menu_key: 'id' }, ga4: ['select_content'] },
  contact_added: { tier: 'core', required: staff, ga4: ['generate_lead'] },
  contact_updated: { tier: 'ext', required: { ...staff, change: 'text' }, segment: 'identify' },
  contact_removed: { tier: 'core', required: { ...staff, removed_by: 'text' } },
  group_joined: { tier: 'core', required: { group_id: 'id' }, ga4: ['join_group'] },
  group_left: { tier: 'core', required: { group_id: 'id', quit_scene: 'id' } },
  tag_added: { tier: 'core', required: { tag_id: 'id' }, segment: 'identify' },
  tag_removed: { tier: 'core', required: { tag_id: 'id' }, segment: 'identify' },
  conversation_started: { tier: 'ext', required: {}, segment: 'Live Chat Conversation Started' },
  message_received: {
    tier: 'core',
    required: { ...message, message_type: 'text' },
    segment: 'Live Chat Message Received',
    ga4: ['message_received'],
  },
  message_sent: {
    tier: 'core',
    required: { ...message, template_id: 'id' },
    segment: 'Live Chat Message Sent',
    ga4: ['message_sent'],
  },
  message_delivered: { tier: 'core', required: message, segment: 'Email Delivered' },
  message_failed: { tier: 'core', required: { ...message, reason: 'text' }, segment: 'Email Bounced' },
  message_read: { tier: 'ext', required: message, segment: 'Email Opened' },
  message_link_clicked: {
    tier: 'core',
    required: { ...message, url: 'text' },
    segment: 'Email Link Clicked',
    ga4: ['select_content'],
  },
  subscription_granted: { tier: 'core', required: { template_id: 'id', mode: 'text' } },
  subscription_revoked: { tier: 'core', required: { template_id: 'id' }, segment: 'Unsubscribed' },
  content_commented: { tier: 'core', required: { content_id: 'id', comment_id: 'id' } },
  content_liked: { tier: 'ext', required: { content_id: 'id' } },
  lead_submitted: { tier: 'core', required: { lead_id: 'id' }, ga4: ['generate_lead'] },
  page_viewed: { tier: 'core', required: { url: 'text' }, ga4: ['page_view'] },
  product_viewed: {
    tier: 'core',
    required: { product_id: 'id' },
    segment: 'Product Viewed',
    ga4: ['view_item'],
  },
  product_added: {
    tier: 'core',
    required: { product_id: 'id', quantity: 'number' },
    segment: 'Product Added',
    ga4: ['add_to_cart'],
  },
  checkout_started: {
    tier: 'ext',
    required: { checkout_id: 'id', value: 'money', currency: 'currency' },
    segment: 'Checkout Started',
    ga4: ['begin_checkout'],
  },
  order_created: { tier: 'core', required: order },
  order_paid: {
    tier: 'core',
    required: { ...order, paid_amount: 'money', currency: 'currency' },
    pending: ['paid_amount', 'currency'],
    segment: 'Order Completed',
    ga4: ['purchase'],
  },
  order_shipped: { tier: 'core', required: { ...order, is_partial: 'flag' }, segment: 'Order Updated' },
  order_received: { tier: 'core', required: order, segment: 'Order Updated' },
  order_cancelled: { tier: 'core', required: order, segment: 'Order Cancelled' },
  refund_requested: { tier: 'core', required: refund },
  order_refunded: {
    tier: 'core',
    required: { ...refund, refund_amount: 'money', currency: 'currency' },
    pending: ['refund_amount', 'currency'],
    segment: 'Order Refunded',
    ga4: ['refund'],
  },
  refund_closed: { tier: 'ext', required: { ...refund, reason: 'text' } },
  member_registered: { tier: 'core', required: member, segment: 'Signed Up', ga4: ['sign_up'] },
  member_left: { tier: 'core', required: member },
  member_level_changed: { tier: 'core', required: { ...member, new_level: 'id' }, ga4: ['level_up'] },
  points_changed: {
    tier: 'core',
    required: { account: 'id', delta: 'amount' },
    ga4: ['earn_virtual_currency', 'spend_virtual_currency'],
  },
  coupon_issued: {
    tier: 'core',
    required: { ...coupon, coupon_template_id: 'id' },
    ga4: ['select_promotion'],
  },
  coupon_redeemed: { tier: 'core', required: coupon, segment: 'Coupon Applied' },
  coupon_voided: { tier: 'ext', required: { ...coupon, reason: 'text' }, segment: 'Coupon Removed' },
  coupon_returned: { tier: 'ext', required: coupon, segment: 'Coupon Removed' },
  identity_linked: { tier: 'core', required: { link_source: 'text' }, segment: 'alias' },
  identity_unlinked: { tier: 'core', required: { unlink_source: 'text' } },
  consent_revoked: { tier: 'core', required: { scope: 'text' }, segment: 'identify' },
  data_erasure_requested: { tier: 'core', required: { request_id: 'id' } },
  broadcast_completed: { tier: 'notice', required: { job_id: 'id', sent: 'count', failed: 'count' } },
  group_updated: { tier: 'notice', required: { group_id: 'id', change: 'text' } },
  tag_definition_changed: { tier: 'notice', required: { tag_id: 'id', change: 'text' } },
} satisfies Record<string, StandardType>;

export type StandardName = keyof typeof standardTypes;

/** Types of Siyu's own, beside the published ones: what a person allows and takes back (`lib/consent/said.ts`). */
export const ownTypes = {
  consent_granted: { tier: 'core', required: { purpose: 'text' } },
  consent_withdrawn: { tier: 'core', required: { purpose: 'text' } },
} satisfies Record<string, StandardType>;

/** What only a sender that holds a secret may say: it moves money or what is worth money. */
export const signedOnly: ReadonlySet<string> = new Set<StandardName>([
  'order_paid',
  'order_refunded',
  'points_changed',
  'coupon_redeemed',
]);

const table: Readonly<Record<string, StandardType>> = { ...standardTypes, ...ownTypes };

/** The standard type of this name, if it is one. */
export const standardType = (name: string): StandardType | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;
