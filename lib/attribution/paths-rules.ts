import type { AttributionSettings } from '../platform/brand.ts';
import type { ModelName } from '../platform/brand-words.ts';
import { models } from './models.ts';
import { type ChannelCredit, type CountedPaths, creditsOf, sizeOf } from './paths.ts';
import { DIRECT, type Touch } from './touch.ts';

/** The rule models that aggregated paths can be shared by: these have an order, and no times. */
export const pathRules = [
  'first',
  'last',
  'last_non_direct',
  'linear',
  'u_shaped',
  'w_shaped',
  'position_decay',
] as const;
export type PathRule = (typeof pathRules)[number];

/**
 * Shares all conversions and their value by a rule model, with the weights of `models`: repeats of a channel count
 * (as in ChannelAttribution), and the W model's opportunity is the middle, as no step of a counted path is marked as one.
 *
 * `position_decay` is for want of times: the i-th of n touches counts i.
 *
 * @param direct the channel that `last_non_direct` passes over
 * @returns one credit a channel; Σ is what the paths come to, as near as doubles add up
 */
export function shareByRule(
  paths: CountedPaths,
  rule: PathRule,
  settings: AttributionSettings,
  direct = DIRECT,
): ChannelCredit[] {
  const { channels, steps, starts, conversions, value } = paths;
  const shares = sharesByLength(rule, settings);
  const passedOver = rule === 'last_non_direct' ? channels.indexOf(direct) : -1;
  const [counts, money] = [new Float64Array(channels.length), new Float64Array(channels.length)];
  for (let i = 0; i < sizeOf(paths); i++) {
    if (conversions[i] === 0 && value[i] === 0) continue;
    const from = starts[i]!;
    const to = passedOver < 0 ? starts[i + 1]! : endWithout(passedOver, steps, from, starts[i + 1]!);
    const share = shares(to - from);
    for (let at = from; at < to; at++) {
      const channel = steps[at]!;
      counts[channel] = counts[channel]! + conversions[i]! * share[at - from]!;
      money[channel] = money[channel]! + value[i]! * share[at - from]!;
    }
  }
  return creditsOf(paths, counts, money);
}

/** Where a path ends once visits by `channel` are cut off its end; where nothing else is in it, they stay. */
function endWithout(channel: number, steps: Uint32Array, from: number, end: number): number {
  let to = end;
  while (to > from && steps[to - 1] === channel) to--;
  return to === from ? end : to;
}

/** The shares of a path's touches by their number: all that these rules look at. */
function sharesByLength(rule: PathRule, settings: AttributionSettings): (length: number) => Float64Array {
  const known: (Float64Array | undefined)[] = [];
  return (length) => {
    known[length] ??= sharesOf(rule, length, settings);
    return known[length];
  };
}

function sharesOf(rule: PathRule, length: number, settings: AttributionSettings): Float64Array {
  const weights =
    rule === 'position_decay'
      ? Array.from({ length }, (_, i) => i + 1)
      : models[model[rule]](Array<Touch>(length).fill(A_TOUCH), A_TOUCH.at, settings).map(
          ({ weight }) => weight,
        );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Float64Array.from(weights, (weight) => (total > 0 ? weight / total : 1 / length));
}

/** The model that weighs a path, once what `last_non_direct` passes over is cut off its end. */
const model = {
  first: 'first',
  last: 'last',
  last_non_direct: 'last',
  linear: 'linear',
  u_shaped: 'u_shaped',
  w_shaped: 'w_shaped',
} as const satisfies Partial<Record<PathRule, ModelName>>;

/** Any touch: these models look at nothing but its place. */
const A_TOUCH: Touch = {
  eventId: '',
  type: '',
  at: '1970-01-01T00:00:00.000Z',
  channel: '',
  role: 'latent',
  opportunity: false,
};
