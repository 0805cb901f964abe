import { type CompositeSettings, compositeSettings } from '../platform/brand.ts';
import { fitHazard, type ObservedPerson } from './learned.ts';
import type { Journey } from './prediction-file.ts';
import type { Rows, Seen } from './prediction-rows.ts';

/** Models whose weights, added up, say how near a person is to converting. The first is the yardstick. */
export const predictingModels = [
  'linear',
  'role',
  'time_decay',
  'composite',
  'composite_simple',
  'learned',
] as const;
export type PredictingModel = (typeof predictingModels)[number];

/** The half-lives that a model may choose from; one `undefined` where it has none to choose. */
export const weightsFrom = (
  model: PredictingModel,
  halfLives: readonly number[],
): readonly (number | undefined)[] =>
  model === 'linear' || model === 'role' || model === 'composite' ? [undefined] : halfLives;

/**
 * What a model makes of what is seen of a person. Only `learned` looks at the log for it, up to `until`.
 *
 *   linear 1 · role P · time_decay 2^(−d/h) · composite_simple P · 2^(−d/h)      each added up over touches, d days old
 *   composite P · max(α e^(−λ · days since the first in sight), γ, β 2^(−d/h)), all as preset
 *   learned μ + Σ θ(channel) · 2^(−d/h)
 */
export function scorerOf(
  model: PredictingModel,
  halfLifeDays: number | undefined,
  journeys: readonly Journey[],
  until: number,
): (rows: Rows) => Float64Array {
  const scoreOf = scoreBy(model, halfLifeDays ?? Number.POSITIVE_INFINITY, journeys, until);
  return ({ seen }) => Float64Array.from(seen, scoreOf);
}

function scoreBy(
  model: PredictingModel,
  halfLifeDays: number,
  journeys: readonly Journey[],
  until: number,
): (seen: Seen) => number {
  const settings = compositeSettings.parse({});
  const faded = (days: number) => 2 ** (-days / halfLifeDays);
  switch (model) {
    case 'linear':
      return ({ touches }) => touches.length;
    case 'role':
      return added(({ role }) => settings.roles[role]);
    case 'time_decay':
      return added((_, age) => faded(age));
    case 'composite_simple':
      return added(({ role }, age) => settings.roles[role] * faded(age));
    case 'composite':
      return added(({ role }, age, since) => settings.roles[role] * preset(settings, age, since));
    case 'learned': {
      const { base, effects } = fitHazard(observed(journeys, until), halfLifeDays);
      const sum = added(({ channel }, age) => (effects[channel] ?? 0) * faded(age));
      return (seen) => base + sum(seen);
    }
  }
}

const preset = ({ opening, closing, floor }: CompositeSettings, age: number, since: number): number =>
  Math.max(
    opening.weight * Math.exp(-opening.perDay * since),
    floor,
    closing.weight * 2 ** (-age / closing.halfLifeDays),
  );

const added =
  (weight: (touch: Journey['touches'][number], age: number, since: number) => number) =>
  ({ at, touches }: Seen): number =>
    touches.reduce((sum, it) => sum + weight(it, at - it.at, it.at - touches[0]!.at), 0);

/** People as they were seen up to an instant, from the first day of the log on. */
function* observed(journeys: readonly Journey[], until: number): Generator<ObservedPerson> {
  let from = until;
  for (const { touches, conversions } of journeys)
    from = Math.min(from, touches[0]?.at ?? from, conversions[0] ?? from);
  for (const { touches, conversions } of journeys)
    yield {
      from,
      to: until,
      touches: touches.flatMap(({ at, channel }) => (at <= until ? [{ at, kind: channel }] : [])),
      conversions: conversions.filter((at) => at <= until),
    };
}
