import { z } from 'zod';
import type { AttributionSettings, CompositeSettings } from '../platform/brand.ts';
import type { TouchRole } from '../platform/brand-words.ts';
import { DAY } from '../platform/clock.ts';
import { type Factors, models, type Weight } from './models.ts';
import { fallsBack } from './split.ts';
import type { Touch } from './touch.ts';

export type { TouchRole };

/** How the customer stood when the conversion came, from what was known before it. */
export const customerTier = z.enum(['vip', 'silent', 'other']);
export type CustomerTier = z.infer<typeof customerTier>;

export type CompositeTouch = Touch & { readonly role: TouchRole };

/** Event types that count more or less. */
export type Scenario = CompositeSettings['scenarios'][string];

export const factorNames = ['decay', 'position', 'tier', 'scenario'] as const;
export type FactorName = (typeof factorNames)[number];

const reasons = ['opening', 'closing', 'floor'] as const;

export interface CompositeWeight {
  /** The product of the factors. */
  readonly weight: number;
  readonly factors: Readonly<Record<FactorName, number>>;
  /** Which reason the decay counted for: the touch opened the relation, or was close to the purchase, or neither. */
  readonly reason: (typeof reasons)[number];
}

/** What is known of the customer at the conversion. */
export interface CompositeContext {
  readonly tier: CustomerTier;
  /** When the relation began, if that is before the first touch. */
  readonly joinedAt?: string;
  /** What holds at the conversion; without it no type counts more than another. */
  readonly scenario?: Scenario;
}

/**
 * Weighs the touches of a path by four factors:
 *
 *   weight = D · P · V · S      credit = weight / Σ weight
 *   D = max(α · e^(−λ · days since the relation began), γ, β · 2^(−days before the conversion / h))
 *   P = the role's weight, or the place's as in the U or W model
 *   V = for VIPs `vipEarly` in the first third of the way, for silent customers `silentLate` in the last days, else 1
 *   S = what the scenario gives to the event's type, else 1
 *
 * A touch counts for its stronger reason: it opened the relation, or it was close to the purchase. Without the first and
 * without a floor, D is taken from the last touch instead of the conversion: a common factor, that could underflow.
 *
 * @param path touches in time order, all at or before `at`
 * @param at of the conversion
 */
export function compositeWeights(
  path: readonly CompositeTouch[],
  at: string,
  settings: CompositeSettings,
  { tier, joinedAt, scenario = {} }: CompositeContext,
  attribution: AttributionSettings,
): CompositeWeight[] {
  const [first, last] = [path[0], path.at(-1)];
  if (!first || !last) return [];
  const end = Date.parse(at);
  const begin = Math.min(
    Date.parse(first.at),
    joinedAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(joinedAt),
  );
  const isRelative = settings.opening.weight === 0 && settings.floor === 0;
  const near = isRelative ? Date.parse(last.at) : end;
  const positions = positionsOf(path, at, settings, attribution);
  return path.map((touch, i): CompositeWeight => {
    const touchedAt = Date.parse(touch.at);
    const age = (end - touchedAt) / DAY;
    const way = end > begin ? (touchedAt - begin) / (end - begin) : 1;
    const { decay, reason } = decayOf((touchedAt - begin) / DAY, (near - touchedAt) / DAY, settings);
    const factors = {
      decay,
      position: positions[i]!,
      tier: tierFactor(tier, way, age, settings.tiers),
      scenario: Object.hasOwn(scenario, touch.type) ? scenario[touch.type]! : 1,
    };
    return { weight: product(factors), factors, reason };
  });
}

function decayOf(since: number, age: number, { opening, closing, floor }: CompositeSettings) {
  const opened = opening.weight * Math.exp(-opening.perDay * since);
  const closed = closing.weight * 2 ** (-age / closing.halfLifeDays);
  const decay = Math.max(opened, closed, floor);
  const reason = decay === closed ? 'closing' : decay === opened ? 'opening' : 'floor';
  return { decay, reason } as const;
}

function positionsOf(
  path: readonly CompositeTouch[],
  at: string,
  { position, roles }: CompositeSettings,
  attribution: AttributionSettings,
): number[] {
  if (position === 'role') return path.map(({ role }) => roles[role]);
  return models[position](path, at, attribution).map(({ weight }) => weight);
}

/** Only ratios within a path matter, so that this moves credit between touches, and never value between customers. */
function tierFactor(tier: CustomerTier, way: number, age: number, of: CompositeSettings['tiers']): number {
  if (tier === 'vip' && way < 1 / 3) return of.vipEarly;
  if (tier === 'silent' && age <= of.lateDays) return of.silentLate;
  return 1;
}

const product = ({ decay, position, tier, scenario }: CompositeWeight['factors']): number =>
  decay * position * tier * scenario;

/** The scenario that holds on a brand-day: that of its season, or the brand's usual one. */
export const sceneOn = (day: string, { seasons, scene }: CompositeSettings): string =>
  seasons.find(({ from, to }) => from <= day && day < to)?.scene ?? scene;

/**
 * The composite model as a brand uses it: the customer's tier as the conversion says it, the scenario of the
 * conversion's brand-day, the relation as old as the path. The factors name all of it.
 */
export function composite(
  path: readonly Touch[],
  { at, day, tier = 'other' }: { readonly at: string; readonly day: string; readonly tier?: CustomerTier },
  attribution: AttributionSettings,
): Weight[] {
  const settings = attribution.composite;
  const scene = sceneOn(day, settings);
  const scenario = settings.scenarios[scene] ?? {};
  const weights = compositeWeights(path, at, settings, { tier, scenario }, attribution);
  return weights.map(({ weight, factors: { decay, position, tier: tierFactor, scenario }, reason }) => ({
    weight,
    factors: { decay, position, tier: tierFactor, scenario, reason, customer: tier, scene },
  }));
}

/** The weight that stored factors of the composite model were; none if they are of another model. */
export function compositeWeightOf(factors: Factors): CompositeWeight | undefined {
  const [decay, position, tier, scenario] = factorNames.map((name) => factors[name]);
  const reason = reasons.find((it) => it === factors.reason);
  if (!isNumber(decay) || !isNumber(position) || !isNumber(tier) || !isNumber(scenario) || !reason) return;
  const known = { decay, position, tier, scenario };
  return { weight: product(known), factors: known, reason };
}

const isNumber = (value: string | number | undefined): value is number => typeof value === 'number';

export interface CompositeExplanation {
  readonly share: number;
  /** Each factor as a multiple of its geometric mean over the path: above 1 it speaks for this touch. `null`: a factor is 0. */
  readonly multiples: Readonly<Record<FactorName, number | null>>;
  /** What the touch's share would be if this factor were the same for all. */
  readonly without: Readonly<Record<FactorName, number>>;
}

/** Says of each touch what its share is made of. Weights that say nothing share equally, as `split` has it. */
export function explainComposite(path: readonly CompositeWeight[]): CompositeExplanation[] {
  const shares = sharesOf(path.map(({ weight }) => weight));
  const told = factorNames.map((name) => {
    const values = path.map(({ factors }) => factors[name]);
    const mean = Math.exp(values.reduce((sum, it) => sum + Math.log(it), 0) / values.length);
    const without = sharesOf(path.map(({ factors }) => product({ ...factors, [name]: 1 })));
    return { name, multiples: values.map((it) => (mean > 0 ? it / mean : null)), without };
  });
  return path.map((_, i) => ({
    share: shares[i]!,
    multiples: byFactor((name) => told.find((it) => it.name === name)!.multiples[i]!),
    without: byFactor((name) => told.find((it) => it.name === name)!.without[i]!),
  }));
}

/** One value for each factor. */
export const byFactor = <T>(of: (name: FactorName) => T): Record<FactorName, T> => ({
  decay: of('decay'),
  position: of('position'),
  tier: of('tier'),
  scenario: of('scenario'),
});

function sharesOf(weights: readonly number[]): number[] {
  if (fallsBack(weights)) return weights.map(() => 1 / weights.length);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
