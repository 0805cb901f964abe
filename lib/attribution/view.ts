import { z } from 'zod';
import { instant } from '../events/event.ts';
import { modelName, type PopulationModel } from '../platform/brand-words.ts';
import { DAY } from '../platform/clock.ts';
import { byFactor, compositeWeightOf, explainComposite, factorNames } from './composite.ts';
import { flag } from './conversion.ts';
import { path } from './path.ts';
import { type ChannelWeights, weighByChannel } from './population-share.ts';
import { reportModel } from './report.ts';
import { brandDay, type ConversionRow, profileOf, UNATTRIBUTED } from './row.ts';
import { type Credit, credit, creditsOf } from './share.ts';
import { split, WHOLE } from './split.ts';
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
  /** Of the composite model: what each factor did to this touch's share. */
  explanation: z
    .strictObject({
      /** The factor over its geometric mean on the path: above 1 it speaks for this touch. `null`: it is 0 somewhere. */
      multiples: z.record(z.enum(factorNames), z.number().nullable()),
      /** The share, if the factor were the same for all touches; over the path they sum to 1,000,000. */
      withoutPpm: z.record(z.enum(factorNames), z.int()),
    })
    .optional(),
});
type Explanation = NonNullable<z.infer<typeof viewedCredit>['explanation']>;

/** A conversion, its path, who is credited in each model, and by what. */
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
  /** Those learned of everybody by their newest version, which each factor names. */
  models: z.partialRecord(reportModel, z.array(viewedCredit)),
});
export type ConversionAnswer = z.infer<typeof conversionAnswer>;

const otherConversion = z.strictObject({
  id: z.string(),
  goal: z.string(),
  reference: z.string(),
  occurredAt: instant,
  value: money,
  refunded: money,
  net: money,
});

/** The answer to `GET /conversions/{id}`: a conversion, and what else the same person did. */
export const conversionInFull = conversionAnswer.extend({
  /** The person's other conversions, newest first: at most `MAX_OTHERS`. */
  others: z.array(otherConversion),
  /** How many there are. */
  othersCount: z.int(),
});

const MAX_OTHERS = 50;

/** A conversion beside the others of its person. @param all of the cluster, itself too */
export function conversionAmong(
  row: ConversionRow,
  all: readonly ConversionRow[],
  weights?: Learned,
): z.infer<typeof conversionInFull> {
  const profile = profileOf(row.id);
  const others = all
    .filter(({ id }) => id !== row.id && profileOf(id) === profile)
    .sort((a, b) => (a.conversion.at < b.conversion.at ? 1 : a.conversion.at > b.conversion.at ? -1 : 0))
    .map(({ id, conversion: { goal, reference, at, value, refunded, currency } }) => ({
      id,
      goal,
      reference,
      occurredAt: at,
      value: { amount: value, currency },
      refunded: { amount: refunded, currency },
      net: { amount: value - refunded, currency },
    }));
  return { ...conversionView(row, weights), others: others.slice(0, MAX_OTHERS), othersCount: others.length };
}

/** What the factors of the composite model did, touch by touch; empty for other models. */
function explanationsOf(credited: readonly Credit[]): Explanation[] {
  const weights = credited.map(({ factors }) => compositeWeightOf(factors));
  const known = weights.filter((it) => it !== undefined);
  if (known.length < weights.length) return [];
  const explained = explainComposite(known);
  const without = byFactor((name) =>
    split(
      WHOLE,
      explained.map((it) => it.without[name]),
    ),
  );
  return explained.map(({ multiples }, i) => ({
    multiples,
    withoutPpm: byFactor((name) => without[name][i] ?? 0),
  }));
}

/** What holds of the models that are learned of everybody. */
type Learned = ReadonlyMap<PopulationModel, ChannelWeights>;

/** A conversion as people and their systems read it. */
export function conversionView(
  { id, day, conversion, path, credits }: ConversionRow,
  weights: Learned = new Map(),
): ConversionAnswer {
  const { goal, reference, eventId, at, repeatedAt, value, refunded, refunds, flags, currency } = conversion;
  const inMoney = (amount: number) => ({ amount, currency });
  const models: ConversionAnswer['models'] = {};
  const channels = path.touches.map(({ channel }) => channel);
  const learned = [...weights].map(
    ([name, it]) => [name, creditsOf(weighByChannel(channels, it), conversion)] as const,
  );
  for (const [name, credited] of [...modelName.options.map((it) => [it, credits[it]] as const), ...learned]) {
    if (!credited) continue;
    const explanations = explanationsOf(credited);
    models[name] = credited.map((it, i) => {
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
        ...(explanations[i] && { explanation: explanations[i] }),
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
