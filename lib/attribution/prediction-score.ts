/** What is foretold: each row has a score, and counts so often as one that came true and as one that did not. */
export interface Foretold {
  readonly scores: ArrayLike<number>;
  readonly came: ArrayLike<number>;
  readonly didNot: ArrayLike<number>;
}

/** Rows by rising score: sorting is done once, however often the rows are counted anew. */
export function ranked(scores: ArrayLike<number>): Uint32Array {
  return Uint32Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
}

/**
 * Area under the ROC curve: how likely what came true has a higher score than what did not; a tie counts half. 0.5 is
 * chance. `undefined` where there is nothing of one of the two: nothing can be told apart.
 */
export function aucOf({ scores, came, didNot }: Foretold, order = ranked(scores)): number | undefined {
  let [below, won, all] = [0, 0, 0];
  for (let at = 0; at < order.length; ) {
    const score = scores[order[at]!]!;
    let [yes, no] = [0, 0];
    for (; at < order.length && scores[order[at]!] === score; at++) {
      yes += came[order[at]!]!;
      no += didNot[order[at]!]!;
    }
    won += yes * (below + no / 2);
    below += no;
    all += yes;
  }
  return all > 0 && below > 0 ? won / all / below : undefined;
}

/** The probability that a score stands for: 1 / (1 + e^−(intercept + slope · score)). */
export interface Logistic {
  readonly intercept: number;
  readonly slope: number;
}

const STEPS = 100;
/** So little of a pull towards 0 keeps the slope finite where the score tells all apart. */
const RIDGE = 1e-9;

/**
 * Fits a logistic regression of one feature by Newton's method, halving steps that make it less likely. Where only one
 * of the two ever happened, the probability is a hair's breadth from certain (half a row of the other is added).
 */
export function fitLogistic({ scores, came, didNot }: Foretold): Logistic {
  const { mean, deviation } = momentsOf(scores);
  const x = Float64Array.from({ length: scores.length }, (_, i) => (scores[i]! - mean) / deviation);
  const rows = { scores: x, came, didNot };
  const [yes, no] = [total(came) + 0.5, total(didNot) + 0.5];
  let at: Logistic = { intercept: Math.log(yes / no), slope: 0 };
  if (yes <= 0.5 || no <= 0.5) return at;
  let loss = penalised(rows, at);
  for (let step = 0; step < STEPS; step++) {
    const toward = newtonStep(rows, at);
    let size = 1;
    let next = moved(at, toward, size);
    while (size > 1e-6 && penalised(rows, next) > loss) {
      size /= 2;
      next = moved(at, toward, size);
    }
    const better = loss - penalised(rows, next);
    if (!(better > 0)) break;
    [at, loss] = [next, loss - better];
    if (better < 1e-12 * (yes + no)) break;
  }
  return { intercept: at.intercept - (at.slope * mean) / deviation, slope: at.slope / deviation };
}

const moved = (at: Logistic, toward: Logistic, size: number): Logistic => ({
  intercept: at.intercept + size * toward.intercept,
  slope: at.slope + size * toward.slope,
});

const penalised = (rows: Foretold, at: Logistic): number =>
  lossOf(rows, at) + (RIDGE / 2) * at.slope ** 2 * rows.scores.length;

/** Where the slope and the curvature of the loss send us. */
function newtonStep({ scores, came, didNot }: Foretold, { intercept, slope }: Logistic): Logistic {
  const ridge = RIDGE * scores.length;
  let [g0, g1, h00, h01, h11] = [0, ridge * slope, 0, 0, ridge];
  for (let i = 0; i < scores.length; i++) {
    const x = scores[i]!;
    const rows = came[i]! + didNot[i]!;
    const p = 1 / (1 + Math.exp(-(intercept + slope * x)));
    const miss = rows * p - came[i]!;
    const bend = rows * p * (1 - p);
    g0 += miss;
    g1 += miss * x;
    h00 += bend;
    h01 += bend * x;
    h11 += bend * x * x;
  }
  const determinant = h00 * h11 - h01 * h01;
  if (!(determinant > 0)) return { intercept: 0, slope: 0 };
  return {
    intercept: (h01 * g1 - h11 * g0) / determinant,
    slope: (h01 * g0 - h00 * g1) / determinant,
  };
}

/** Σ −ln of the probability that was given to what happened. Per row it is the log-loss: 0 knows all. */
export function lossOf({ scores, came, didNot }: Foretold, { intercept, slope }: Logistic): number {
  let loss = 0;
  for (let i = 0; i < scores.length; i++) {
    const z = intercept + slope * scores[i]!;
    // ln(1 + e^z) without overflow.
    const soft = Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
    loss += came[i]! * (soft - z) + didNot[i]! * soft;
  }
  return loss;
}

function momentsOf(scores: ArrayLike<number>) {
  const mean = scores.length > 0 ? total(scores) / scores.length : 0;
  let squares = 0;
  for (let i = 0; i < scores.length; i++) squares += (scores[i]! - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / scores.length) || 1 };
}

export function total(list: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < list.length; i++) sum += list[i]!;
  return sum;
}
