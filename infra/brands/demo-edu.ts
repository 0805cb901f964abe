import type { BrandInput } from '../../lib/platform/brand.ts';

/** A school for families abroad: a trial lesson, an enrolment, lessons, and the next enrolment in time. */
export const demoEdu: BrandInput = {
  name: 'demo-edu',
  title: { zh: '柳叶学堂', en: 'Willow Learning' },
  timezone: 'Europe/London',
  locale: 'en-GB',
  currency: 'GBP',
  channels: {
    'wechat-oa': {
      main: { appId: 'wx5a1c0de0edu00001', unionScope: 'wechat_open:willow', secret: 'wechat-oa-main' },
    },
    generic: {
      pos: { secret: 'generic-pos', scopes: { wechat_unionid: 'wechat_open:willow' } },
      crm: { secret: 'generic-crm', scopes: { wechat_unionid: 'wechat_open:willow' } },
    },
    segment: {
      web: { secret: 'segment-web' },
      server: { secret: 'segment-server', server: true },
    },
  },
  conversions: [
    {
      goal: 'enrolment',
      event: 'course_enrolled',
      key: 'enrolment_id',
      value: 'paid_amount',
      refund: {
        event: 'enrolment_refunded',
        key: 'enrolment_id',
        value: 'refund_amount',
        id: 'refund_id',
      },
    },
    {
      goal: 'order',
      event: 'order_paid',
      key: 'order_id',
      value: 'paid_amount',
      refund: { event: 'order_refunded', key: 'order_id', value: 'refund_amount', id: 'refund_id' },
    },
    { goal: 'trial', event: 'trial_booked', key: 'trial_id' },
  ],
  attribution: {
    lookbackDays: 60, // families compare schools for a term
    halfLifeDays: 14,
    opportunities: ['trial_booked', 'lead_submitted', 'conversation_started'],
  },
  rfm: {
    event: 'course_enrolled',
    value: 'paid_amount',
    windowDays: 730,
    r: [60, 120, 240, 365],
    f: [2, 3, 4, 6],
    m: [20_000, 60_000, 120_000, 240_000],
  },
  retention: { quarantineDays: 60, logDays: 90 },
  rules: [
    {
      tag: 'stage',
      name: { zh: '生命周期', en: 'Lifecycle stage' },
      values: {
        potential: '!events("course_enrolled").any()',
        new: 'events("course_enrolled").count() == 1 && events("course_enrolled").within("60d").any()',
        active:
          'events("lesson_completed").within("30d").any() || events("course_enrolled").within("90d").any()',
        silent:
          'events("lesson_completed").within("120d").any() || events("course_enrolled").within("240d").any()',
        lost: 'events("course_enrolled").any()',
      },
    },
    {
      tag: 'tier',
      name: { zh: '价值等级', en: 'Value tier' },
      values: { gold: 'rfm().m >= 4', silver: 'rfm().m >= 3', bronze: 'rfm().m >= 1' },
    },
    {
      tag: 'trial_no_enrolment',
      name: { zh: '试听未报名', en: 'Trial without enrolment' },
      when: 'events("trial_booked").within("30d").any() && !events("course_enrolled").any()',
    },
    {
      tag: 'hot_lead',
      name: { zh: '高意向', en: 'Hot lead' },
      when: 'events("lead_submitted").within("7d").any() && events("page_viewed").within("7d").count() >= 3',
    },
    {
      tag: 'new_follower',
      name: { zh: '新粉', en: 'New follower' },
      when: 'events("channel_followed").within("7d").any() && !events("course_enrolled").any()',
    },
    {
      tag: 'unfollowed',
      name: { zh: '已取关', en: 'Unfollowed' },
      when: 'events("channel_unfollowed").last() > events("channel_followed").last()',
    },
    {
      tag: 'diligent',
      name: { zh: '学习达人', en: 'Diligent' },
      when: 'events("lesson_completed").within("30d").days() >= 8',
    },
    {
      tag: 'stopped_attending',
      name: { zh: '停课预警', en: 'Stopped attending' },
      when: 'events("lesson_completed").within("90d").any() && !events("lesson_completed").within("14d").any()',
    },
    {
      tag: 'renewal_due',
      name: { zh: '待续报', en: 'Renewal due' },
      when: 'events("course_enrolled").within("180d").any() && !events("course_enrolled").within("120d").any()',
    },
    {
      tag: 'multi_course',
      name: { zh: '多科学员', en: 'More than one course' },
      when: 'events("course_enrolled").within("365d").count() >= 2',
    },
    {
      tag: 'premium',
      name: { zh: '高客单', en: 'Premium course' },
      when: 'events("course_enrolled").where(e, e.paid_amount >= 100000).within("730d").any()',
    },
    {
      tag: 'high_value_dormant',
      name: { zh: '高价值沉睡', en: 'High-value dormant' },
      when: 'tagValue("tier") == "gold" && !events("lesson_completed").within("60d").any()',
    },
    {
      tag: 'refunded',
      name: { zh: '退费', en: 'Took money back' },
      when: 'events("enrolment_refunded").within("365d").any()',
    },
    {
      tag: 'in_conversation',
      name: { zh: '48 小时可回复', en: 'May be answered (48 hours)' },
      when: 'events("message_received").within("48h").any()',
    },
    {
      tag: 'primary_school',
      name: { zh: '小学阶段', en: 'Primary school' },
      when: 'trait("school_stage") == "primary"',
    },
  ],
  local: {
    secrets: {
      'wechat-oa-main': {
        token: 'development_token_edu',
        encodingAesKey: 'JCgQepyMM5NeC1ffkZSTbrRx1hYKOaZa0ubwUX1cuBo',
      },
      'generic-pos': { keys: ['whsec_wa19PRVzhp0ponxGatgHUlixfP5jEKdxKK4Vsmf3hHE='] },
      'generic-crm': { keys: ['whsec_ntRlMzlNnyUtsaAM4s7xBjuLImTURTvfRF3rl8P0arI='] },
      'segment-web': { writeKey: 'development_edu_web' },
      'segment-server': { writeKey: 'development_edu_server' },
    },
    keys: {
      operator: 'development-edu-operator',
      admin: 'development-edu-admin',
      privacy: 'development-edu-privacy',
    },
  },
};
