import { z } from 'zod';
import { populationModel } from '../platform/brand-words.ts';
import { RejectedError } from '../platform/errors.ts';
import type { Table } from '../platform/table.ts';
import { liftAnswer } from './lift.ts';
import { type ChannelWeights, newestModel, weightsOf } from './population-share.ts';
import type { Beside, Report, ReportModel, ReportQuery } from './report.ts';
import { spendIn } from './spend.ts';

const learnedName = (name: ReportModel) => populationModel.safeParse(name).data;
const lifts = z.array(liftAnswer);

/**
 * What a report takes from elsewhere, as it is now: the newest version of each model that is learned of everybody, and
 * what was spent.
 *
 * @param hasSpend whether the report's money is that of the spend
 * @throws RejectedError 409 if such a model was never learned
 */
export async function besideOf(
  { models, from, to }: ReportQuery,
  hasSpend: boolean,
  table: Pick<Table, 'get' | 'query'>,
): Promise<Required<Beside>> {
  const weights: ReadonlyMap<ReportModel, ChannelWeights> = await weightsOf(
    models.flatMap((name) => learnedName(name) ?? []),
    table,
  );
  const missing = models.find((name) => learnedName(name) && !weights.has(name));
  if (missing)
    throw new RejectedError('not_learned', `${missing} was never learned: POST /models/${missing}`, 409);
  return { weights, spend: hasSpend ? await spendIn(table, from, to) : [] };
}

/** What of a report comes of everybody, and not of its conversions. */
export async function learnedOf(
  by: ReportQuery['by'],
  weights: ReadonlyMap<ReportModel, ChannelWeights>,
  table: Pick<Table, 'get'>,
): Promise<Pick<Report, 'versions' | 'holdouts'>> {
  const holdouts = by === 'campaign' ? await newestModel(table, 'holdouts') : undefined;
  const versions = Object.fromEntries([...weights].map(([model, { version }]) => [model, version]));
  return {
    ...(weights.size > 0 && { versions }),
    ...(holdouts !== undefined && { holdouts: lifts.parse(holdouts) }),
  };
}
