import { type CountedPaths, type Counts, sizeOf } from './paths.ts';
import { memberships } from './shapley-paths.ts';

/** A set of channels, or a sequence of them, that all the channels of some path are. */
export interface Coalition extends Counts {
  readonly members: readonly number[];
}

/** The coalitions that paths show, and their counts. They are found by walking from member to member. */
export interface Coalitions {
  readonly list: readonly Coalition[];
  /** Where no coalition begins in this way, -1. @param from a place of this walk; 0 to begin */
  step(from: number, channel: number): number;
  /** The coalition that ends at this place of the walk. */
  at(place: number): Coalition | undefined;
}

/**
 * Groups paths by their distinct channels.
 *
 * @param by `set`: whatever their order; `sequence`: in the order in which they first stand in the path
 */
export function coalitionsOf(paths: CountedPaths, by: 'set' | 'sequence'): Coalitions {
  const width = paths.channels.length;
  const next = new Map<number, number>(); // place · width + channel → place
  const held: (Coalition & { conversions: number; value: number; nulls: number })[] = [];
  const byPlace = new Map<number, (typeof held)[number]>();
  const isCounted = (i: number) => paths.conversions[i]! + paths.nulls[i]! > 0;
  for (const { i, members } of memberships(paths, isCounted)) {
    const walked = by === 'set' ? [...members].sort((a, b) => a - b) : members;
    let place = 0;
    for (const channel of walked) {
      const key = place * width + channel;
      const known = next.get(key);
      place = known ?? next.size + 1;
      if (known === undefined) next.set(key, place);
    }
    let found = byPlace.get(place);
    if (!found) {
      found = { members: walked, conversions: 0, value: 0, nulls: 0 };
      byPlace.set(place, found);
      held.push(found);
    }
    found.conversions += paths.conversions[i]!;
    found.value += paths.value[i]!;
    found.nulls += paths.nulls[i]!;
  }
  return {
    list: held,
    step: (from, channel) => next.get(from * width + channel) ?? -1,
    at: (place) => byPlace.get(place),
  };
}

/** The coalition of each choice of members, by bits; `undefined` where no path shows it, as for nobody. */
export function partsOf(members: readonly number[], coalitions: Coalitions): (Coalition | undefined)[] {
  const places = new Int32Array(2 ** members.length);
  const parts: (Coalition | undefined)[] = [undefined];
  for (let bits = 1, last = 0; bits < places.length; bits++) {
    if (bits === 2 ** (last + 1)) last += 1;
    const before = places[bits ^ (1 << last)]!;
    places[bits] = before < 0 ? -1 : coalitions.step(before, members[last]!);
    parts.push(coalitions.at(places[bits]!));
  }
  return parts;
}

/** The coalitions that are part of these members, each as places among them; for more members than bits can hold. */
export function shownPartsOf(
  members: readonly number[],
  coalitions: Coalitions,
): { readonly indices: readonly number[]; readonly coalition: Coalition }[] {
  const found: { indices: number[]; coalition: Coalition }[] = [];
  const walk = (place: number, from: number, indices: number[]) => {
    for (let j = from; j < members.length; j++) {
      const next = coalitions.step(place, members[j]!);
      if (next < 0) continue;
      const longer = [...indices, j];
      const coalition = coalitions.at(next);
      if (coalition) found.push({ indices: longer, coalition });
      walk(next, j + 1, longer);
    }
  };
  walk(0, 0, []);
  return found;
}

/** Conversions a path among all paths with a touch. */
export function overallRate(paths: CountedPaths): number {
  let [conversions, all] = [0, 0];
  for (let i = 0; i < sizeOf(paths); i++) {
    conversions += paths.conversions[i]!;
    all += paths.conversions[i]! + paths.nulls[i]!;
  }
  return all > 0 ? conversions / all : 0;
}
