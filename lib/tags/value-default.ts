import type { ValueSettings } from '../platform/brand.ts';

const orders = 'events("order_paid").within("365d")';
const joined = 'events("member_registered")';
const left = 'events("member_left")';
const firstOrder = 'events("order_paid").first()';

/**
 * The value of a customer where the brand says nothing else: what they bought, what they may buy, whom they bring, and
 * how long they stay. Money is in minor units: 100 of the currency are a point. `friend_invited` is the brand's own.
 */
export const defaultValue = {
  base: {
    weight: 40,
    parts: {
      money: { of: `${orders}.sum("paid_amount")`, per: 10_000, most: 50 },
      orders: { of: `${orders}.count() * 5`, per: 1, most: 30 },
      recent: { of: 'events("order_paid").within("90d").any()', per: 1, most: 20 },
    },
  },
  potential: {
    weight: 20,
    parts: {
      interest: { of: 'events("product_viewed").within("30d").days() * 5', per: 1, most: 30 },
      cart: {
        of: 'events("product_added").within("14d").any() && !events("order_paid").within("14d").any()',
        per: 1,
        most: 25,
      },
      reading: { of: 'events("page_viewed").within("30d").days() * 2', per: 1, most: 20 },
      answering: { of: 'events("message_link_clicked").within("30d").count() * 5', per: 1, most: 15 },
      asking: {
        of: 'events("message_received").within("30d").any() || events("lead_submitted").within("30d").any()',
        per: 1,
        most: 10,
      },
    },
  },
  spread: {
    weight: 15,
    parts: {
      sharing: { of: 'events("content_shared").within("365d").count() * 10', per: 1, most: 40 },
      inviting: { of: 'events("friend_invited").within("365d").count() * 20', per: 1, most: 40 },
      speaking: {
        of: 'events("content_commented").within("365d").count() * 5 + events("content_liked").within("365d").count()',
        per: 1,
        most: 20,
      },
    },
  },
  loyalty: {
    weight: 25,
    parts: {
      tenure: {
        of: `!${firstOrder}.withinLast("730d") ? 20 : !${firstOrder}.withinLast("365d") ? 14 : !${firstOrder}.withinLast("180d") ? 7 : 0`,
        per: 1,
        most: 20,
      },
      repeat: { of: `(${orders}.days() - 1) * 6`, per: 1, most: 30 },
      visits: { of: 'events("page_viewed").within("90d").days()', per: 1, most: 15 },
      points: { of: 'events("points_changed").within("365d").count() * 3', per: 1, most: 15 },
      membership: {
        of: `${joined}.any() && (!${left}.any() || ${joined}.last() > ${left}.last())`,
        per: 1,
        most: 20,
      },
    },
  },
} satisfies Required<ValueSettings>;
