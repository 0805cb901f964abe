import {
  type ChannelModel,
  channelModels,
  normal,
  type ShareOf,
  type TouchModel,
  touchModels,
} from './judge-models.ts';
import { markov } from './markov.ts';
import { type CountedPaths, pathCounter } from './paths.ts';
import { shapleyAdditive } from './shapley-paths.ts';
import type { SimulatedPerson } from './simulation.ts';

export type JudgedModel = TouchModel | ChannelModel;

/** How far models are from the truth, by total variation: half the sum of the differences of shares, 0 … 1. */
export interface Errors {
  readonly channel: Readonly<Record<JudgedModel, number>>;
  /** The mean over conversions. */
  readonly touch: Readonly<Record<TouchModel, number>>;
}

/** What is judged, laid out so that people can be drawn again and again at the price of adding up. */
export interface Evidence {
  readonly people: number;
  readonly channels: readonly string[];
  /** Of each person the distinct path, or −1 without a touch. */
  readonly path: Int32Array;
  readonly paths: CountedPaths;
  /** People who converted after a touch; one row each of what follows. */
  readonly converted: Int32Array;
  /** Per conversion and channel: what the channel's touches truly caused. */
  readonly truth: Float64Array;
  /** Per conversion and channel, what each model gives. */
  readonly credits: Readonly<Record<TouchModel, Float64Array>>;
  /** Per conversion, the distance between the path's shares and the true ones; NaN where no touch caused anything. */
  readonly distances: Readonly<Record<TouchModel, Float64Array>>;
}

export function evidenceOf(
  people: readonly SimulatedPerson[],
  channels: readonly string[],
  shareBy: (model: TouchModel) => ShareOf,
): Evidence {
  const numbers = new Map(channels.map((channel, i) => [channel, i]));
  const places = ({ touches }: SimulatedPerson) => touches.map(({ kind }) => numbers.get(kind)!);
  const converted = Int32Array.from(
    people.flatMap(({ conversions, touches }, i) =>
      conversions.length > 0 && touches.length > 0 ? [i] : [],
    ),
  );
  const chosen = Array.from(converted, (i) => ({ person: people[i]!, places: places(people[i]!) }));
  const byChannel = (shareOf: ShareOf) => {
    const table = new Float64Array(chosen.length * channels.length);
    for (const [row, { person, places }] of chosen.entries())
      for (const [i, share] of shareOf(person).entries()) table[row * channels.length + places[i]!]! += share;
    return table;
  };
  const truths = chosen.map(({ person }) =>
    person.caused.some((it) => it > 0) ? normal(person.caused) : undefined,
  );
  const distancesOf = (shareOf: ShareOf) =>
    Float64Array.from(chosen, ({ person }, row) => {
      const truth = truths[row];
      return truth ? totalVariation(shareOf(person), truth) : Number.NaN;
    });
  return {
    people: people.length,
    channels,
    ...pathsOf(people.map(places), channels),
    converted,
    truth: byChannel(({ caused }) => caused),
    credits: each(touchModels, (model) => byChannel(shareBy(model))),
    distances: each(touchModels, (model) => distancesOf(shareBy(model))),
  };
}

/** The distinct paths, and whose they are. How often each converted is counted when people are drawn. */
function pathsOf(all: readonly (readonly number[])[], channels: readonly string[]) {
  const counter = pathCounter();
  for (const channel of channels) counter.numberOf(channel);
  const numbers = new Map<string, number>();
  const path = Int32Array.from(all, (places) => {
    if (places.length === 0) return -1;
    const name = places.join();
    const known = numbers.get(name);
    if (known !== undefined) return known;
    counter.add(places, { conversions: 0, value: 0, nulls: 0 });
    numbers.set(name, numbers.size);
    return numbers.size - 1;
  });
  return { path, paths: counter.counted() };
}

/** The errors when each person counts `often[i]` times: once for all, or as they were drawn. */
export function errorsOf(evidence: Evidence, often: Uint16Array): Errors {
  const { channels, truth, credits, distances, converted } = evidence;
  const counts = converted.map((person) => often[person]!);
  const actual = shares(added(truth, counts, channels.length));
  const byPaths = creditsByPaths(evidence, often);
  const byTouches = each(touchModels, (model) => added(credits[model], counts, channels.length));
  const error = (totals: ArrayLike<number>) => totalVariation(shares(totals), actual);
  return {
    channel: {
      ...each(touchModels, (model) => error(byTouches[model])),
      ...each(channelModels, (it) => error(byPaths[it])),
    },
    touch: each(touchModels, (model) => mean(distances[model], counts)),
  };
}

function creditsByPaths(
  { path, paths, converted }: Evidence,
  often: Uint16Array,
): Record<ChannelModel, number[]> {
  const conversions = new Float64Array(paths.conversions.length);
  const nulls = new Float64Array(paths.conversions.length);
  for (let i = 0; i < path.length; i++) if (path[i]! >= 0) nulls[path[i]!]! += often[i]!;
  for (const person of converted) {
    conversions[path[person]!]! += often[person]!;
    nulls[path[person]!]! -= often[person]!;
  }
  const counted = { ...paths, conversions, nulls };
  return {
    markov: markov(counted, { leastPerState: 0 }).channels.map((it) => it.conversions),
    shapley: shapleyAdditive(counted).map((it) => it.conversions),
  };
}

/** The rows of a table, each as often as it counts, added up. */
function added(table: Float64Array, counts: Int32Array, width: number): Float64Array {
  const totals = new Float64Array(width);
  for (let row = 0; row < counts.length; row++) {
    const count = counts[row]!;
    if (count === 0) continue;
    for (let i = 0; i < width; i++) totals[i]! += count * table[row * width + i]!;
  }
  return totals;
}

function mean(list: Float64Array, counts: Int32Array): number {
  let [sum, all] = [0, 0];
  for (let row = 0; row < counts.length; row++) {
    if (Number.isNaN(list[row]!)) continue;
    sum += counts[row]! * list[row]!;
    all += counts[row]!;
  }
  return all > 0 ? sum / all : 0;
}

function shares(totals: ArrayLike<number>): number[] {
  return normal(Array.from(totals));
}

function totalVariation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / 2;
}

export function each<K extends string, T>(names: readonly K[], of: (name: K) => T): Readonly<Record<K, T>> {
  const found: Partial<Record<K, T>> = {};
  for (const name of names) found[name] = of(name);
  return found as Record<K, T>;
}
