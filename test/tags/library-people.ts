import type { Json } from '../../lib/events/event.ts';
import { type Deed, deed, hoursAgo, type Person } from './people.ts';

/** For tags whose meaning is easily got wrong: somebody who has it, and somebody who only just has not. */
export interface Example {
  readonly has: Person;
  readonly not: Person;
}

const did = (...deeds: Deed[]): Person => ({ deeds });
const knows = (traits: Record<string, Json>, ...deeds: Deed[]): Person => ({ deeds, traits });
const paid = (d: number, properties: Deed['properties'] = { paid_amount: 10_000 }) =>
  deed('order_paid', d, properties);
const inCategory = (d: number, category: string) => paid(d, { products: [{ category }] });
const checkIns = (...days: number[]) =>
  days.map((d) => deed('points_changed', d, { biz_type: 'check_in', delta: 1 }));
const span = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const viewed = (d: number, product_id: string) => deed('product_viewed', d, { product_id });
const course = '正价课';

/** By tag. Everything is told from noon on Wednesday, 20 May 2026, in Shanghai. */
export const examples: Readonly<Record<string, Example>> = {
  first_order_no_second: { has: did(paid(7)), not: did(paid(6)) },
  cart_unpaid: {
    has: did(hoursAgo('product_added', 47)),
    not: did(hoursAgo('product_added', 47), hoursAgo('order_paid', 1)),
  },
  order_unpaid: {
    has: did(hoursAgo('order_created', 3), hoursAgo('order_created', 2), hoursAgo('order_paid', 1)),
    not: did(hoursAgo('order_created', 2), hoursAgo('order_paid', 1)),
  },
  viewed_thrice: {
    has: did(viewed(5, 'A'), viewed(3, 'A'), viewed(1, 'A')),
    not: did(viewed(5, 'A'), viewed(3, 'B'), viewed(1, 'A')),
  },
  high_value_asleep: {
    has: did(paid(60, { paid_amount: 300_000 })),
    not: did(paid(60, { paid_amount: 299_999 })),
  },
  repurchase_due: { has: did(paid(90), paid(44)), not: did(paid(90), paid(45)) },
  coupon_hunter: {
    has: did(...span(1, 10).map((d) => paid(d)), ...span(1, 7).map((d) => deed('coupon_redeemed', d))),
    not: did(...span(1, 10).map((d) => paid(d)), ...span(1, 6).map((d) => deed('coupon_redeemed', d))),
  },
  basket_grows: {
    has: did(paid(100, { paid_amount: 100 }), paid(10, { paid_amount: 101 })),
    not: did(paid(100, { paid_amount: 100 }), paid(10, { paid_amount: 100 })),
  },
  refund_heavy: {
    has: did(paid(9), paid(8), paid(7), deed('order_refunded', 6, { order_id: 'a' })),
    not: did(
      ...span(2, 9).map((d) => paid(d)),
      ...span(1, 4).map((d) => deed('order_refunded', d, { order_id: 'a' })),
    ),
  },
  night_owl: {
    has: did(...span(1, 5).map((d) => ({ type: 'page_viewed', d, h: 13.5 }))),
    not: did(...span(1, 5).map((d) => ({ type: 'page_viewed', d, h: 14.5 }))),
  },
  weekend_buyer: {
    has: did(paid(3), paid(4), paid(10), paid(1)),
    not: did(paid(3), paid(4), paid(1), paid(0)),
  },
  bought_by_message: {
    has: did(deed('message_link_clicked', 5), deed('order_paid', 4)),
    not: did(deed('message_link_clicked', 7), deed('order_paid', 4)),
  },
  quick_second_order: { has: did(paid(60), paid(30)), not: did(paid(60), paid(29)) },
  skincare_refill: {
    has: did(inCategory(60, '护肤')),
    not: did(inCategory(60, '护肤'), inCategory(50, '护肤')),
  },
  makeup_only: { has: did(inCategory(9, '彩妆')), not: did(inCategory(9, '彩妆'), inCategory(300, '护肤')) },
  sample_converted: {
    has: did(paid(80, { paid_amount: 0 }), paid(30)),
    not: did(paid(30, { paid_amount: 0 }), paid(80)),
  },
  beauty_birthday: { has: knows({ birthday: '1990-06-18' }), not: knows({ birthday: '1990-06-19' }) },
  adviser_deleted: {
    has: did(deed('contact_added', 9), deed('contact_removed', 2, { removed_by: 'customer' })),
    not: did(deed('contact_added', 9), deed('contact_removed', 2, { removed_by: 'staff' })),
  },
  adviser_no_order: {
    has: did(deed('contact_added', 10), paid(2)),
    not: did(deed('contact_added', 10), paid(5)),
  },
  gold_new: {
    has: did(deed('member_level_changed', 5, { new_level: 'gold' })),
    not: did(
      deed('member_level_changed', 5, { new_level: 'gold' }),
      deed('member_level_changed', 1, { new_level: 'silver' }),
    ),
  },
  points_idle: {
    has: did(deed('points_changed', 90, { balance_after: 1000 })),
    not: did(deed('points_changed', 90, { balance_after: 999 })),
  },
  came_back: { has: did(paid(250), paid(5)), not: did(paid(250), paid(120), paid(5)) },
  monthly_regular: { has: did(paid(5), paid(40), paid(70)), not: did(paid(5), paid(40), paid(50)) },
  loyal_at_risk: { has: did(paid(60), paid(70), paid(80)), not: did(paid(59), paid(70), paid(80)) },
  trial_converted: {
    has: did(inCategory(50, '试听课'), inCategory(30, course)),
    not: did(inCategory(50, '试听课'), inCategory(10, course)),
  },
  course_ended: {
    has: knows({ course_until: '2026-05-10' }, paid(15)),
    not: knows({ course_until: '2026-05-10' }, paid(5)),
  },
  renewed_early: {
    has: knows({ course_until: '2026-05-30' }, paid(5)),
    not: knows({ course_until: '2026-05-30' }, paid(25)),
  },
  check_in_streak: { has: did(...checkIns(...span(1, 7))), not: did(...checkIns(...span(2, 8))) },
  streak_broken: { has: did(...checkIns(...span(3, 9))), not: did(...checkIns(...span(1, 9))) },
  steady_learner: {
    has: did(...checkIns(...[0, 1, 2, 3, 4, 5].flatMap((week) => [3, 5, 7].map((d) => d + 7 * week)))),
    not: did(...checkIns(...[0, 1, 2, 3, 4].flatMap((week) => [3, 5, 7].map((d) => d + 7 * week)))),
  },
  due_and_quiet: {
    has: knows({ course_until: '2026-06-10' }, inCategory(200, course), ...checkIns(14)),
    not: knows({ course_until: '2026-06-10' }, inCategory(200, course), ...checkIns(13)),
  },
  matured_idle: {
    has: knows({ product_matures_on: '2026-05-01' }, paid(40)),
    not: knows({ product_matures_on: '2026-05-01' }, paid(3)),
  },
  no_risk_profile: { has: did(paid(1)), not: knows({ risk_level: 'R1' }) },
  first_investment: {
    has: did(deed('order_paid', 21)),
    not: did(deed('order_paid', 21), deed('order_paid', 90)),
  },
  adds_funds: {
    has: did(paid(40, { paid_amount: 100 }), paid(5, { paid_amount: 201 })),
    not: did(paid(40, { paid_amount: 100 }), paid(5, { paid_amount: 200 })),
  },
  nearly_private: { has: knows({ assets: 599_999_999 }), not: knows({ assets: 600_000_000 }) },
  senior: { has: knows({ birthday: '1965-12-31' }), not: knows({ birthday: '1966-01-01' }) },
  cooling_off: {
    has: did(deed('order_paid', 20, { order_id: 'A' }), deed('refund_requested', 10, { order_id: 'A' })),
    not: did(deed('order_paid', 20, { order_id: 'A' }), deed('refund_requested', 10, { order_id: 'B' })),
  },
  visits_fall: {
    has: did(...[22, 24, 26, 28].map((d) => deed('page_viewed', d)), deed('page_viewed', 1)),
    not: did(...[22, 24, 26].map((d) => deed('page_viewed', d)), deed('page_viewed', 1)),
  },
  away_from_home_store: {
    has: knows({ home_store: 'S1' }, paid(9, { store_id: 'S1' }), paid(1, { store_id: 'S2' })),
    not: knows({ home_store: 'S1' }, paid(9, { store_id: 'S2' }), paid(1, { store_id: 'S1' })),
  },
  scanned_not_bought: {
    has: did(paid(5), deed('qr_code_scanned', 3)),
    not: did(deed('qr_code_scanned', 3), paid(2)),
  },
  coupon_ends: {
    has: did(deed('coupon_issued', 5, { expires_at: '2026-05-22' })),
    not: did(deed('coupon_issued', 5, { expires_at: '2026-05-23' })),
  },
  fresh_weekly: {
    has: did(...[0, 1, 2, 3, 4, 5].map((week) => inCategory(5 + 7 * week, '生鲜'))),
    not: did(...[0, 1, 2, 3, 4].map((week) => inCategory(5 + 7 * week, '生鲜'))),
  },
  lunch_guest: {
    has: did(...span(1, 4).map((d) => ({ type: 'order_paid', d, h: 1 }))),
    not: did(...span(1, 4).map((d) => ({ type: 'order_paid', d, h: -2 }))),
  },
  store_to_online: {
    has: did(paid(40, { store_id: 'S1' }), paid(5, {})),
    not: did(paid(40, {}), paid(5, { store_id: 'S1' })),
  },
  own_brand_fan: {
    has: did(...[1, 2, 3].map((d) => paid(d, { products: [{ product_id: 'PB01' }] }))),
    not: did(...[1, 2, 3].map((d) => paid(d, { products: [{ product_id: 'XPB1' }] }))),
  },
  gold_slips: {
    has: did(...span(45, 49).map((d) => paid(d, { paid_amount: 30_000 }))),
    not: did(...span(44, 48).map((d) => paid(d, { paid_amount: 30_000 }))),
  },
};
