import { type ChannelCredit, type CountedPaths, type Counts, creditsOf, sizeOf } from './paths.ts';

export interface OrderedCredit extends ChannelCredit {
  /** The same credit by the place in the path where it was earned, from the first on; as long as the longest path. */
  readonly positions: readonly Pick<Counts, 'conversions' | 'value'>[];
}

/**
 * Additive Shapley: a coalition is worth the conversions of all paths that need nobody else. Such a game falls apart
 * into its paths, and in each all channels count the same, so that any number of them is exact:
 *
 *   credit(c) = Σ over paths with c:  conversions / number of distinct channels
 */
export function shapleyAdditive(paths: CountedPaths): ChannelCredit[] {
  const size = paths.channels.length;
  const [conversions, value] = [new Float64Array(size), new Float64Array(size)];
  for (const { i, members } of memberships(paths))
    for (const channel of members) {
      conversions[channel]! += paths.conversions[i]! / members.length;
      value[channel]! += paths.value[i]! / members.length;
    }
  return creditsOf(paths, conversions, value);
}

/**
 * Ordered Shapley (Zhao et al. 2018): what a channel has of a path in the additive game, spread equally over the places
 * where it stands in it. By channel it is the additive credit; it says besides where in the path it was earned.
 */
export function shapleyOrdered(paths: CountedPaths): OrderedCredit[] {
  const { channels, steps, starts } = paths;
  const longest = steps.length === 0 ? 0 : longestOf(paths);
  const places = channels.map(() => Array.from({ length: longest }, () => ({ conversions: 0, value: 0 })));
  const often = new Uint32Array(channels.length);
  for (const { i, members } of memberships(paths)) {
    for (let at = starts[i]!; at < starts[i + 1]!; at++) often[steps[at]!]! += 1;
    for (let at = starts[i]!; at < starts[i + 1]!; at++) {
      const channel = steps[at]!;
      const place = places[channel]![at - starts[i]!]!;
      place.conversions += paths.conversions[i]! / members.length / often[channel]!;
      place.value += paths.value[i]! / members.length / often[channel]!;
    }
    for (const channel of members) often[channel] = 0;
  }
  return shapleyAdditive(paths).map((it, channel) => ({ ...it, positions: places[channel]! }));
}

function longestOf({ starts }: CountedPaths): number {
  let longest = 0;
  for (let i = 1; i < starts.length; i++) longest = Math.max(longest, starts[i]! - starts[i - 1]!);
  return longest;
}

/** The distinct channels of each path that earned something, in the order in which they first stand in it. */
export function* memberships(
  paths: CountedPaths,
  earned = (i: number) => paths.conversions[i]! > 0 || paths.value[i]! > 0,
): Generator<{ readonly i: number; readonly members: readonly number[] }> {
  const { channels, steps, starts } = paths;
  const seenIn = new Int32Array(channels.length).fill(-1);
  for (let i = 0; i < sizeOf(paths); i++) {
    if (!earned(i)) continue;
    const members: number[] = [];
    for (let at = starts[i]!; at < starts[i + 1]!; at++) {
      const channel = steps[at]!;
      if (seenIn[channel] === i) continue;
      seenIn[channel] = i;
      members.push(channel);
    }
    yield { i, members };
  }
}
