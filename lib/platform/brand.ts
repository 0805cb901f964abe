import { z } from 'zod';
import { modelName, populationModel, role, rule, text, touchRole, word } from './brand-words.ts';

const zone = z.string().refine(
  (name) => {
    try {
      new Intl.DateTimeFormat('en', { timeZone: name });
      return true;
    } catch {
      return false;
    }
  },
  { error: 'not an IANA time zone, such as Asia/Shanghai' },
);

/** What counts as a conversion, and what takes it back. */
export const conversionRule = z.strictObject({
  goal: word,
  event: word,
  /** The property that tells two conversions apart; the same value twice is one conversion. */
  key: word,
  /** The property with the value in minor units; absent: every conversion is worth 0. */
  value: word.optional(),
  currency: word.default('currency'),
  refund: z.strictObject({ event: word, key: word, value: word, id: word }).optional(),
});
export type ConversionRule = z.infer<typeof conversionRule>;

const share = z.number().min(0).max(1);

/** Event types that count more or less in a scenario. */
const scenario = z.record(word, z.number().min(0.5).max(3));

/** Scenarios that a brand can take as they are; reports name no numbers, 1.5 is ours. */
export const scenarioPresets = {
  default: {},
  promotion: { coupon_issued: 1.5 },
  brand: { content_shared: 1.5 },
} satisfies Record<string, z.infer<typeof scenario>>;

/** Brand-days on which a scenario applies: from ≤ day < to. */
const season = z
  .strictObject({ from: z.iso.date(), to: z.iso.date(), scene: word })
  .refine(({ from, to }) => from < to, { error: '`to` is the day after the last, and comes after `from`' });

const weight = z.number().positive().max(1_000);
/** A tag, or one with a value: `stage=silent`. */
const tagNamed = z.string().regex(/^[a-z][a-z0-9_]{0,39}(=[a-z][a-z0-9_]{0,39})?$/, '`tag` or `tag=value`');

/** The parameters of the composite model. All factors count in their ratios within a path only. */
export const compositeSettings = z
  .strictObject({
    /** Of the relation's beginning: α, and how fast it fades, λ a day (to a third in 7 days unless set). */
    opening: z
      .strictObject({ weight: share, perDay: z.number().min(0) })
      .default({ weight: 0.3, perDay: Math.log(3) / 7 }),
    /** Of the nearness to the purchase: β, and its half-life h in days. */
    closing: z
      .strictObject({ weight: share, halfLifeDays: z.number().min(0.25).max(90) })
      .default({ weight: 0.6, halfLifeDays: 7 }),
    /** γ: no touch decays below this. */
    floor: share.default(0),
    /** What a touch counts by: its role, or its place as in the U or W model. */
    position: z.enum(['role', 'u_shaped', 'w_shaped']).default('role'),
    roles: z.record(touchRole, weight).default({ direct: 0.8, indirect: 0.4, latent: 0.2 }),
    /** The role of a touch by its event's type; every other type is latent. */
    roleOf: z.record(word, touchRole).default({
      product_added: 'direct',
      checkout_started: 'direct',
      order_created: 'direct',
      coupon_redeemed: 'direct',
      product_viewed: 'indirect',
      contact_added: 'indirect',
      group_joined: 'indirect',
      conversation_started: 'indirect',
      message_received: 'indirect',
      message_link_clicked: 'indirect',
      lead_submitted: 'indirect',
      qr_code_scanned: 'indirect',
      coupon_issued: 'indirect',
    }),
    tiers: z
      .strictObject({ vipEarly: weight, silentLate: weight, lateDays: z.number().positive() })
      .default({ vipEarly: 1.2, silentLate: 1.3, lateDays: 7 }),
    /**
     * Where the conversion's own event says how the customer stood when it came, and by which values; where it says
     * nothing, the tags, `tag` or `tag=value`, that said so just before.
     */
    tier: z
      .strictObject({
        property: word,
        vip: z.array(z.string()),
        silent: z.array(z.string()),
        tags: z
          .strictObject({ vip: z.array(tagNamed).default([]), silent: z.array(tagNamed).default([]) })
          .optional(),
      })
      .default({ property: 'customer_tier', vip: ['vip'], silent: ['silent'] }),
    /** By name. Those that are set take the place of the presets. */
    scenarios: z.record(word, scenario).default({ ...scenarioPresets }),
    /** The scenario outside of all seasons. */
    scene: word.default('default'),
    /** The scenario of a conversion is that of the season which its brand-day lies in. */
    seasons: z.array(season).max(200).default([]),
  })
  .check(({ value: { scenarios, scene, seasons }, issues }) => {
    for (const name of new Set([scene, ...seasons.map((it) => it.scene)]))
      if (!Object.hasOwn(scenarios, name))
        issues.push({ code: 'custom', input: name, message: `no scenario is called ${name}` });
    const sorted = [...seasons].sort((a, b) => (a.from < b.from ? -1 : 1));
    for (const [i, { from }] of sorted.entries())
      if (i > 0 && from < sorted[i - 1]!.to)
        issues.push({ code: 'custom', input: from, message: `two seasons hold ${from}` });
  });
export type CompositeSettings = z.infer<typeof compositeSettings>;

export const attributionSettings = z.strictObject({
  lookbackDays: z.number().positive().max(365).default(30),
  /** Shorter or longer look-back for single channels. */
  lookbackDaysByChannel: z.record(z.string(), z.number().positive().max(365)).default({}),
  journey: z.enum(['reset', 'window']).default('reset'),
  duplicates: z.enum(['none', 'consecutive', 'session', 'unique']).default('session'),
  direct: z.enum(['keep', 'dropIfOthers']).default('dropIfOthers'),
  models: z
    .array(modelName)
    .min(1)
    .default([...modelName.options]),
  u: z
    .strictObject({ first: share, middle: share, last: share })
    .default({ first: 0.4, middle: 0.2, last: 0.4 }),
  w: z
    .strictObject({ first: share, opportunity: share, last: share, rest: share })
    .default({ first: 0.3, opportunity: 0.3, last: 0.3, rest: 0.1 }),
  halfLifeDays: z.number().min(0.25).max(90).default(7),
  composite: compositeSettings.prefault({}),
  /** Event types that are touches; an event of any type that carries a campaign is one too. */
  touches: z
    .array(word)
    .default([
      'channel_followed',
      'qr_code_scanned',
      'menu_clicked',
      'contact_added',
      'group_joined',
      'conversation_started',
      'message_link_clicked',
      'content_liked',
      'content_commented',
      'content_shared',
      'lead_submitted',
      'page_viewed',
      'coupon_issued',
    ]),
  /** The types that mark the opportunity of the W model. */
  opportunities: z
    .array(word)
    .default(['product_added', 'checkout_started', 'conversation_started', 'lead_submitted']),
});
export type AttributionSettings = z.infer<typeof attributionSettings>;

const cuts = z.array(z.number()).length(4);

/** Fixed cuts of recency, frequency and money: five scores each, 5 is best. */
export const rfmSettings = z.strictObject({
  event: word.default('order_paid'),
  value: word.default('paid_amount'),
  windowDays: z.int().positive().max(1095).default(365),
  /** Bought within so many brand-days → 5, 4, 3, 2; else 1. Ascending. */
  r: cuts.default([30, 60, 90, 180]),
  /** At least so many orders → 2, 3, 4, 5. Ascending. */
  f: cuts.default([2, 3, 5, 8]),
  /** At least so much money in minor units → 2, 3, 4, 5. Ascending. */
  m: cuts.default([20_000, 50_000, 100_000, 300_000]),
  /** How often cuts by quintiles are taken anew, where rules read them. */
  renew: z.enum(['day', 'week', 'month']).default('month'),
});
export type RfmSettings = z.infer<typeof rfmSettings>;

/** A time of the business that has a name: brand-days from ≤ day < to. Of two that overlap the first in the list counts. */
const phase = z
  .strictObject({ phase: word, from: z.iso.date(), to: z.iso.date() })
  .refine(({ from, to }) => from < to, { error: '`to` is the day after the last, and comes after `from`' });
export type Phase = z.infer<typeof phase>;

/** Event type → what one counts, with at most three decimals. */
const scoreWeights = z.record(word, z.number().min(0).max(1_000).multipleOf(0.001));
/** A number that rules compare, `score("…") >= 2.5`: events by weight, fading. */
export const scoreSettings = z.strictObject({
  halfLifeDays: z.int().min(7).max(365).default(30),
  weights: scoreWeights,
  /** Phase → weights that take the place of those above while it lasts. */
  phases: z.record(word, scoreWeights).default({}),
});
export type ScoreSettings = z.infer<typeof scoreSettings>;

/** What somebody's value is made of: points for a number, `per` of which are one, or for a condition, which gives all. */
const valuePart = z.strictObject({
  of: z.string().min(1).max(1000),
  per: z.int().min(1).max(1_000_000_000).default(1),
  most: z.int().min(1).max(100),
});
const valueLayer = z
  .strictObject({
    /** What it counts beside the other layers. */
    weight: z.int().min(1).max(100),
    parts: z.record(word, valuePart),
  })
  .refine(({ parts }) => Object.values(parts).reduce((sum, { most }) => sum + most, 0) === 100, {
    error: 'the `most` of its parts add up to 100',
  });
export type ValueLayer = z.infer<typeof valueLayer>;
/** A brand's file sets those that are its own: when it is loaded, the others are `lib/tags/value-default.ts`. */
const valueSettings = z.strictObject({
  base: valueLayer.optional(),
  potential: valueLayer.optional(),
  spread: valueLayer.optional(),
  loyalty: valueLayer.optional(),
});
export type ValueSettings = z.infer<typeof valueSettings>;

/** What each may do stands in `lib/privacy/roles.ts`. */
/** A campaign that leaves some profiles alone: those whose `bucket(salt, of)` is less than `below`. */
const holdout = z
  .strictObject({
    campaign: z.string().min(1).max(200),
    salt: z.string().min(1).max(100),
    of: z.int().min(2).max(1_000_000).default(100),
    below: z.int().positive(),
    /** Brand-days of the campaign: from ≤ day < to. */
    from: z.iso.date(),
    to: z.iso.date(),
  })
  .refine((it) => it.from < it.to && it.below < it.of, { error: '`from` < `to`, and `below` < `of`' });
export type Holdout = z.infer<typeof holdout>;

/** Nothing that customers did is kept for longer: three years. */
const MOST_DAYS = 1_095;
const keptDays = z
  .int()
  .positive()
  .max(MOST_DAYS, `events are kept for at most ${MOST_DAYS} days, three years`);

/** On how many brand-days events are kept, their own the first (`lib/profile/retention.ts`). */
const eventRetention = z.strictObject({
  /** What analytics needs: every type that is not said below. */
  days: keptDays.default(MOST_DAYS),
  /** The brand's books: conversions, and what takes them back. */
  orders: keptDays.default(MOST_DAYS),
  /** Single types, whatever else they are. */
  types: z
    .record(
      z
        .string()
        .regex(/^[a-z][a-z0-9_]{0,63}$/, 'an event type: snake_case, at most 64 characters')
        .refine(
          (type) => !/^consent_(granted|withdrawn|revoked)$/.test(type),
          'what was said of consent is its proof: it is kept as long as the profile',
        ),
      keptDays,
    )
    .default({}),
});

/** What is learned of everybody's paths, and when. */
const modelSettings = z.strictObject({
  /** Learned anew each night; on demand each of them can be. */
  nightly: z.array(populationModel).default([]),
  /** The brand-days before the night that are looked at. */
  days: z.int().min(1).max(400).default(90),
  /** Of the Markov chain. */
  order: z.int().min(1).max(4).default(1),
  holdouts: z.array(holdout).max(50).default([]),
});

/** How it is while a person has said nothing: allowed until they refuse, or only once they have been asked and agreed. */
const presumption = z.enum(['granted', 'asked']).default('granted');

/** What holds of customers who have said nothing, by purpose (`lib/consent/purpose.ts`). */
export const consentDefaults = z.strictObject({
  analytics: presumption,
  personalisation: presumption,
  marketing: presumption,
  sharing: presumption,
});
export type ConsentDefaults = z.infer<typeof consentDefaults>;

/** A brand: one stack, one table. Everything that makes one deployment differ from another. */
export const brand = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{1,29}$/, 'lower case letters, digits and dashes, at most 30'),
  title: text,
  timezone: zone,
  locale: z.string().min(2).max(35),
  currency: z.string().regex(/^[A-Z]{3}$/, 'ISO 4217'),
  /** Channel → account → the channel's own settings; each channel checks its own (`lib/channels`). */
  channels: z.record(
    z.string(),
    z.record(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/), z.record(z.string(), z.json())),
  ),
  conversions: z.array(conversionRule).default([
    {
      goal: 'order',
      event: 'order_paid',
      key: 'order_id',
      value: 'paid_amount',
      currency: 'currency',
      refund: { event: 'order_refunded', key: 'order_id', value: 'refund_amount', id: 'refund_id' },
    },
  ]),
  attribution: attributionSettings.prefault({}),
  models: modelSettings.prefault({}),
  rfm: rfmSettings.prefault({}),
  scores: z.record(word, scoreSettings).default({}),
  phases: z.array(phase).max(200).default([]),
  value: valueSettings.default({}),
  retention: z
    .strictObject({
      quarantineDays: z.int().positive().max(365).default(30),
      logDays: z.int().positive().max(3653).default(30),
      events: eventRetention.prefault({}),
    })
    .prefault({}),
  privacy: z
    .strictObject({
      /** Groups of fewer profiles than this are not counted out in forecasts. */
      k: z.int().min(1).max(1_000).default(10),
      /** Within so many days what somebody asks for in a person's name has to be done. */
      requestDays: z.int().min(1).max(30).default(15),
      /** Which revocations that WeChat pushes ask for erasure: of closed accounts, of single authorisations too, none. */
      revocations: z.enum(['account', 'all', 'none']).default('account'),
      /** Properties and traits that are the brand's own: `internal analyse` (`lib/privacy/classes.ts`). */
      fields: z.record(z.string(), z.string()).default({}),
      /** So many different people read with one key within an hour are odd, and raise an alarm. */
      bulkReads: z.int().min(1).max(100_000).default(300),
      /** Exports from this hour on and before that one, by the brand's clock, raise an alarm. */
      night: z
        .strictObject({ from: z.int().min(0).max(23), to: z.int().min(0).max(23) })
        .default({ from: 22, to: 7 }),
    })
    .prefault({}),
  consent: consentDefaults.prefault({}),
  identity: z
    .strictObject({
      /**
       * A phone that was not seen for so many days is not followed when it is seen again with somebody else: numbers are given
       * out anew (in China after 90 days). Absent: it is its first owner's for ever.
       */
      phoneIdleDays: z.int().min(30).max(3_650).optional(),
    })
    .prefault({}),
  backfill: z
    .strictObject({
      /** Profiles a second, all parts together, that are brought to new rules. */
      perSecond: z.int().min(100).max(100_000).default(1_000),
    })
    .prefault({}),
  rules: z.array(rule).max(300).default([]),
  /** For the local run alone: what Secrets Manager would hold, and API keys in clear. Never deployed. */
  local: z
    .strictObject({
      secrets: z.record(z.string(), z.json()).default({}),
      keys: z.partialRecord(role, z.string().min(16)).default({}),
    })
    .optional(),
});
export type Brand = z.infer<typeof brand>;
/** A brand as it is written: defaults may be left out. */
export type BrandInput = z.input<typeof brand>;
