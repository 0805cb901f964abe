import type { Event, Json } from '../../../lib/events/event.ts';
import type { Brand, ConversionRule } from '../../../lib/platform/brand.ts';
import { compositeWeightsOf } from './composite.ts';
import { splitExactly } from './money.ts';
import { byText } from './order.ts';

const MINUTE = 60 * 1000;
const DAY = 24 * 60 * MINUTE;
const PPM = 1_000_000;

export type ExpectedModel = 'first' | 'last' | 'linear' | 'time_decay' | 'composite';

export interface ExpectedCredit {
  /** Id of the touch's event; `(unattributed)` where there is no touch. */
  readonly event: string;
  readonly channel: string;
  readonly ppm: number;
  readonly gross: number;
  readonly refunded: number;
}

export interface ExpectedConversion {
  readonly goal: string;
  /** The sender's own key, such as the order number. */
  readonly reference: string;
  /** The earliest event's. */
  readonly at: string;
  readonly event: string;
  readonly value: number;
  readonly refunded: number;
  /** Ids of the touches' events, in order. */
  readonly path: readonly string[];
  readonly credits: Readonly<Record<ExpectedModel, readonly ExpectedCredit[]>>;
}

interface Touch {
  readonly event: Event;
  readonly at: number;
  readonly channel: string;
  readonly type: string;
  role: Role;
}

/** From the nearest to the purchase. */
const ROLES = ['direct', 'indirect', 'latent'] as const;
type Role = (typeof ROLES)[number];

type Customer = 'vip' | 'silent' | 'other';

/**
 * The conversions of one profile with their credits, each by the definition of its model.
 *
 * @param stood how the customer stood at an instant, where an order does not say it
 */
export function conversionsOf(
  events: readonly Event[],
  brand: Brand,
  stood: (at: number) => Customer = () => 'other',
): ExpectedConversion[] {
  const touches = events.flatMap((event): Touch[] => {
    const channel = touchChannel(event, brand);
    if (channel === undefined) return [];
    const { type, occurredAt } = event;
    const role = brand.attribution.composite.roleOf[type] ?? 'latent';
    return [{ event, at: Date.parse(occurredAt), channel, type, role }];
  });
  return brand.conversions
    .flatMap((rule) => {
      const found = conversionsUnder(rule, events);
      return found.map((conversion, i) => withCredits(conversion, found[i - 1], touches, brand, stood));
    })
    .sort((a, b) => byText(a.at, b.at) || byText(a.event, b.event) || byText(a.reference, b.reference));
}

interface Found {
  readonly rule: ConversionRule;
  readonly reference: string;
  readonly first: Event;
  readonly value: number;
  readonly refunded: number;
}

/**
 * Conversions of one rule in order of (time, id). The same reference twice is one conversion: the first event gives
 * the time, the last one the value. A refund counts once per refund id, the last event gives its amount; together
 * they never exceed the value.
 */
function conversionsUnder(rule: ConversionRule, events: readonly Event[]): Found[] {
  const valued = events.filter((event) => event.type === rule.event);
  const references = new Set(valued.map((event) => String(event.properties[rule.key])));
  return [...references].map((reference) => {
    const own = valued.filter((event) => String(event.properties[rule.key]) === reference);
    const value = rule.value === undefined ? 0 : amount(own.at(-1)?.properties[rule.value]);
    const { refund } = rule;
    const byId = new Map<string, number>();
    if (refund)
      for (const event of events)
        if (event.type === refund.event && event.properties[refund.key] === reference)
          byId.set(String(event.properties[refund.id]), amount(event.properties[refund.value]));
    let refunded = 0;
    for (const one of byId.values()) refunded += one;
    return { rule, reference, first: own[0]!, value, refunded: Math.min(refunded, value) };
  });
}

const formats = new Map<string, Intl.DateTimeFormat>();

function dayIn(timeZone: string, at: number): string {
  const format = formats.get(timeZone) ?? new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' });
  formats.set(timeZone, format);
  return format.format(at);
}

const amount = (value: Json | undefined) => (typeof value === 'number' ? value : 0);

/** The channel of an event that is a touch. What conversions and refunds are made of is none. */
export function touchChannel(event: Event, brand: Brand): string | undefined {
  const isMoney = brand.conversions.some(
    (rule) => rule.event === event.type || rule.refund?.event === event.type,
  );
  const campaign = event.context.campaign;
  if (isMoney || (!campaign && !brand.attribution.touches.includes(event.type))) return undefined;
  if (campaign?.channel) return campaign.channel;
  const { channel } = event.properties;
  if (typeof channel === 'string' && channel !== '') return channel;
  if (campaign?.source) return campaign.source + (campaign.medium ? `/${campaign.medium}` : '');
  if (event.type !== 'page_viewed' || campaign) return event.source.channel;
  const { referrer, page } = event.context;
  if (!referrer) return 'direct';
  const from = new URL(referrer).host;
  return page?.url && new URL(page.url).host === from ? 'direct' : from;
}

function withCredits(
  { rule, reference, first, value, refunded }: Found,
  previous: Found | undefined,
  touches: readonly Touch[],
  brand: Brand,
  stood: (at: number) => Customer,
): ExpectedConversion {
  const path = pathTo(first, previous?.first, touches, brand);
  const share = (weights: number[]): ExpectedCredit[] => {
    const ppm = splitExactly(PPM, weights);
    const gross = splitExactly(value, weights);
    const back = splitExactly(refunded, weights);
    return weights.map((_, i) => ({
      event: path[i]?.event.id ?? '(unattributed)',
      channel: path[i]?.channel ?? '(unattributed)',
      ppm: ppm[i]!,
      gross: gross[i]!,
      refunded: back[i]!,
    }));
  };
  const newest = path.at(-1)?.at ?? 0;
  const halfLife = brand.attribution.halfLifeDays * DAY;
  const weights = {
    first: path.map((_, i) => (i === 0 ? 1 : 0)),
    last: path.map((_, i) => (i === path.length - 1 ? 1 : 0)),
    linear: path.map(() => 1),
    // Relative to the newest touch: what the ages have in common cancels.
    time_decay: path.map((touch) => 2 ** (-(newest - touch.at) / halfLife)),
  };
  const at = Date.parse(first.occurredAt);
  const said = first.properties[brand.attribution.composite.tier.property];
  const customer = said === 'vip' || said === 'silent' ? said : said === undefined ? stood(at) : 'other';
  const day = dayIn(brand.timezone, at);
  const nobody = path.length === 0 ? [1] : undefined;
  return {
    goal: rule.goal,
    reference,
    at: first.occurredAt,
    event: first.id,
    value,
    refunded,
    path: path.map(({ event }) => event.id),
    credits: {
      first: share(nobody ?? weights.first),
      last: share(nobody ?? weights.last),
      linear: share(nobody ?? weights.linear),
      time_decay: share(nobody ?? weights.time_decay),
      composite: share(
        nobody ?? compositeWeightsOf(path, { at, day, customer }, brand.attribution.composite),
      ),
    },
  };
}

/** Look-back, then journey, then duplicates, then direct visits. */
function pathTo(
  conversion: Event,
  previous: Event | undefined,
  touches: readonly Touch[],
  { attribution }: Brand,
): readonly Touch[] {
  const end = Date.parse(conversion.occurredAt);
  const lookBack = (channel: string) =>
    (attribution.lookbackDaysByChannel[channel] ?? attribution.lookbackDays) * DAY;
  const seen = touches.filter(({ at, channel }) => at <= end && end - at <= lookBack(channel));
  const own =
    attribution.journey === 'reset' && previous
      ? seen.filter(({ at }) => at > Date.parse(previous.occurredAt))
      : seen;
  const single = withoutDuplicates(own, attribution.duplicates);
  const named = single.filter(({ channel }) => channel !== 'direct');
  return attribution.direct === 'dropIfOthers' && named.length > 0 ? named : single;
}

function withoutDuplicates(
  touches: readonly Touch[],
  policy: Brand['attribution']['duplicates'],
): readonly Touch[] {
  if (policy === 'none') return touches;
  const all = touches.map((it) => ({ ...it }));
  const kept = all.filter((it, i) => {
    const into = goesInto(it, i, all, policy);
    // A contact has the role that is nearest to the purchase of all that it was.
    if (into && ROLES.indexOf(it.role) < ROLES.indexOf(into.role)) into.role = it.role;
    return into === undefined;
  });
  return kept;
}

/** The touch that another is the same contact as: the first of its channel, or the next of its visit. */
function goesInto<T extends Touch>(
  it: T,
  i: number,
  all: readonly T[],
  policy: Brand['attribution']['duplicates'],
): T | undefined {
  if (policy === 'unique') return all.slice(0, i).find(({ channel }) => channel === it.channel);
  if (policy === 'consecutive') return all[i + 1]?.channel === it.channel ? all[i + 1] : undefined;
  // A touch goes where a later one of the same visit stands: the last of a visit stays.
  const next = all
    .slice(i + 1)
    .find(
      (later) => later.channel === it.channel && later.event.context.session === it.event.context.session,
    );
  const isApart = it.event.context.session === undefined && next && next.at - it.at > 30 * MINUTE;
  return isApart ? undefined : next;
}
