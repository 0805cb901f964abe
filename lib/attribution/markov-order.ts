import { LEAST_PER_STATE, type MarkovSettings, type Order, orders } from './markov.ts';
import { type Chain, chainOf, OrderRefused } from './markov-chain.ts';
import { type CountedPaths, sizeOf, totalsOf } from './paths.ts';
import { aucOf } from './prediction-score.ts';

export interface OrderTried {
  readonly order: Order;
  readonly states: number;
  readonly observationsPerState: number;
  /** How well it tells held-out paths that convert from those that do not; absent if refused, or if all ended alike. */
  readonly auc?: number;
  readonly refused?: string;
}

export interface OrderChoice {
  readonly order: Order;
  readonly tried: readonly OrderTried[];
}

/** The AUC of tossing a coin. */
const CHANCE = 0.5;

/**
 * Chooses how many channels a Markov chain remembers, by paths that it was not made of: the order whose last state best
 * tells whether the path converts (AUC); of those as good the lowest, and 1 where none tells it better than chance.
 * Orders with too few observations a state are refused.
 *
 * A held-out path that ends where none did before is as likely to convert as any.
 */
export function chooseOrder(
  fitted: CountedPaths,
  heldOut: CountedPaths,
  { repeats = 'keep', leastPerState = LEAST_PER_STATE }: Omit<MarkovSettings, 'order'> = {},
): OrderChoice {
  const tried = orders.map((order) => tryOrder(order, fitted, heldOut, repeats, leastPerState));
  const best = tried.reduce((best, it) => ((it.auc ?? CHANCE) > (best.auc ?? CHANCE) ? it : best));
  return { order: (best.auc ?? CHANCE) > CHANCE ? best.order : 1, tried };
}

function tryOrder(
  order: Order,
  fitted: CountedPaths,
  heldOut: CountedPaths,
  repeats: 'keep' | 'drop',
  leastPerState: number,
): OrderTried {
  let chain: Chain;
  try {
    chain = chainOf(fitted, order, repeats);
  } catch (error) {
    if (!(error instanceof OrderRefused)) throw error;
    return { order, states: 0, observationsPerState: 0, refused: error.message };
  }
  const { states } = chain;
  const observationsPerState = states > 0 ? chain.seen.reduce((sum, it) => sum + it, 0) / states : 0;
  const found = { order, states, observationsPerState };
  if (observationsPerState < leastPerState)
    return { ...found, refused: `fewer than ${leastPerState} observations a state` };
  const auc = aucOf({
    scores: endings(chain, fitted, heldOut, repeats),
    came: heldOut.conversions,
    didNot: heldOut.nulls,
  });
  return { ...found, ...(auc !== undefined && { auc }) };
}

/** Of each held-out path, how likely those convert that end in the state it ends in. */
function endings(chain: Chain, fitted: CountedPaths, heldOut: CountedPaths, repeats: 'keep' | 'drop') {
  const rates = ratesOf(chain);
  const { conversions, nulls } = totalsOf(fitted);
  const numbers = new Map(fitted.channels.map((channel, i) => [channel, i]));
  const numberOf = heldOut.channels.map((channel) => numbers.get(channel) ?? -1);
  return Float64Array.from({ length: sizeOf(heldOut) }, (_, i) => {
    const state = lastState(heldOut, i, chain.order, repeats).map((channel) => numberOf[channel]!);
    return rates.get(state.join()) ?? conversions / (conversions + nulls);
  });
}

/** By the state's channels, the last first: of the paths that end there, how many convert. */
function ratesOf({ order, states, members, seen, conversions, first, moves }: Chain): Map<string, number> {
  const rates = new Map<string, number>();
  for (let s = 0; s < states; s++) {
    const ended = seen[s]! - moves.subarray(first[s]!, first[s + 1]!).reduce((sum, it) => sum + it, 0);
    const state = members.subarray(s * order, (s + 1) * order).filter((channel) => channel >= 0);
    if (ended > 0) rates.set(state.join(), conversions[s]! / ended);
  }
  return rates;
}

function lastState(
  { steps, starts }: CountedPaths,
  i: number,
  order: number,
  repeats: 'keep' | 'drop',
): number[] {
  const state: number[] = [];
  for (let at = starts[i + 1]! - 1; at >= starts[i]! && state.length < order; at--)
    if (repeats === 'keep' || steps[at] !== state.at(-1)) state.push(steps[at]!);
  return state;
}
