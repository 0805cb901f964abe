import { type Chain, chainOf, OrderRefused, visits } from './markov-chain.ts';
import { visitsOnce } from './markov-inverse.ts';
import { type ChannelCredit, type CountedPaths, totalsOf } from './paths.ts';

export const orders = [1, 2, 3, 4] as const;
export type Order = (typeof orders)[number];

export interface MarkovSettings {
  readonly order?: Order;
  /** Whether a channel that follows itself is a step of its own (`keep` unless set); the same in order 1. */
  readonly repeats?: 'keep' | 'drop';
  /** Fewer observations a state than this, on average, are too few to tell an order from noise: refused. */
  readonly leastPerState?: number;
}

/** What a reader of the results has to know. */
export type MarkovFlag =
  /** Every path converted: there is no contrast, and the effects say only who was on the way. */
  | 'no_null_paths'
  /** Nothing converted: all credits are 0. */
  | 'no_conversions'
  /** No removal has an effect: all channels of the paths share equally. */
  | 'equal_fallback';

export interface MarkovCredit extends ChannelCredit {
  /** The share of conversions, and of value, that is lost without the channel: 0 … 1. Σ is 1 or more. */
  readonly effect: { readonly conversions: number; readonly value: number };
}

export interface MarkovCredits {
  readonly order: Order;
  readonly states: number;
  readonly observationsPerState: number;
  /** P, conversions a path, as the chain has it: conversions / (conversions + nulls) in every order. */
  readonly rate: number;
  readonly valuePerPath: number;
  readonly flags: readonly MarkovFlag[];
  readonly channels: readonly MarkovCredit[];
}

/** Fewer observations a state than this are refused. */
export const LEAST_PER_STATE = 10;
/** Up to so many states one inverse is quicker than walking once for each channel. */
const MOST_INVERTED = 300;

/**
 * Removal effects in a Markov chain of order k, in closed form: no path is simulated.
 *
 *   P = start · (I − Q)⁻¹ · r      effect(c) = 1 − P without c / P      credit(c) = total · effect(c) / Σ effect
 *
 * Without c: each state that contains c is lost, and so is what flows into it; what remains is not renormalised. The
 * same with value in place of conversions. In order 1 one inverse is enough: effect(c) = P(visits c) · P(converts from
 * c) / P. In higher orders the paths are walked once without each channel.
 *
 * Paths without a touch are left out: they are nobody's.
 *
 * @throws OrderRefused if a state was seen fewer than `leastPerState` (10) times on average, or for more channels than
 * the order can tell apart
 */
export function markov(
  paths: CountedPaths,
  { order = 1, repeats = 'keep', leastPerState = LEAST_PER_STATE }: MarkovSettings = {},
): MarkovCredits {
  const chain = chainOf(paths, order, repeats);
  const observations = sum(chain.seen);
  const observationsPerState = chain.states === 0 ? 0 : observations / chain.states;
  if (chain.states > 0 && observationsPerState < leastPerState)
    throw new OrderRefused(
      `order ${order} has ${chain.states} states and ${observations} observations, fewer than ${leastPerState} a state: ` +
        (order > 1 ? 'take a lower order' : 'take more paths'),
    );
  const totals = totalsOf(paths);
  const whole = endsOf(chain, visits(chain, new Uint8Array(chain.states)));
  const begun = sum(chain.start);
  const present = presentIn(chain, paths.channels.length);
  const lost = lossesOf(chain, present);
  const conversions = shared(totals.conversions, lost.conversions, present);
  const value = shared(totals.value, lost.value, present);
  const flags: MarkovFlag[] = [];
  if (begun > 0 && totals.nulls === 0) flags.push('no_null_paths');
  if (totals.conversions === 0) flags.push('no_conversions');
  if (conversions.isEqual || value.isEqual) flags.push('equal_fallback');
  return {
    order,
    states: chain.states,
    observationsPerState,
    rate: begun > 0 ? whole.conversions / begun : 0,
    valuePerPath: begun > 0 ? whole.value / begun : 0,
    flags,
    channels: paths.channels.map((channel, c) => ({
      channel,
      conversions: conversions.parts[c]!,
      value: value.parts[c]!,
      effect: { conversions: lost.conversions[c]!, value: lost.value[c]! },
    })),
  };
}

interface Losses {
  readonly conversions: Float64Array;
  readonly value: Float64Array;
}

/** Per channel, the share of conversions and of value that is lost without it. */
function lossesOf(chain: Chain, present: Uint8Array): Losses {
  return chain.order === 1 && chain.states <= MOST_INVERTED
    ? lossesOnce(chain, present.length)
    : lossesEach(chain, present);
}

/** For order 1: all channels from one inverse. */
export function lossesOnce(chain: Chain, channels: number): Losses {
  const losses = { conversions: new Float64Array(channels), value: new Float64Array(channels) };
  const reached = sum(chain.start);
  const { probability, conversions, value } = visitsOnce(chain);
  const whole = { conversions: sum(chain.conversions), value: sum(chain.value) };
  for (let s = 0; s < chain.states; s++) {
    const c = chain.members[s]!;
    const arrivals = probability[s]! * reached;
    losses.conversions[c] = share(arrivals * conversions[s]!, whole.conversions);
    losses.value[c] = share(arrivals * value[s]!, whole.value);
  }
  return losses;
}

/** For any order: the paths are walked without each channel in turn. */
export function lossesEach(chain: Chain, present: Uint8Array): Losses {
  const losses = {
    conversions: new Float64Array(present.length),
    value: new Float64Array(present.length),
  };
  const whole = { conversions: sum(chain.conversions), value: sum(chain.value) };
  for (let c = 0; c < present.length; c++) {
    if (present[c] === 0) continue;
    const left = endsOf(chain, visits(chain, statesWith(c, chain)));
    losses.conversions[c] = share(whole.conversions - left.conversions, whole.conversions);
    losses.value[c] = share(whole.value - left.value, whole.value);
  }
  return losses;
}

/** What those visits end in. */
function endsOf({ states, seen, ...ends }: Chain, visited: Float64Array) {
  let [conversions, value] = [0, 0];
  for (let s = 0; s < states; s++) {
    const part = visited[s]! / seen[s]!;
    conversions += part * ends.conversions[s]!;
    value += part * ends.value[s]!;
  }
  return { conversions, value };
}

/** Within 0 and 1, which rounding may miss by a last bit. */
const share = (part: number, whole: number): number =>
  whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0;

function statesWith(channel: number, { states, order, members }: Chain): Uint8Array {
  const found = new Uint8Array(states);
  for (let at = 0; at < members.length; at++) if (members[at] === channel) found[Math.floor(at / order)] = 1;
  return found;
}

/** 1 for each channel that a state contains; the others are listed and have no part in anything. */
function presentIn({ members }: Chain, channels: number): Uint8Array {
  const present = new Uint8Array(channels);
  for (const channel of members) if (channel >= 0) present[channel] = 1;
  return present;
}

/** A total by the effects; equally among those present where none has any. */
function shared(total: number, effects: Float64Array, present: Uint8Array) {
  const all = sum(effects);
  if (all > 0) return { parts: effects.map((effect) => (total * effect) / all), isEqual: false };
  const equal = sum(present) > 0 ? total / sum(present) : 0;
  return { parts: Float64Array.from(present, (it) => it * equal), isEqual: total > 0 };
}

const sum = (list: Float64Array | Uint8Array): number => {
  let total = 0;
  for (const it of list) total += it;
  return total;
};
