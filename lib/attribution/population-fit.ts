import type { PopulationModel } from '../platform/brand-words.ts';
import { liftOf } from './holdout.ts';
import { learnedCredits } from './learned-counts.ts';
import type { LiftAnswer } from './lift.ts';
import { markov } from './markov.ts';
import { OrderRefused } from './markov-chain.ts';
import { type ChannelCredit, type CountedPaths, pathCounter, sizeOf, totalsOf } from './paths.ts';
import { type Fit, LearningRefused, type ModelResult } from './population.ts';
import type { Counts } from './population-counts.ts';
import { UNATTRIBUTED } from './row.ts';
import { shapleyAdditive, shapleyOrdered } from './shapley-paths.ts';
import { shapleyRate } from './shapley-rate.ts';
import { split, WHOLE } from './split.ts';

/** Half-lives that are tried unless others are asked for. */
const HALF_LIVES = [1, 2, 4, 7, 14, 30];
/** Places in a path that ordered credit is told by. */
const PLACES = 12;

type Row = ModelResult['channels'][number];
/** What a model says of one channel; credits as near as doubles come, and only in their ratios. */
type Said = ChannelCredit & Omit<Row, 'ppm' | 'money' | 'channel'>;

interface Learned {
  readonly channels: readonly Said[];
  readonly facts?: ModelResult['facts'];
  readonly flags?: readonly string[];
  /** Where the model itself says what nobody led to; else it is paths without a touch. */
  readonly nobody?: { readonly conversions: number; readonly value: number };
}

/**
 * Learns one model of what was counted. Over all rows, `(unattributed)` among them, conversions and money are exactly
 * those of the sample, by largest remainder.
 *
 * @throws LearningRefused in words, where the counts cannot bear the model
 */
export function learn(parameters: Fit, counts: Counts): ModelResult {
  const paths = pathsIn(counts);
  const sample = sampleOf(counts, paths);
  const money = totalsOf(paths).value + paths.unattributed.value;
  const base = { sample, money };
  if (parameters.model === 'holdouts')
    return { ...base, channels: [], facts: {}, flags: [], lifts: counts.holdouts.map(lift) };
  const {
    channels,
    nobody = paths.unattributed,
    facts = {},
    flags = [],
  } = refusing(() => learned(parameters, paths, counts));
  return {
    ...base,
    channels: rowsOf(channels, nobody, sample.conversions, money),
    facts,
    flags: [...flags],
  };
}

/** The counts as paths that models take. */
export function pathsIn({ channels, paths }: Counts): CountedPaths {
  const counter = pathCounter();
  for (const channel of channels) counter.numberOf(channel);
  for (const [steps, conversions, value, nulls] of paths) counter.add(steps, { conversions, value, nulls });
  return counter.counted();
}

function sampleOf({ people, tooYoung, otherCurrencies }: Counts, paths: CountedPaths): ModelResult['sample'] {
  const { conversions, nulls } = totalsOf(paths);
  return {
    people,
    distinctPaths: sizeOf(paths),
    conversions: conversions + paths.unattributed.conversions,
    nulls,
    tooYoung,
    otherCurrencies,
  };
}

function refusing<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof OrderRefused) throw new LearningRefused(error.message);
    throw error;
  }
}

function learned(
  fit: Extract<Fit, { model: PopulationModel }>,
  paths: CountedPaths,
  counts: Counts,
): Learned {
  switch (fit.model) {
    case 'markov': {
      const { order = 1, repeats = 'keep', fewest } = fit;
      const settings = { order, repeats, ...(fewest !== undefined && { leastPerState: fewest }) };
      const { channels, flags, ...facts } = markov(paths, settings);
      return { channels: channels.map((it) => ({ ...it, weight: it.effect.conversions })), flags, facts };
    }
    case 'shapley':
      return { channels: shapleyAdditive(paths).map((it) => ({ ...it, weight: 1 })) };
    case 'shapley_ordered':
      return {
        channels: shapleyOrdered(paths).map(({ positions, ...it }) => ({
          ...it,
          weight: 1,
          positions: firstPlaces(positions.map(({ conversions }) => conversions)),
        })),
      };
    case 'shapley_rate': {
      const { prior, by, seed } = fit;
      const { channels, flags, ...facts } = shapleyRate(paths, {
        ...(prior !== undefined && { prior }),
        ...(by !== undefined && { by }),
        ...(seed !== undefined && { sampling: { seed } }),
      });
      const met = meetings(paths);
      const said = channels.map((it, c) => ({ ...it, weight: met[c]! > 0 ? it.conversions / met[c]! : 0 }));
      return { channels: said, flags, facts };
    }
    case 'learned':
      return byHazard(counts, fit.halfLives ?? HALF_LIVES);
  }
}

function byHazard({ dated }: Counts, halfLives: readonly number[]): Learned {
  if (!dated) throw new LearningRefused('learned: what was counted has no days');
  const { hazard, nobody, channels, unattributed } = learnedCredits(dated, halfLives);
  const { halfLifeDays, iterations, lastChange, logLikelihood, base } = hazard;
  return {
    channels: [...channels]
      .map(([channel, { conversions, value, perTouch }]) => ({
        channel,
        conversions,
        value,
        weight: perTouch,
      }))
      .sort((a, b) => (a.channel < b.channel ? -1 : 1)),
    nobody: unattributed,
    facts: { halfLifeDays, iterations, lastChange, logLikelihood, basePerDay: base, nobody },
  };
}

/** How many conversions have each channel on their path. */
function meetings({ channels, steps, starts, conversions }: CountedPaths): Float64Array {
  const met = new Float64Array(channels.length);
  for (let i = 0; i + 1 < starts.length; i++)
    for (const channel of new Set(steps.subarray(starts[i], starts[i + 1]))) met[channel]! += conversions[i]!;
  return met;
}

const firstPlaces = (places: readonly number[]): number[] =>
  places.length <= PLACES
    ? [...places]
    : [...places.slice(0, PLACES - 1), places.slice(PLACES - 1).reduce((sum, it) => sum + it, 0)];

/** Whole ppm and minor units of each channel and of nobody: the largest first. */
function rowsOf(
  said: readonly Said[],
  nobody: { readonly conversions: number; readonly value: number },
  conversions: number,
  money: number,
): Row[] {
  const [theirs, worth] = [Math.round(nobody.conversions), Math.round(nobody.value)];
  const ppm = split(
    (conversions - theirs) * WHOLE,
    weightsOf(said, ({ conversions: it }) => it),
  );
  const amounts = split(
    money - worth,
    weightsOf(said, ({ value }) => (money < worth ? -value : value)),
  );
  const isNobodys = said.length === 0;
  const rows = said.map(
    ({ conversions: _, value: __, ...more }, i): Row => ({
      ...more,
      ppm: ppm[i]!,
      money: amounts[i]!,
    }),
  );
  rows.sort((a, b) => b.money - a.money || b.ppm - a.ppm || (a.channel < b.channel ? -1 : 1));
  return [
    ...rows,
    {
      channel: UNATTRIBUTED,
      ppm: (isNobodys ? conversions : theirs) * WHOLE,
      money: isNobodys ? money : worth,
    },
  ];
}

/** Where nothing has a part by this figure, what converted decides: a sum is never spread over channels that earned none. */
function weightsOf(said: readonly Said[], of: (it: Said) => number): number[] {
  const weights = said.map((it) => Math.max(0, of(it)));
  return weights.some((it) => it > 0) ? weights : said.map((it) => it.conversions);
}

function lift({ campaign, reached, heldOut, credits }: Counts['holdouts'][number]): LiftAnswer {
  const given = Object.fromEntries(Object.entries(credits).map(([model, ppm]) => [model, ppm / WHOLE]));
  if (reached.people === 0 || heldOut.people === 0)
    return {
      campaign,
      reached,
      heldOut,
      credits: Object.entries(given).map(([model, credit]) => ({ model, credit })),
    };
  const found = liftOf({ campaign, reached, heldOut, credits: given });
  const mutable = ({ value, interval: [from, to] }: (typeof found)['perPerson']) => ({
    value,
    interval: [from, to] satisfies [number, number],
  });
  return {
    campaign,
    reached,
    heldOut,
    lift: {
      perPerson: mutable(found.perPerson),
      conversions: mutable(found.conversions),
      isShown: found.isShown,
    },
    credits: [...found.credits],
  };
}
