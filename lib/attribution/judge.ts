import {
  type Errors,
  type Evidence,
  each,
  errorsOf,
  evidenceOf,
  type JudgedModel,
} from './judge-evidence.ts';
import { channelModels, learnElsewhere, shareBy, type TouchModel, touchModels } from './judge-models.ts';
import { type Hazard, shareByHazard } from './learned.ts';
import { dice } from './shapley.ts';
import { type Scenario, type SimulatedPerson, simulate } from './simulation.ts';

export const judgedModels = [...touchModels, ...channelModels] as const satisfies readonly JudgedModel[];
/** What every other model is held against. */
export const YARDSTICK = 'linear';

/** `better` and `worse` only where chance is excluded; else it stays open. */
export type Verdict = 'better' | 'worse' | 'open';

/** A number beside the yardstick's, where less is better. */
export interface Compared {
  readonly error: number;
  /** This error less the yardstick's: below 0 it is nearer to the truth. */
  readonly difference: number;
  /** Of the difference, 95 %, by drawing people again. */
  readonly interval: readonly [from: number, to: number];
  readonly verdict: Verdict;
}

export interface ModelJudged {
  readonly model: JudgedModel;
  readonly channel: Compared;
  /** Absent for models of all paths together. */
  readonly touch?: Compared;
}

export interface Judgement {
  readonly people: number;
  readonly conversions: number;
  /** Touches a person, up to the conversion. */
  readonly touches: number;
  /** The share of conversions that no touch caused: the truth, and as it was learned. */
  readonly nobody: { readonly true: number; readonly learned: number };
  readonly learned: {
    readonly halfLifeDays: number;
    /** Each channel's effect, as a multiple of their mean: the truth, and as it was learned. */
    readonly effects: Readonly<Record<string, { readonly true: number; readonly learned: number }>>;
  };
  readonly models: readonly ModelJudged[];
}

export interface JudgeSettings {
  /** Who are judged; as many others are learned from. */
  readonly people?: number;
  readonly seed?: number;
  /** How often people are drawn again for the intervals. */
  readonly resamples?: number;
}

const SETTINGS = { people: 60_000, seed: 1, resamples: 200 } as const satisfies JudgeSettings;
/** Seeds of the other people and of the draws: any distance that no seed asked for is likely to bridge. */
const [OTHERS, DRAWS] = [0x51f15e, 0x2b0057];

/**
 * Holds the models against a world whose truth is known.
 *
 * Channel error: the total variation between the shares of a model's credits and the shares of what channels truly
 * caused. Touch error: the mean over conversions of the same between a path's touches. Conversions without a touch have
 * no credits to judge; those that no touch caused weigh nothing in the truth of channels, and have none of touches.
 *
 * The intervals come from drawing the judged people again with replacement. What was learned is not learned again: they
 * speak of this fit.
 */
export function judge(scenario: Scenario, settings: JudgeSettings = {}): Judgement {
  const { people: count, seed, resamples } = { ...SETTINGS, ...settings };
  const people = simulate(scenario, count, seed);
  const learned = learnElsewhere(scenario, count, seed + OTHERS);
  const channels = scenario.channels.map(({ channel }) => channel);
  const share = each(touchModels, (model) => shareBy(model, scenario, learned));
  const evidence = evidenceOf(people, channels, (model) => share[model]);
  const once = errorsOf(evidence, new Uint16Array(count).fill(1));
  const drawn = drawsOf(evidence, resamples, dice(seed + DRAWS));
  const compared = (
    of: (errors: Errors) => Readonly<Record<string, number>>,
    model: JudgedModel,
  ): Compared => {
    const difference = (errors: Errors) => of(errors)[model]! - of(errors)[YARDSTICK]!;
    return { error: of(once)[model]!, ...compare(difference(once), drawn.map(difference)) };
  };
  const converted = people.filter(({ conversions }) => conversions.length > 0);
  return {
    people: count,
    conversions: converted.length,
    touches: sum(people, ({ touches }) => touches.length) / count,
    nobody: {
      true: sum(converted, ({ nobody }) => nobody) / converted.length,
      learned: sum(converted, (it) => learnedNobody(it, learned)) / converted.length,
    },
    learned: { halfLifeDays: learned.halfLifeDays, effects: effectsBeside(scenario, learned.effects) },
    models: judgedModels.map((model) => ({
      model,
      channel: compared(({ channel }) => channel, model),
      ...(isTouchModel(model) && { touch: compared(({ touch }) => touch, model) }),
    })),
  };
}

const isTouchModel = (model: JudgedModel): model is TouchModel => touchModels.some((it) => it === model);

/** The errors as they would have come out with other people of the same kind. */
function drawsOf(evidence: Evidence, resamples: number, next: () => number): Errors[] {
  return Array.from({ length: resamples }, () => errorsOf(evidence, drawn(evidence.people, next)));
}

/** How often each of `size` is drawn when as many are drawn with replacement. */
export function drawn(size: number, next: () => number): Uint16Array {
  const often = new Uint16Array(size);
  for (let i = 0; i < size; i++) often[Math.floor(next() * size)]! += 1;
  return often;
}

/**
 * What a difference, of which less is better, says with the differences that chance would have made of it.
 *
 * @param draws of the same difference; the interval holds the middle 95 % of them
 */
export function compare(difference: number, draws: readonly number[]): Omit<Compared, 'error'> {
  const interval = middleOf(draws);
  const [from, to] = interval;
  return { difference, interval, verdict: to < 0 ? 'better' : from > 0 ? 'worse' : 'open' };
}

/** From the 2.5th to the 97.5th percentile, between neighbours in proportion. */
export function middleOf(draws: readonly number[]): [from: number, to: number] {
  const sorted = [...draws].sort((a, b) => a - b);
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const [low, high] = [sorted[Math.floor(place)] ?? Number.NaN, sorted[Math.ceil(place)] ?? Number.NaN];
    return low + (high - low) * (place - Math.floor(place));
  };
  return [at(0.025), at(0.975)];
}

const learnedNobody = ({ touches, to }: SimulatedPerson, learned: Hazard): number =>
  shareByHazard(learned, touches, to).nobody;

function effectsBeside({ channels }: Scenario, learned: Hazard['effects']) {
  const size = channels.length;
  const means = {
    true: sum(channels, ({ effect }) => effect) / size,
    learned: sum(channels, ({ channel }) => learned[channel] ?? 0) / size,
  };
  return Object.fromEntries(
    channels.map(({ channel, effect }) => [
      channel,
      { true: effect / means.true, learned: means.learned > 0 ? (learned[channel] ?? 0) / means.learned : 0 },
    ]),
  );
}

const sum = <T>(list: readonly T[], of: (it: T) => number): number =>
  list.reduce((total, it) => total + of(it), 0);
