import { z } from 'zod';
import { modelName } from '../platform/brand-words.ts';
import { DAY } from '../platform/clock.ts';
import { compositeWeightOf } from './composite.ts';
import type { Factors, Weight } from './models.ts';
import { type Credit, type Credits, creditsOf, type SharedConversion } from './share.ts';
import type { Touch } from './touch.ts';

const scalar = z.union([z.string(), z.number(), z.null()]);
type Scalar = z.infer<typeof scalar>;

/** One value for all touches, or one for each. `null`: this touch has none. */
const column = z.union([scalar, z.array(scalar)]);
type Column = z.infer<typeof column>;

const columns = z.record(z.string(), column);
type Columns = z.infer<typeof columns>;

/**
 * Credits as a row keeps them: of each model the weights and factors, in columns. What was shared follows from the
 * weights and the conversion's value by `split`, to the last unit, and takes three numbers a touch and model less.
 */
export const packedCredits = z.partialRecord(modelName, columns);
export type PackedCredits = z.infer<typeof packedCredits>;

/** The column of weights, where they are not a product of factors. */
const WEIGHT = 'w';
/** Days from the touch to the conversion: the path says it. */
const AGE = 'ageDays';

/** Credits in columns. */
export function packCredits(credits: Credits): PackedCredits {
  const packed: PackedCredits = {};
  for (const name of modelName.options) {
    const list = credits[name];
    if (list) packed[name] = columnsOf(list.map(fieldsOf));
  }
  return packed;
}

/** What `packCredits` was given. */
export function unpackCredits(
  packed: PackedCredits,
  conversion: Omit<SharedConversion, 'day'>,
  touches: readonly Touch[],
): Credits {
  const credits: Credits = {};
  for (const name of modelName.options) {
    const stored = packed[name];
    if (!stored) continue;
    const weighed = touches.map((touch, i) => weightAt(stored, i, Date.parse(conversion.at), touch));
    credits[name] = creditsOf(weighed, conversion);
  }
  return credits;
}

/** What of a credit has to be kept: its weight, if that is not a product or itself a factor, and its factors. */
function fieldsOf({ weight, factors }: Credit): Factors {
  const { [AGE]: age, ...rest } = factors;
  const isSaid = rest.weight === weight || compositeWeightOf(rest)?.weight === weight;
  return { ...rest, ...(age !== undefined && { [AGE]: 0 }), ...(!isSaid && { [WEIGHT]: weight }) };
}

function weightAt(stored: Columns, i: number, end: number, touch: Touch): Weight {
  const { [WEIGHT]: kept, fallback: _, ...factors } = factorsAt(stored, i);
  const whole = AGE in factors ? { ...factors, [AGE]: (end - Date.parse(touch.at)) / DAY } : factors;
  const weight = kept ?? compositeWeightOf(whole)?.weight ?? whole.weight;
  return { weight: Number(weight), factors: whole };
}

function columnsOf(list: readonly Factors[]): Columns {
  const names = new Set(list.flatMap((it) => Object.keys(it)));
  const all = [...names].map((name): [string, Column] => {
    const values = list.map((it): Scalar => it[name] ?? null);
    return [name, values.every((it) => it === values[0]) ? (values[0] ?? null) : values];
  });
  return Object.fromEntries(all);
}

function factorsAt(stored: Columns, i: number): Record<string, string | number> {
  const factors: Record<string, string | number> = {};
  for (const [name, values] of Object.entries(stored)) {
    const value = Array.isArray(values) ? values[i] : values;
    if (value !== null && value !== undefined) factors[name] = value;
  }
  return factors;
}
