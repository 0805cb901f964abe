import type { AttributionSettings } from '../platform/brand.ts';
import type { ModelName } from '../platform/brand-words.ts';
import { DAY } from '../platform/clock.ts';
import { DIRECT, type Touch } from './touch.ts';

/** What made a weight, by name: numbers and words that a person can check. */
export type Factors = Readonly<Record<string, string | number>>;

/** One touch's weight in a model. Only ratios within a path matter; credit(i) = weight(i) / Σ weight. */
export interface Weight {
  readonly weight: number;
  readonly factors: Factors;
}

/**
 * Weighs the touches of a path, one weight a touch, finite and ≥ 0. Wherever a model's shares are fractions, its
 * weights are whole numbers in their ratio, so that equal shares are equal to the last bit and ties are ties.
 *
 * @param path touches in time order, all at or before `at`
 * @param at of the conversion
 */
export type Model = (path: readonly Touch[], at: string, settings: AttributionSettings) => Weight[];

/** All to the first touch. */
const first: Model = (path) => only(path, 0, 'first');

/** All to the last touch. */
const last: Model = (path) => only(path, path.length - 1, 'last');

/** All to the last touch that is not a direct visit; to the last of all if every one is direct. */
const lastNonDirect: Model = (path) => {
  const found = path.findLastIndex((it) => it.channel !== DIRECT);
  return only(path, found < 0 ? path.length - 1 : found, 'last_non_direct');
};

/** The same to each touch: 1/n. */
const linear: Model = (path) => path.map(() => ({ weight: 1, factors: { touches: path.length } }));

/**
 * U: `first` to the first touch, `last` to the last, `middle` shared equally by those between (40/20/40 unless set).
 *
 *   n = 1: 1 · n = 2: f/(f+l), l/(f+l) · n ≥ 3: f, m/(n−2) each, l
 */
const uShaped: Model = (path, _at, { u }) =>
  uWeights(path, { first: parts(u.first), middle: parts(u.middle), last: parts(u.last) });

/**
 * W: `first`, `opportunity` and `last` to those three touches, `rest` shared equally by the others (30/30/30/10
 * unless set).
 *
 * The opportunity is the first touch marked as one, else the middle, index ⌊(n−1)/2⌋ from 0. Where it coincides with
 * the first or last touch, and for n ≤ 2, the path is U-shaped with the brand's U middle and W's f:l between the
 * ends. With n = 3 nothing is left over and the three are renormalised: 1/3 each unless set.
 */
const wShaped: Model = (path, _at, { u, w }) => {
  const n = path.length;
  const marked = path.findIndex((it) => it.opportunity);
  const opportunity = marked < 0 ? Math.floor((n - 1) / 2) : marked;
  const [f, l] = [parts(w.first), parts(w.last)];
  if (n <= 2 || opportunity === 0 || opportunity === n - 1) {
    const ends = parts(u.first) + parts(u.last);
    return uWeights(path, { first: ends * f, middle: parts(u.middle) * (f + l), last: ends * l });
  }
  const others = Math.max(n - 3, 1);
  return path.map((_, i): Weight => {
    if (i === 0) return { weight: f * others, factors: { position: 'first', share: w.first } };
    if (i === n - 1) return { weight: l * others, factors: { position: 'last', share: w.last } };
    if (i === opportunity)
      return {
        weight: parts(w.opportunity) * others,
        factors: {
          position: 'opportunity',
          share: w.opportunity,
          chosen: marked < 0 ? 'middle' : path[i]!.type,
        },
      };
    return { weight: parts(w.rest), factors: { position: 'rest', share: w.rest, touches: n - 3 } };
  });
};

/**
 * Time decay: a touch counts half as much for every `halfLifeDays` that it lies further back (7 unless set).
 *
 *   weight(i) = 2^(−(t_last − t_i) / h)
 *
 * Age is taken from the last touch, not from the conversion: the difference is a common factor that cancels, and
 * the last weight is then exactly 1, so very old paths cannot underflow to 0/0.
 *
 * @example day 0 and day 7, h = 7 d  // [1/3, 2/3]
 */
const timeDecay: Model = (path, at, { halfLifeDays }) => {
  const newest = path.at(-1);
  if (!newest) return [];
  const [end, near] = [Date.parse(at), Date.parse(newest.at)];
  return path.map((it) => {
    const touchedAt = Date.parse(it.at);
    const weight = 2 ** (-(near - touchedAt) / (halfLifeDays * DAY));
    const ageDays = (end - touchedAt) / DAY;
    return { weight, factors: { ageDays, halfLifeDays, weight } };
  });
};

/** The models that look at a path's order and times alone. */
export type RuleName = Exclude<ModelName, 'composite'>;

/** Every rule that a brand can name. */
export const models = {
  first,
  last,
  last_non_direct: lastNonDirect,
  linear,
  u_shaped: uShaped,
  w_shaped: wShaped,
  time_decay: timeDecay,
} satisfies Record<RuleName, Model>;

/** Shares of the settings in millionths, as whole numbers. */
const parts = (share: number): number => Math.round(share * 1_000_000);

function only(path: readonly Touch[], chosen: number, rule: string): Weight[] {
  return path.map((_, i) => ({
    weight: i === chosen ? 1 : 0,
    factors: i === chosen ? { rule } : { rule: 'not chosen' },
  }));
}

function uWeights(path: readonly Touch[], ends: { first: number; middle: number; last: number }): Weight[] {
  const n = path.length;
  if (n === 1) return [{ weight: 1, factors: { position: 'only' } }];
  const total = ends.first + ends.last + (n > 2 ? ends.middle : 0);
  const between = Math.max(n - 2, 1);
  const share = (part: number) => (total > 0 ? part / total : 0);
  return path.map((_, i): Weight => {
    if (i === 0)
      return { weight: ends.first * between, factors: { position: 'first', share: share(ends.first) } };
    if (i === n - 1)
      return { weight: ends.last * between, factors: { position: 'last', share: share(ends.last) } };
    return {
      weight: ends.middle,
      factors: { position: 'middle', share: share(ends.middle), touches: between },
    };
  });
}
