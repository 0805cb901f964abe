import { weightsOf } from '../attribution/population-share.ts';
import type { ConversionRow } from '../attribution/row.ts';
import { conversionAmong, conversionInFull } from '../attribution/view.ts';
import { populationModel } from '../platform/brand-words.ts';
import { RejectedError } from '../platform/errors.ts';
import { clusterOf } from '../profile/cluster.ts';
import { readCluster } from '../profile/read.ts';
import { type Answered, answered, type QueryDeps } from './route.ts';

/** One conversion of a cluster, beside the others of its person; none if there is none. */
async function among(
  cluster: string,
  isAsked: (row: ConversionRow) => boolean,
  { conversions, table }: QueryDeps,
) {
  const all: ConversionRow[] = [];
  for await (const row of conversions.list(cluster)) all.push(row);
  const found = all.find(isAsked);
  return found && conversionAmong(found, all, await weightsOf(populationModel.options, table));
}

export const attributionRoutes: readonly Answered[] = [
  answered(
    {
      method: 'GET',
      path: '/conversions/{id}',
      summary:
        'One conversion: its path, what was left out of it and why, in each model the credit of each touch with every factor, and the person’s other conversions',
      answer: conversionInFull,
    },
    async ({ params, saw }, deps) => {
      const { id = '' } = params;
      const [profile = '', key = ''] = id.split('.');
      saw(profile);
      const known = await among(clusterOf(profile), (row) => row.id === id, deps);
      if (known) return known;
      // The profile may have gone on into another since the id was told.
      const cluster = await readCluster(deps.profiles, clusterOf(profile));
      const moved = cluster && (await among(cluster.id, (row) => row.conversion.key === key, deps));
      if (moved) return moved;
      throw new RejectedError('not_found', 'no conversion has this id', 404);
    },
  ),
];
