import { z } from 'zod';
import { reportAnswer, reportOf, reportQuery } from '../attribution/report.ts';
import type { ConversionRow } from '../attribution/row.ts';
import { conversionAmong, conversionInFull } from '../attribution/view.ts';
import { type ModelName, modelName } from '../platform/brand.ts';
import { dayName } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { clusterOf } from '../profile/cluster.ts';
import { readCluster } from '../profile/read.ts';
import { type Answered, answered, type QueryDeps } from './route.ts';
import { dayOf, moment } from './span.ts';

/** `linear`, `linear,composite` or `all`. */
const modelList = z
  .string()
  .meta({ description: 'a model, several with commas between, or `all` that the brand uses' });

const asked = reportQuery
  .omit({ models: true })
  .partial()
  .extend({
    model: modelList.optional(),
    /** Brand-days, both in; of an instant, the day that it lies in. */
    from: moment.optional(),
    to: moment.optional(),
    currency: z
      .string()
      .regex(/^[A-Za-z]{3}$/, 'give a currency by ISO 4217, such as CNY')
      .transform((code) => code.toUpperCase())
      .optional(),
  });

/** Brand-days that a report covers if nobody says. */
const USUAL_DAYS = 30;

/** The models that a query names; the brand's first if it names none. */
function modelsIn(said: string | undefined, ofBrand: readonly ModelName[]): ModelName[] {
  if (said === 'all') return [...ofBrand];
  if (said === undefined) return ofBrand.slice(0, 1);
  const parsed = z.array(modelName).safeParse([...new Set(said.split(','))]);
  if (parsed.success) return parsed.data;
  const names = modelName.options.join(', ');
  throw new RejectedError('bad_query', `model: give \`all\`, or with commas between some of ${names}`);
}

/** One conversion of a cluster, beside the others of its person; none if there is none. */
async function among(cluster: string, isAsked: (row: ConversionRow) => boolean, { conversions }: QueryDeps) {
  const all: ConversionRow[] = [];
  for await (const row of conversions.list(cluster)) all.push(row);
  const found = all.find(isAsked);
  return found && conversionAmong(found, all);
}

export const attributionRoutes: readonly Answered[] = [
  answered(
    {
      method: 'GET',
      path: '/attribution',
      summary:
        'Credited conversions and money by channel, campaign, content, staff, scene or day, in several models side by side; `(unattributed)` is a row',
      query: asked,
      answer: reportAnswer,
    },
    async ({ query }, deps) => {
      const { book } = await deps.rules();
      const { from, to, model, ...rest } = query;
      const last = to ? dayOf(to, book.calendar) : book.calendar.brandDay(deps.now());
      const first = from ? dayOf(from, book.calendar) : last - USUAL_DAYS + 1;
      if (first > last)
        throw new RejectedError('bad_range', '`from` has to be a day before `to`, or the same');
      return reportOf(
        {
          models: modelsIn(model, deps.brand.attribution.models),
          from: dayName(first),
          to: dayName(last),
          by: 'channel',
          currency: deps.brand.currency,
          ...rest,
        },
        deps.conversions,
      );
    },
  ),
  answered(
    {
      method: 'GET',
      path: '/conversions/{id}',
      summary:
        'One conversion: its path, what was left out of it and why, in each model the credit of each touch with every factor, and the person’s other conversions',
      answer: conversionInFull,
    },
    async ({ params }, deps) => {
      const { id = '' } = params;
      const [profile = '', key = ''] = id.split('.');
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
