import { z } from 'zod';
import { instant } from '../events/event.ts';
import { modelName } from '../platform/brand.ts';
import { DAY } from '../platform/clock.ts';
import { flag } from './conversion.ts';
import { path } from './path.ts';
import { brandDay, type ConversionRow, profileOf, UNATTRIBUTED } from './row.ts';
import { credit } from './share.ts';
import { touch } from './touch.ts';

const money = z.strictObject({ amount: z.int(), currency: z.string() });

const viewedCredit = z.strictObject({
  /** Place in `path`, from 0; `null`: nobody's. */
  touch: z.int().nullable(),
  channel: z.string(),
  campaign: z.string().optional(),
  ppm: z.int(),
  gross: money,
  refunded: money,
  net: money,
  factors: credit.shape.factors,
});

/** The answer to `GET /conversions/{id}`: the conversion, its path, who is credited in each model, and by what. */
export const conversionAnswer = z.strictObject({
  id: z.string(),
  profile: z.string(),
  goal: z.string(),
  /** The sender's own name of it: the order number. */
  reference: z.string(),
  eventId: z.string(),
  occurredAt: instant,
  /** When later events told of it again. */
  repeatedAt: z.array(instant),
  day: brandDay,
  value: money,
  refunded: money,
  net: money,
  refunds: z.array(
    z.strictObject({ id: z.string(), eventId: z.string(), occurredAt: instant, value: money }),
  ),
  flags: z.array(flag),
  path: z.array(
    touch.omit({ at: true }).extend({
      occurredAt: instant,
      /** Days from the touch to the conversion. */
      ageDays: z.number(),
    }),
  ),
  excluded: z.array(path.shape.excluded.element.omit({ at: true }).extend({ occurredAt: instant })),
  excludedCount: path.shape.excludedCount,
  models: z.partialRecord(modelName, z.array(viewedCredit)),
});
export type ConversionAnswer = z.infer<typeof conversionAnswer>;

/** A conversion as people and their systems read it. */
export function conversionView({ id, day, conversion, path, credits }: ConversionRow): ConversionAnswer {
  const { goal, reference, eventId, at, repeatedAt, value, refunded, refunds, flags, currency } = conversion;
  const inMoney = (amount: number) => ({ amount, currency });
  const models: ConversionAnswer['models'] = {};
  for (const name of modelName.options) {
    const credited = credits[name];
    if (!credited) continue;
    models[name] = credited.map((it) => {
      const found = it.touch === null ? undefined : path.touches[it.touch];
      return {
        touch: it.touch,
        channel: found?.channel ?? UNATTRIBUTED,
        ...(found?.campaign !== undefined && { campaign: found.campaign }),
        ppm: it.ppm,
        gross: inMoney(it.gross),
        refunded: inMoney(it.refunded),
        net: inMoney(it.gross - it.refunded),
        factors: it.factors,
      };
    });
  }
  return {
    id,
    profile: profileOf(id),
    goal,
    reference,
    eventId,
    occurredAt: at,
    repeatedAt,
    day,
    value: inMoney(value),
    refunded: inMoney(refunded),
    net: inMoney(value - refunded),
    refunds: refunds.map(({ id: refundId, eventId: by, at: refundedAt, amount }) => ({
      id: refundId,
      eventId: by,
      occurredAt: refundedAt,
      value: inMoney(amount),
    })),
    flags,
    path: path.touches.map(({ at: touchedAt, ...it }) => ({
      ...it,
      occurredAt: touchedAt,
      ageDays: (Date.parse(at) - Date.parse(touchedAt)) / DAY,
    })),
    excluded: path.excluded.map(({ at: touchedAt, ...it }) => ({ ...it, occurredAt: touchedAt })),
    excludedCount: path.excludedCount,
    models,
  };
}
