import { z } from 'zod';
import { instant } from '../events/event.ts';
import { modelName } from '../platform/brand.ts';
import { conversion } from './conversion.ts';
import { path } from './path.ts';
import { credits } from './share.ts';

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

/** A conversion in its brand-day's list: what reports add up. */
export const dayRow = z.strictObject({
  id: z.string(),
  day: brandDay,
  goal: z.string(),
  currency: z.string(),
  gross: z.int(),
  refunded: z.int(),
  /** Channel and campaign of the touches, each pair once; a channel of `UNATTRIBUTED` where there is none. */
  names: z.array(z.tuple([z.string(), z.string().nullable()])),
  /** Per model and name: ppm, gross, refunded. Names without a share are listed with zeros. */
  shares: z.partialRecord(modelName, z.array(z.tuple([z.int(), z.int(), z.int()]))),
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

/** The compact form of a conversion for its brand-day's list: credits added up per channel and campaign. */
export function dayRowOf({
  id,
  day,
  conversion: it,
  path: { touches },
  credits: all,
}: ConversionRow): DayRow {
  const index = new Map<string, number>();
  const names: DayRow['names'] = [];
  const indexOf = (touch: number | null): number => {
    const found = touch === null ? undefined : touches[touch];
    const name: [string, string | null] = [found?.channel ?? UNATTRIBUTED, found?.campaign ?? null];
    const key = JSON.stringify(name);
    const known = index.get(key) ?? names.push(name) - 1;
    index.set(key, known);
    return known;
  };
  const places = touches.length === 0 ? [indexOf(null)] : touches.map((_, i) => indexOf(i));
  const shares: DayRow['shares'] = {};
  for (const name of modelName.options) {
    const credited = all[name];
    if (!credited) continue;
    const sums = names.map((): [number, number, number] => [0, 0, 0]);
    for (const [i, { ppm, gross, refunded }] of credited.entries()) {
      const sum = sums[places[i]!]!;
      sum[0] += ppm;
      sum[1] += gross;
      sum[2] += refunded;
    }
    shares[name] = sums;
  }
  const { goal, currency, value: gross, refunded } = it;
  return { id, day, goal, currency, gross, refunded, names, shares };
}
