import { z } from 'zod';
import { byTime, type Event, instant, type Json } from '../events/event.ts';
import type { Brand } from '../platform/brand.ts';
import { type TouchRole, touchRole } from '../platform/brand-words.ts';

/** What of a brand decides on paths, conversions and credits. */
export type Terms = Pick<Brand, 'attribution' | 'conversions' | 'currency'>;

/** The channel of a visit that nothing led to. */
export const DIRECT = 'direct';

/** A marketing contact: an event that carries a channel, and what of it paths and reports need. */
export const touch = z.strictObject({
  eventId: z.string(),
  type: z.string(),
  at: instant,
  channel: z.string(),
  campaign: z.string().optional(),
  content: z.string().optional(),
  session: z.string().optional(),
  /** Who or what the contact was made by: a member of staff, the scene of a QR code. */
  staff: z.string().optional(),
  scene: z.string().optional(),
  role: touchRole,
  /** Marks the opportunity of the W model: its type is among the brand's `opportunities`. */
  opportunity: z.boolean(),
});
export type Touch = z.infer<typeof touch>;

/**
 * The touch that an event is, if it is one: its type is among the brand's `touches`, or it carries a campaign.
 * What a conversion or its refund is made of is never a touch, whatever it carries: an order would credit itself.
 *
 * The channel is the first that is known of
 *
 *   campaign.channel · properties.channel · campaign.source[/medium] · for a page the referrer · source.channel
 *
 * A page seen without a campaign is `direct` when there is no referrer or the referrer is the page's own host
 * (going from page to page is no new contact); otherwise its channel is the referrer's host.
 */
export function touchOf(event: Event, terms: Terms): Touch | undefined {
  const campaign = campaignOf(event);
  if (!campaign && !terms.attribution.touches.includes(event.type)) return undefined;
  if (terms.conversions.some((rule) => rule.event === event.type || rule.refund?.event === event.type))
    return undefined;
  const { properties, context } = event;
  const name = campaign?.name ?? words(properties.campaign);
  const content = campaign?.content ?? words(properties.content) ?? words(properties.content_id);
  const [staff, scene] = [words(properties.staff_id), words(properties.scene)];
  return {
    eventId: event.id,
    type: event.type,
    at: event.occurredAt,
    channel: channelOf(event, campaign),
    ...(name !== undefined && { campaign: name }), // no row can hold `undefined`
    ...(content !== undefined && { content }),
    ...(context.session !== undefined && { session: context.session }),
    ...(staff !== undefined && { staff }),
    ...(scene !== undefined && { scene }),
    role: roleOf(event.type, terms),
    opportunity: terms.attribution.opportunities.includes(event.type),
  };
}

const roleOf = (type: string, { attribution: { composite } }: Terms): TouchRole =>
  Object.hasOwn(composite.roleOf, type) ? composite.roleOf[type]! : 'latent';

/** The nearer to the purchase of two roles. */
export const nearerRole = (a: TouchRole, b: TouchRole): TouchRole =>
  touchRole.options.indexOf(a) < touchRole.options.indexOf(b) ? a : b;

/** The touches among events, in order of (time, id); an event that is listed twice is one touch. */
export function touchesOf(events: readonly Event[], terms: Terms): Touch[] {
  const touches = events.flatMap((event) => touchOf(event, terms) ?? []);
  touches.sort((a, b) => byTime(order(a), order(b)));
  return touches.filter((it, i) => it.eventId !== touches[i - 1]?.eventId);
}

const order = (it: Touch) => ({ occurredAt: it.at, id: it.eventId });

type Campaign = NonNullable<Event['context']['campaign']>;

/** The event's campaign with its empty fields left out; none if nothing is left. */
function campaignOf({ context }: Event): Campaign | undefined {
  if (!context.campaign) return undefined;
  const said = Object.entries(context.campaign).filter(([, value]) => value);
  return said.length === 0 ? undefined : Object.fromEntries(said);
}

function channelOf({ type, properties, context, source }: Event, campaign: Campaign | undefined): string {
  const named = campaign?.channel ?? words(properties.channel);
  if (named !== undefined) return named;
  if (campaign?.source) return campaign.medium ? `${campaign.source}/${campaign.medium}` : campaign.source;
  if (type !== 'page_viewed' || campaign) return source.channel;
  if (!context.referrer) return DIRECT;
  const from = hostOf(context.referrer);
  if (from === undefined) return source.channel;
  const page = hostOf(context.page?.url ?? words(properties.url) ?? '');
  return from === page ? DIRECT : from;
}

const hostOf = (url: string): string | undefined => URL.parse(url)?.host || undefined;

const words = (value: Json | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
