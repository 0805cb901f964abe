import { z } from 'zod';
import type { PopulationModel } from '../platform/brand-words.ts';
import { decompress } from '../platform/compressed.ts';
import { keys } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';
import type { Weight } from './models.ts';

/** What the newest version of a population model says of each channel, for sharing single orders. */
export const channelWeights = z.object({
  version: z.string(),
  /** `channel`: a channel's touches on a path share its weight equally; `touch`: each of them counts by it. */
  per: z.enum(['channel', 'touch']),
  weights: z.record(z.string(), z.number()),
});
export type ChannelWeights = z.infer<typeof channelWeights>;

const newestRow = z.object({ b: z.instanceof(Uint8Array) });

/** The newest version of a model; none if it was never learned. */
export async function newestModel(
  table: Pick<Table, 'get'>,
  model: PopulationModel | 'holdouts',
): Promise<unknown> {
  const row = await table.get(keys.model(model));
  return row && decompress(newestRow.parse(row).b);
}

/** The weights of several models, those that have been learned. */
export async function weightsOf<Name extends PopulationModel>(
  models: readonly Name[],
  table: Pick<Table, 'get'>,
): Promise<Map<Name, ChannelWeights>> {
  const found = await Promise.all(models.map((model) => newestModel(table, model)));
  const known = models.map((model, i) => [model, channelWeights.optional().parse(found[i])] as const);
  return new Map(known.flatMap(([model, it]) => (it ? [[model, it]] : [])));
}

/**
 * Weighs the touches of a path by what a population model says of their channels: normalised over the channels on the
 * path. A channel that the model has not seen weighs nothing; where all weigh nothing all count the same, as `split`
 * has it.
 */
export function weighByChannel(path: readonly string[], { version, per, weights }: ChannelWeights): Weight[] {
  const often = new Map<string, number>();
  for (const channel of path) often.set(channel, (often.get(channel) ?? 0) + 1);
  return path.map((channel) => {
    const channelWeight = Object.hasOwn(weights, channel) ? weights[channel]! : 0;
    const touches = per === 'channel' ? often.get(channel)! : 1;
    return {
      weight: channelWeight / touches,
      factors: { version, channelWeight, ...(per === 'channel' && { touches }) },
    };
  });
}
