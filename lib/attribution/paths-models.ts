import { type AttributionSettings, attributionSettings } from '../platform/brand.ts';
import { type MarkovFlag, type MarkovSettings, markov } from './markov.ts';
import { type ChannelCredit, type CountedPaths, totalsOf } from './paths.ts';
import { pathRules, shareByRule } from './paths-rules.ts';
import { shapleyAdditive, shapleyOrdered } from './shapley-paths.ts';
import { type RateSettings, shapleyRate } from './shapley-rate.ts';

/** Every model that aggregated paths can be shared by. */
export const pathModels = [...pathRules, 'markov', 'shapley', 'shapley_ordered', 'shapley_rate'] as const;
export type PathModel = (typeof pathModels)[number];

export interface PathSettings {
  readonly attribution?: AttributionSettings;
  /** The channel that `last_non_direct` passes over. */
  readonly direct?: string;
  readonly markov?: MarkovSettings;
  readonly rate?: RateSettings;
}

/** What nobody led to stands in a row of its own, so that every model adds up to the same. */
export const UNATTRIBUTED = '(unattributed)';

export interface PathResult {
  readonly model: PathModel;
  /** One row a channel, and one of nobody's where there is something: Σ is what the file comes to. */
  readonly channels: readonly ChannelCredit[];
  /** What a reader of the numbers has to know, each a word of `MEANINGS`. */
  readonly flags: readonly Flag[];
  /** What the model says besides: how many states, how much was sampled. */
  readonly facts: Readonly<Record<string, number>>;
}

export type Flag = MarkovFlag;

export const MEANINGS: Readonly<Record<Flag, string>> = {
  no_null_paths: 'no path failed to convert: there is no contrast, and this says only who was on the way',
  no_conversions: 'nothing converted',
  equal_fallback: 'where no channel added anything, all of the path share equally',
};

/**
 * Shares all paths by one model.
 *
 * @throws OrderRefused as `markov` does
 */
export function sharePaths(paths: CountedPaths, model: PathModel, settings: PathSettings = {}): PathResult {
  const { channels, flags = [], facts = {} } = resultOf(paths, model, settings);
  const { conversions, value } = paths.unattributed;
  const nobody = conversions > 0 || value > 0 ? [{ channel: UNATTRIBUTED, conversions, value }] : [];
  return { model, channels: [...channels, ...nobody], flags, facts };
}

type Part = Pick<PathResult, 'channels'> & Partial<PathResult>;

function resultOf(paths: CountedPaths, model: PathModel, settings: PathSettings): Part {
  switch (model) {
    case 'markov': {
      const { channels, flags, ...facts } = markov(paths, settings.markov);
      return { channels, flags, facts };
    }
    case 'shapley':
      return { channels: shapleyAdditive(paths) };
    case 'shapley_ordered':
      return { channels: shapleyOrdered(paths) };
    case 'shapley_rate': {
      const { channels, flags, ...facts } = shapleyRate(paths, settings.rate);
      return { channels, flags, facts };
    }
    default: {
      const { attribution = attributionSettings.parse({}), direct } = settings;
      return { channels: shareByRule(paths, model, attribution, direct) };
    }
  }
}

/** What the file comes to, nobody's included. */
export function wholeOf(paths: CountedPaths) {
  const [of, nobody] = [totalsOf(paths), paths.unattributed];
  return {
    conversions: of.conversions + nobody.conversions,
    value: of.value + nobody.value,
    nulls: of.nulls + nobody.nulls,
  };
}
