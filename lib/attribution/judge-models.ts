import {
  type AttributionSettings,
  attributionSettings,
  type CompositeSettings,
  compositeSettings,
} from '../platform/brand.ts';
import { DAY, toIso } from '../platform/clock.ts';
import { type CompositeTouch, compositeWeights } from './composite.ts';
import { chooseHazard, type FittedHazard, fitHazard, type Hazard, shareByHazard } from './learned.ts';
import { type Model, models } from './models.ts';
import { type Scenario, type SimulatedPerson, simulate } from './simulation.ts';
import { fallsBack } from './split.ts';

/** Models that share one path by itself, so that each touch's share can be held against the truth. */
export const touchModels = [
  'linear',
  'u_shaped',
  'w_shaped',
  'time_decay',
  'composite',
  'composite_simple',
  'learned',
] as const;
/** Models of all paths together: they share by channel only. */
export const channelModels = ['markov', 'shapley'] as const;
export type TouchModel = (typeof touchModels)[number];
export type ChannelModel = (typeof channelModels)[number];

/** One share a touch of a conversion's path; Σ 1. */
export type ShareOf = (person: SimulatedPerson) => readonly number[];

/** Half-lives that the learned model may choose from: 7 days, and steps of √2 around it. */
export const HALF_LIVES: readonly number[] = Array.from({ length: 12 }, (_, i) => 7 * 2 ** ((i - 7) / 2));

/**
 * The hazard that people show. Its half-life is the one that best foretells each fourth person from the other three
 * quarters; then all are fitted.
 */
export function learn(people: readonly SimulatedPerson[]): FittedHazard {
  const [fitted, heldOut] = [0, 1].map((isHeldOut) =>
    people.filter((_, i) => Number(i % 4 === 3) === isHeldOut),
  );
  const { halfLifeDays } = chooseHazard(fitted ?? [], heldOut ?? [], HALF_LIVES);
  return fitHazard(people, halfLifeDays);
}

/** The models as the product has them, for simulated paths. Only `learned` has seen anything of the scenario: other people. */
export function shareBy(model: TouchModel, scenario: Scenario, learned: Hazard): ShareOf {
  const settings = attributionSettings.parse({});
  switch (model) {
    case 'learned':
      return (it) => normal(shareByHazard(learned, it.touches, it.to).touches);
    case 'composite':
      return byComposite(compositeSettings.parse({}), scenario, settings);
    case 'composite_simple':
      return byComposite(SIMPLE, scenario, settings);
    default:
      return byRule(models[model], scenario, settings);
  }
}

/** Role and nearness to the purchase alone: without the part that opens the relation. */
const SIMPLE = compositeSettings.parse({ opening: { weight: 0, perDay: 0 } });

const byRule =
  (model: Model, scenario: Scenario, settings: AttributionSettings): ShareOf =>
  (person) =>
    normal(model(pathIn(scenario)(person), timeOf(person.to), settings).map(({ weight }) => weight));

const byComposite =
  (composite: CompositeSettings, scenario: Scenario, settings: AttributionSettings): ShareOf =>
  (person) => {
    const path = pathIn(scenario)(person);
    const weights = compositeWeights(path, timeOf(person.to), composite, { tier: 'other' }, settings);
    return normal(weights.map(({ weight }) => weight));
  };

const timeOf = (days: number): string => toIso(Math.round(days * DAY));

function pathIn({ channels }: Scenario): (person: SimulatedPerson) => CompositeTouch[] {
  const roles = new Map(channels.map(({ channel, role }) => [channel, role]));
  return ({ touches }) =>
    touches.map(({ at, kind }) => ({
      eventId: '',
      type: '',
      at: timeOf(at),
      channel: kind,
      opportunity: false,
      role: roles.get(kind) ?? 'latent',
    }));
}

/** Shares that add up to 1; equal ones where nothing weighs. */
export function normal(weights: readonly number[]): number[] {
  if (fallsBack(weights)) return weights.map(() => 1 / weights.length);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** People to learn from are none of those who are judged. */
export const learnElsewhere = (scenario: Scenario, people: number, seed: number): FittedHazard =>
  learn(simulate(scenario, people, seed));
