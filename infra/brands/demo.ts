import type { BrandInput } from '../../lib/platform/brand.ts';

/** A beauty brand with shops and an online store: follow, browse, buy, come back, or not. */
export const demo: BrandInput = {
  name: 'demo',
  title: { zh: '清禾美妆', en: 'Qinghe Beauty' },
  timezone: 'Asia/Shanghai',
  locale: 'zh-CN',
  currency: 'CNY',
  channels: {
    'wechat-oa': {
      main: { appId: 'wx5a1c0de0demo0001', unionScope: 'wechat_open:qinghe', secret: 'wechat-oa-main' },
    },
    generic: {
      pos: { secret: 'generic-pos', scopes: { wechat_unionid: 'wechat_open:qinghe' } },
      crm: { secret: 'generic-crm', scopes: { wechat_unionid: 'wechat_open:qinghe' } },
    },
    segment: {
      web: { secret: 'segment-web' },
      server: { secret: 'segment-server', server: true },
    },
  },
  rules: [
    {
      tag: 'stage',
      name: { zh: '生命周期', en: 'Lifecycle stage' },
      values: {
        potential: '!events("order_paid").any()',
        new: 'events("order_paid").count() == 1 && events("order_paid").within("60d").any()',
        active: 'events("order_paid").within("90d").any()',
        silent: 'events("order_paid").within("180d").any()',
        lost: 'events("order_paid").any()',
      },
    },
    {
      tag: 'tier',
      name: { zh: '价值等级', en: 'Value tier' },
      values: {
        gold: 'rfm().m >= 4 && rfm().f >= 4',
        silver: 'rfm().m >= 3',
        bronze: 'rfm().m >= 1',
      },
    },
    {
      tag: 'high_value_dormant',
      name: { zh: '高价值沉睡', en: 'High-value dormant' },
      when: 'events("order_paid").within("365d").sum("paid_amount") >= 300000 && !events("order_paid").within("30d").any()',
    },
    {
      tag: 'gold_at_risk',
      name: { zh: '金卡流失预警', en: 'Gold at risk' },
      when: 'tagValue("tier") == "gold" && !events("order_paid").within("60d").any()',
    },
    {
      tag: 'new_follower',
      name: { zh: '新粉未购', en: 'New follower, no order yet' },
      when: 'events("channel_followed").within("7d").any() && !events("order_paid").any()',
    },
    {
      tag: 'unfollowed',
      name: { zh: '已取关', en: 'Unfollowed' },
      when: 'events("channel_unfollowed").last() > events("channel_followed").last()',
    },
    {
      tag: 'cart_abandoner',
      name: { zh: '加购未付', en: 'Cart abandoner' },
      when: 'events("product_added").within("48h").any() && !events("order_paid").within("48h").any()',
    },
    {
      tag: 'window_shopper',
      name: { zh: '只看不买', en: 'Window shopper' },
      when: 'events("page_viewed").within("7d").count() >= 5 && !events("order_paid").within("30d").any()',
    },
    {
      tag: 'first_order_nurture',
      name: { zh: '首单培育期', en: 'After the first order' },
      when: 'events("order_paid").count() == 1 && events("order_paid").within("30d").any()',
    },
    {
      tag: 'frequent_buyer',
      name: { zh: '高频复购', en: 'Frequent buyer' },
      when: 'events("order_paid").within("180d").days() >= 4',
    },
    {
      tag: 'big_basket',
      name: { zh: '大单客', en: 'Big basket' },
      when: 'events("order_paid").where(e, e.paid_amount >= 100000).within("365d").any()',
    },
    {
      tag: 'refund_prone',
      name: { zh: '高退款', en: 'Refund-prone' },
      when: 'events("order_refunded").within("180d").count() >= 2',
    },
    {
      tag: 'omnichannel',
      name: { zh: '线上线下双购', en: 'Buys in shops and online' },
      when: 'events("order_paid").where(e, e.channel == "generic").any() && events("order_paid").where(e, e.channel == "segment").any()',
    },
    {
      tag: 'coupon_lover',
      name: { zh: '优惠敏感', en: 'Coupon lover' },
      when: 'events("coupon_redeemed").within("90d").count() >= 3',
    },
    {
      tag: 'in_conversation',
      name: { zh: '48 小时可回复', en: 'May be answered (48 hours)' },
      when: 'events("message_received").within("48h").any()',
    },
    {
      tag: 'member',
      name: { zh: '会员', en: 'Member' },
      when: 'events("member_registered").any()',
    },
    {
      tag: 'sensitive_skin',
      name: { zh: '敏感肌', en: 'Sensitive skin' },
      when: 'trait("skin_type") == "sensitive"',
    },
  ],
  local: {
    secrets: {
      'wechat-oa-main': {
        token: 'development_token_demo',
        encodingAesKey: 're0ky83t1QtGKYGMQOIZk8YYapa9yE8UtAcHhCsNrDw',
      },
      'generic-pos': { keys: ['whsec_Z6SuZnqrwpfVHBY5gozQhyQ35vfBA9WcHL1UVnwYk20='] },
      'generic-crm': { keys: ['whsec_ngHw5FknJpbikWe5iy0ftxOxqO0g4qMx3kJPjYIgwis='] },
      'segment-web': { writeKey: 'development_demo_web' },
      'segment-server': { writeKey: 'development_demo_server' },
    },
    keys: {
      operator: 'development-demo-operator',
      admin: 'development-demo-admin',
      privacy: 'development-demo-privacy',
    },
  },
};
