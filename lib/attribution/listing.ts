import { z } from 'zod';
import { modelName } from '../platform/brand-words.ts';
import { compress, decompress } from '../platform/compressed.ts';
import type { DayRow } from './row.ts';

const whole = z.array(z.int());

/** A conversion of a day's list by place instead of by name: reports read every one of a day, so that bytes count. */
const listing = z.tuple([
  z.string(),
  z.string(),
  z.int(),
  z.int(),
  /** Without the empty ones at the end. */
  z.array(z.tuple([z.string()], z.string().nullable())),
  whole,
  z.int(),
  /** ppm, gross, refunded (0: nothing was) of each name. */
  z.partialRecord(modelName, z.tuple([whole, whole, z.union([z.literal(0), whole])])),
  /** `firstDaysAgo`. */
  z.int().optional(),
]);
type Listing = z.infer<typeof listing>;

const listings = z.array(z.tuple([z.string(), listing])).min(1);

/** What of a listing is not in its key. */
export type ListedConversion = Omit<DayRow, 'id' | 'day'>;

/** Listings of one conversion by what it was told by, the newest last: as a rule there is one. */
export const packListings = (told: readonly (readonly [string, ListedConversion])[]): Uint8Array =>
  compress(told.map(([id, it]) => [id, packListing(it)]));

/**
 * One of the listings: that of a generation, or the newest. Of a generation that it was not told by it has the money
 * and no shares, so that no total lacks it.
 */
export function unpackListing(body: Uint8Array, generation?: string): ListedConversion {
  const all = listings.parse(decompress(body));
  const newest = all.at(-1)!;
  const asked = generation === undefined ? newest : all.find(([id]) => id === generation);
  return asked ? unpacked(asked[1]) : { ...unpacked(newest[1]), shares: {} };
}

function packListing(it: ListedConversion): Listing {
  const shares: Listing[7] = {};
  for (const model of modelName.options) {
    const own = it.shares[model];
    if (!own) continue;
    const refunded = own.map((sum) => sum[2]);
    shares[model] = [
      own.map((sum) => sum[0]),
      own.map((sum) => sum[1]),
      refunded.every((part) => part === 0) ? 0 : refunded,
    ];
  }
  const names = it.names.map(([channel, ...more]): [string, ...(string | null)[]] => [
    channel,
    ...more.slice(0, more.findLastIndex((part) => part !== null) + 1),
  ]);
  const { goal, currency, gross, refunded, path, spanMs, firstDaysAgo } = it;
  const packed = [goal, currency, gross, refunded, names, path, spanMs, shares] as const;
  return firstDaysAgo === undefined ? [...packed] : [...packed, firstDaysAgo];
}

function unpacked([
  goal,
  currency,
  gross,
  refunded,
  names,
  path,
  spanMs,
  packed,
  firstDaysAgo,
]: Listing): ListedConversion {
  const shares: DayRow['shares'] = {};
  for (const model of modelName.options) {
    const own = packed[model];
    if (!own) continue;
    const [ppm, money, back] = own;
    shares[model] = ppm.map((share, i) => [share, money[i] ?? 0, back === 0 ? 0 : (back[i] ?? 0)]);
  }
  const full = names.map(
    ([channel, campaign = null, content = null, staff = null, scene = null]): DayRow['names'][number] => [
      channel,
      campaign,
      content,
      staff,
      scene,
    ],
  );
  const row = { goal, currency, gross, refunded, names: full, path, spanMs, shares };
  return { ...row, ...(firstDaysAgo !== undefined && { firstDaysAgo }) };
}
