import { z } from 'zod';
import { instant } from '../events/event.ts';
import { modelName } from '../platform/brand-words.ts';
import { DAY } from '../platform/clock.ts';
import { conversion } from './conversion.ts';
import { path } from './path.ts';
import { credits } from './share.ts';
import type { Touch } from './touch.ts';

export const brandDay = z.iso.date();

/** A conversion as it is kept: what it is, its path, and its credits in every model side by side. */
export const conversionRow = z.strictObject({
  /** `profile.key`: what `GET /conversions/{id}` takes. */
  id: z.string(),
  /** The brand-day that the conversion counts on. */
  day: brandDay,
  conversion,
  path,
  credits,
});
export type ConversionRow = z.infer<typeof conversionRow>;

/** The profile in a conversion's id; empty if it names none. */
export const profileOf = (id: string): string => id.slice(0, Math.max(id.lastIndexOf('.'), 0));

/** What reports can tell touches apart by. */
export const dimensions = ['channel', 'campaign', 'content', 'staff', 'scene'] as const;
export type Dimension = (typeof dimensions)[number];

/** Channel, campaign, content, staff and scene of a contact: one each of `dimensions`, `null` where it names none. */
const nameless = z.string().nullable();
const contactName = z.tuple([z.string(), nameless, nameless, nameless, nameless]);
type ContactName = z.infer<typeof contactName>;

/** A conversion in its brand-day's list: what reports add up. */
export const dayRow = z.strictObject({
  id: z.string(),
  day: brandDay,
  goal: z.string(),
  currency: z.string(),
  gross: z.int(),
  refunded: z.int(),
  /** Who and what the touches were of, each once; `UNATTRIBUTED` where there is none. */
  names: z.array(contactName),
  /** Places in `names` of the path's touches, in time order; empty where there is none. */
  path: z.array(z.int()),
  /** From the first touch to the conversion; 0 where there is none. */
  spanMs: z.int(),
  /** Per model and name: ppm, gross, refunded. Names without a share are listed with zeros. */
  shares: z.partialRecord(modelName, z.array(z.tuple([z.int(), z.int(), z.int()]))),
  /** Brand-days from that of the first touch to `day`; absent where there is none, or the row is older than this. */
  firstDaysAgo: z.int().optional(),
});
export type DayRow = z.infer<typeof dayRow>;

/** Who is credited when nobody is. */
export const UNATTRIBUTED = '(unattributed)';

/** What has to be known of a stored row to write over it; also of rows that are gone. */
export const mark = z.object({
  /** Its edition. */
  v: z.int(),
  gone: z.boolean().default(false),
  /** On a tombstone: when TTL takes it away. Absent on what waits for its order. */
  ttl: z.int().optional(),
  goal: z.string().optional(),
  day: brandDay.optional(),
  /** Days on which it may still be listed and should not. */
  former: z.array(brandDay).default([]),
  at: instant.optional(),
  firstAt: instant.optional(),
});
export type Mark = z.infer<typeof mark>;

/**
 * The compact form of a conversion for its brand-day's list: credits added up per kind of contact.
 *
 * @param dayOf the brand-day of an instant; without it the first touch's is left open
 */
export function dayRowOf(
  { id, day, conversion: it, path: { touches }, credits }: ConversionRow,
  dayOf?: (at: string) => string,
): DayRow {
  const index = new Map<string, number>();
  const names: ContactName[] = [];
  const placeOf = (name: ContactName): number => {
    const key = JSON.stringify(name);
    const known = index.get(key) ?? names.push(name) - 1;
    index.set(key, known);
    return known;
  };
  const path = touches.map((touch) => placeOf(nameOf(touch)));
  const places = path.length > 0 ? path : [placeOf([UNATTRIBUTED, null, null, null, null])];
  const shares: DayRow['shares'] = {};
  for (const model of modelName.options) {
    const credited = credits[model];
    if (!credited) continue;
    const sums = names.map((): [number, number, number] => [0, 0, 0]);
    for (const [i, { ppm, gross, refunded }] of credited.entries()) {
      const sum = sums[places[i]!]!;
      sum[0] += ppm;
      sum[1] += gross;
      sum[2] += refunded;
    }
    shares[model] = sums;
  }
  const { goal, currency, value: gross, refunded } = it;
  const [first] = touches;
  const spanMs = first ? Date.parse(it.at) - Date.parse(first.at) : 0;
  const row = { id, day, goal, currency, gross, refunded, names, path, spanMs, shares };
  if (!first || !dayOf) return row;
  return { ...row, firstDaysAgo: (Date.parse(day) - Date.parse(dayOf(first.at))) / DAY };
}

const nameOf = ({ channel, campaign, content, staff, scene }: Touch): ContactName => [
  channel,
  campaign ?? null,
  content ?? null,
  staff ?? null,
  scene ?? null,
];
