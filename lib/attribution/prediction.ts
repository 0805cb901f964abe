import { type Compared, compare, drawn } from './judge.ts';
import { each } from './judge-evidence.ts';
import type { Journey } from './prediction-file.ts';
import { type PredictingModel, predictingModels, scorerOf, weightsFrom } from './prediction-models.ts';
import { type Rows, rowsOf } from './prediction-rows.ts';
import {
  aucOf,
  type Foretold,
  fitLogistic,
  type Logistic,
  lossOf,
  ranked,
  total,
} from './prediction-score.ts';
import { dice } from './shapley.ts';

/** The log is too short, or nothing happens in a part of it: there is nothing to judge by. */
export class NothingToForetell extends Error {
  override readonly name = 'NothingToForetell';
}

export interface PredictionSettings {
  /** The share of the time that is trained on. */
  readonly split?: number;
  /** Whether somebody converts within so many days is foretold, and asked every so many days. */
  readonly aheadDays?: number;
  readonly lookBackDays?: number;
  /** What half-lives may be chosen from, on training days only. */
  readonly halfLives?: readonly number[];
  readonly resamples?: number;
  readonly seed?: number;
}

const SETTINGS = {
  split: 0.7,
  aheadDays: 7,
  lookBackDays: 30,
  halfLives: [0.5, 1, 2, 4, 7, 14, 28],
  resamples: 200,
  seed: 1,
} as const satisfies PredictionSettings;

export interface ModelPredicted {
  readonly model: PredictingModel;
  /** That did best on the training days, where the model has one to choose. */
  readonly halfLifeDays?: number;
  /** Mean −ln of the probability that was given to what happened. */
  readonly logLoss: Compared;
  /** 1 − AUC: how often one who converts is taken for less likely than one who does not. */
  readonly misranked: Compared;
}

export interface Prediction {
  readonly people: number;
  /** Instants, in days since 1970 UTC: what begins before `cut` and ends by it is trained on, what begins later tested. */
  readonly from: number;
  readonly cut: number;
  readonly to: number;
  readonly train: Sample;
  readonly test: Sample;
  /** The log-loss of knowing nothing but the rate of the training days. */
  readonly blindLogLoss: number;
  readonly models: readonly ModelPredicted[];
}

export interface Sample {
  /** People with a touch in their look-back, once for each instant they were asked about. */
  readonly rows: number;
  readonly converted: number;
}

/**
 * Judges models on a brand's own log by what they were not shown: from the sum of a person's weights at an instant,
 * does somebody convert in the days after?
 *
 * The log is cut in two by time. Weights and half-lives are chosen within the first part (its own last days decide), a
 * logistic regression of the one number is fitted to all of it, and the second part is asked once. Models that only
 * divide a path among its touches (U, W, first, last) say nothing of who converts and are not asked.
 *
 * The intervals come from drawing the people of the second part again; all instants of a person go together.
 *
 * @throws NothingToForetell
 */
export function predict(journeys: readonly Journey[], settings: PredictionSettings = {}): Prediction {
  const { split, halfLives, resamples, seed, ...asked } = { ...SETTINGS, ...settings };
  const rows = rowsOf(journeys, asked);
  const cut = cutAt(rows.instants, split);
  const chooseBy = cutAt(
    rows.instants.filter((at) => at + asked.aheadDays <= cut),
    split,
  );
  const [train, test] = [rows.between(-Infinity, cut), rows.between(cut, Infinity)];
  const [inner, choosing] = [rows.between(-Infinity, chooseBy), rows.between(chooseBy, cut)];
  for (const [name, part] of Object.entries({ training: inner, choosing, test }))
    if (total(part.came) === 0 || total(part.didNot) === 0)
      throw new NothingToForetell(
        `in the ${name} days all people with a touch end alike: take a longer log, or fewer days ahead`,
      );
  const chosen = each(predictingModels, (model) => {
    const tried = weightsFrom(model, halfLives).map((halfLifeDays) => {
      const scoresOf = scorerOf(model, halfLifeDays, journeys, chooseBy);
      return { halfLifeDays, loss: heldOutLoss(scoresOf, inner, choosing) };
    });
    const { halfLifeDays } = tried.reduce((best, it) => (it.loss < best.loss ? it : best));
    return { halfLifeDays, scoresOf: scorerOf(model, halfLifeDays, journeys, cut) };
  });
  const foretold = each(predictingModels, (model) => foretell(chosen[model].scoresOf, train, test));
  const compared = bootstrap(foretold, test, resamples, dice(seed));
  return {
    people: journeys.length,
    from: rows.from,
    cut,
    to: rows.to,
    train: sampleOf(train),
    test: sampleOf(test),
    blindLogLoss: blindLoss(train, test),
    models: predictingModels.map((model) => {
      const { halfLifeDays } = chosen[model];
      return { model, ...(halfLifeDays !== undefined && { halfLifeDays }), ...compared(model) };
    }),
  };
}

/** The instant that leaves `share` of the others before it. */
function cutAt(instants: readonly number[], share: number): number {
  const at = instants[Math.floor(instants.length * share)];
  if (at === undefined || at === instants[0])
    throw new NothingToForetell('the log is too short to be cut: take a longer one, or fewer days ahead');
  return at;
}

type ScoresOf = (rows: Rows) => Float64Array;

const foretoldBy = (scoresOf: ScoresOf, rows: Rows): Foretold => ({ ...rows, scores: scoresOf(rows) });

function heldOutLoss(scoresOf: ScoresOf, fitted: Rows, heldOut: Rows): number {
  return lossOf(foretoldBy(scoresOf, heldOut), fitLogistic(foretoldBy(scoresOf, fitted)));
}

interface Answers {
  /** Of each row −ln of the probability that was given to what happened. */
  readonly losses: Float64Array;
  readonly scores: Float64Array;
  readonly order: Uint32Array;
}

function foretell(scoresOf: ScoresOf, train: Rows, test: Rows): Answers {
  const logistic = fitLogistic(foretoldBy(scoresOf, train));
  const scores = scoresOf(test);
  const losses = scores.map((score, i) => lossOfOne(score, test.came[i]!, logistic));
  // A score that speaks against converting is none the worse for it: what ranks is the probability.
  const ranks = logistic.slope < 0 ? scores.map((it) => -it) : scores;
  return { losses, scores: ranks, order: ranked(ranks) };
}

const lossOfOne = (score: number, came: number, logistic: Logistic): number =>
  lossOf({ scores: [score], came: [came], didNot: [1 - came] }, logistic);

function blindLoss(train: Rows, test: Rows): number {
  const scores = { scores: new Float64Array(test.came.length), came: test.came, didNot: test.didNot };
  const rate = total(train.came) / train.came.length;
  return lossOf(scores, { intercept: Math.log(rate / (1 - rate)), slope: 0 }) / test.came.length;
}

/** Each model's figures, and how they stand to the count of touches whoever had been asked. */
function bootstrap(
  answers: Readonly<Record<PredictingModel, Answers>>,
  test: Rows,
  resamples: number,
  next: () => number,
) {
  const figures = (weights: ArrayLike<number>) =>
    each(predictingModels, (model) => figuresOf(answers[model], test, weights));
  const once = figures(new Float64Array(test.came.length).fill(1));
  const draws = Array.from({ length: resamples }, () => {
    const often = drawn(test.people, next);
    return figures(test.person.map((person) => often[person]!));
  });
  return (model: PredictingModel): Pick<ModelPredicted, 'logLoss' | 'misranked'> => {
    const compared = (of: 'logLoss' | 'misranked'): Compared => {
      const difference = (it: typeof once) => it[model][of] - it.linear[of];
      return { error: once[model][of], ...compare(difference(once), draws.map(difference)) };
    };
    return { logLoss: compared('logLoss'), misranked: compared('misranked') };
  };
}

function figuresOf({ losses, scores, order }: Answers, { came, didNot }: Rows, weights: ArrayLike<number>) {
  const weighed = (list: Float64Array) => list.map((it, i) => it * weights[i]!);
  const auc = aucOf({ scores, came: weighed(came), didNot: weighed(didNot) }, order);
  return { logLoss: total(weighed(losses)) / total(weights), misranked: 1 - (auc ?? 0.5) };
}

const sampleOf = ({ came }: Rows): Sample => ({ rows: came.length, converted: total(came) });
