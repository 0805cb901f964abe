/**
 * How much harm a value does where it does not belong.
 *
 * - `public`: the brand publishes it itself
 * - `internal`: says what was done or how things stand; names nobody without the profile beside it
 * - `personal`: names or reaches a person by itself (PIPL, article 4)
 * - `sensitive`: PIPL, article 28: needs a separate consent and a strict necessity
 */
export const dataClasses = ['public', 'internal', 'personal', 'sensitive'] as const;
export type DataClass = (typeof dataClasses)[number];

/** The kinds of PIPL's article 28, as far as a private domain meets them. */
export const sensitiveKinds = [
  ...(['biometric', 'belief', 'identity', 'health'] as const),
  ...(['financial', 'location', 'minor'] as const),
] as const;
export type SensitiveKind = (typeof sensitiveKinds)[number];

/**
 * What a value is collected for.
 *
 * - `recognise`: to know that two events are of one person
 * - `contract`: orders, refunds, points, membership: what the customer asked for
 * - `converse`: to answer, and to know where one may write
 * - `analyse`: tags, stages, reports about groups
 * - `attribute`: what led to an order
 * - `personalise`: to treat one person otherwise than another
 * - `prove`: what was allowed, asked and done
 * - `operate`: to keep the system right and safe
 */
export const purposes = [
  ...(['recognise', 'contract', 'converse', 'analyse'] as const),
  ...(['attribute', 'personalise', 'prove', 'operate'] as const),
] as const;
export type Purpose = (typeof purposes)[number];

/** What a value is, and why it is there. */
export interface FieldClass {
  readonly class: DataClass;
  /** Of what is sensitive: which kind. */
  readonly kind?: SensitiveKind;
  readonly purpose: Purpose;
}

export type Classes = ReadonlyMap<string, FieldClass>;

/** A class as a brand writes it for a property or trait of its own: `internal analyse`, `sensitive:health personalise`. */
export class ClassError extends Error {
  override readonly name = 'ClassError';
}

const oneOf = <T extends string>(all: readonly T[], name: string | undefined): T | undefined =>
  all.find((it) => it === name);

/** @throws ClassError that says what may be written */
export function classOf(text: string): FieldClass {
  const [named = '', purposeName, ...more] = text.split(' ');
  const [className, kindName] = named.split(':');
  const found = oneOf(dataClasses, className);
  const purpose = oneOf(purposes, purposeName);
  const kind = oneOf(sensitiveKinds, kindName);
  if (!found || !purpose || more.length > 0 || (found === 'sensitive') !== (kind !== undefined))
    throw new ClassError(
      `"${text}": write a class (${dataClasses.join(', ')}; sensitive with its kind, sensitive:${sensitiveKinds.join(' or sensitive:')}) and a purpose (${purposes.join(', ')})`,
    );
  return { class: found, ...(kind && { kind }), purpose };
}

/** `[class purpose, names]`, a line for all that are alike. @throws Error if a name has two classes */
function table(...lines: readonly (readonly [is: string, names: string])[]): Classes {
  const all = new Map<string, FieldClass>();
  for (const [is, names] of lines)
    for (const name of names.split(/\s+/)) {
      if (all.has(name)) throw new Error(`${name} has two classes`);
      all.set(name, classOf(is));
    }
  return all;
}

/** Properties of events, by name; of lists of things by the name of the thing's field. */
export const propertyClasses: Classes = table(
  ['personal recognise', 'member_id card_code'],
  ['personal contract', 'tracking_number'],
  ['personal converse', 'content reply_payload'],
  ['sensitive:financial contract', 'balance_after'],
  [
    'internal contract',
    `order_id parent_order_id sub_order_id order_name refund_id paid_amount refund_amount original_amount
      discount_amount shipping_amount total_amount revenue_amount tax_amount subtotal_amount payer_amount
      payer_refund_amount amount_pending currency value price quantity products product_count sku sku_id
      variant_id is_partial is_full is_gift aftersale_type return_type status reason reason_code pay_type trade_type
      transaction_id payment_id out_refund_no paid_at shipped_at confirmed_at confirmed_by settled_at checkout_id
      coupon_code coupon_codes coupon_template_id card_id consume_source outer version expires_at delta account
      biz_type biz customer_tier items new_level old_level experience enrolment_id store_id life_account_id location_name`,
  ],
  [
    'internal converse',
    `message_id message_type template_id mode popup_scene chat_id chat_type conversation_id reply_to_id
      reply_to_comment_id phone_number_id session_from open_kfid error_code staff_id mutual add_way is_backfill
      removed_by change group_id join_scene quit_scene is_external category`,
  ],
  [
    'internal attribute',
    `scene scene_param state link_id lead_id lead_source form_id page_id ad_id adgroup_id source shop
      channel_account_id`,
  ],
  [
    'internal analyse',
    `url title screen name product_id content_id comment_id menu_id menu_key menu_type tag_id tag_name tag_value
      tag_group tag_type strategy_id el_text event_type prev_pageview_duration is_first_day is_follow seconds cups
      likes course_id trial_id`,
  ],
  ['internal prove', 'purpose scope scopes revoke_info request_id request_kind link_source unlink_source'],
  ['internal prove', 'text_version where by why proof corrected'], // of what the API says in a person's name
  ['internal operate', 'job_id sent failed total count appid'],
);

/** Traits of profiles, by name. */
export const traitClasses: Classes = table(
  ['personal contract', 'name nickname'],
  ['personal analyse', 'gender birthday wecom_remark wecom_description'],
  ['sensitive:minor analyse', 'second_child_birthday school_stage exam_date'],
  ['sensitive:financial analyse', 'assets risk_level policy_until product_matures_on kyc_until'],
  ['sensitive:health personalise', 'skin_type'],
  ['internal prove', 'consent'],
  ['internal contract', 'level membership_until course_until lessons_left'],
  [
    'internal analyse',
    `city province country tags store_id first_store home_store first_visit_time group group_id group_type`,
  ],
  ['internal attribute', 'initial_utm_source'],
);

/** Kinds of identifiers; those that no kind is known for are the brand's own. */
export const identifierClasses: Classes = table(
  ['personal recognise', 'phone email unverified_phone unverified_email whatsapp_user_id'],
  [
    'personal recognise',
    `member_id customer_id crm_no shopify_customer_id stripe_customer_id wechat_unionid wechat_openid
      wecom_external_userid douyin_union_id douyin_open_id doudian_open_id youzan_open_id weimob_wid
      taobao_buyer_open_uid xiaohongshu_user_id feishu_open_id dingtalk_userid`,
  ],
  ['personal recognise', 'anonymous_id device_id'],
  ['internal recognise', 'order_id lead_id'],
);

/** What stands around the properties of an event. Of `context`, the paths within. */
export const envelopeClasses: Classes = table(
  ['internal operate', 'id receivedAt source.channel source.account context.timeSource context.verified'],
  ['internal analyse', 'type occurredAt context.locale context.session'],
  [
    'internal attribute',
    `context.campaign.channel context.campaign.source context.campaign.medium context.campaign.name
      context.campaign.term context.campaign.content context.referrer`,
  ],
  ['internal analyse', 'context.page.url context.page.path context.page.title'],
  ['internal analyse', 'context.device.os context.device.model context.device.type'],
);
