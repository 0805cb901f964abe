import { z } from 'zod';
import { reportAnswer, reportOf, reportQuery } from '../attribution/report.ts';
import { conversionAnswer, conversionView } from '../attribution/view.ts';
import { dayName } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { clusterOf } from '../profile/cluster.ts';
import { readCluster } from '../profile/read.ts';
import { type Answered, answered } from './route.ts';
import { dayOf, moment } from './span.ts';

const asked = reportQuery.partial().extend({
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

export const attributionRoutes: readonly Answered[] = [
  answered(
    {
      method: 'GET',
      path: '/attribution',
      summary:
        'Credited conversions and money by channel or campaign, in one model; `(unattributed)` is a row',
      query: asked,
      answer: reportAnswer,
    },
    async ({ query }, deps) => {
      const { book } = await deps.rules();
      const { from, to, ...rest } = query;
      const last = to ? dayOf(to, book.calendar) : book.calendar.brandDay(deps.now());
      const first = from ? dayOf(from, book.calendar) : last - USUAL_DAYS + 1;
      if (first > last)
        throw new RejectedError('bad_range', '`from` has to be a day before `to`, or the same');
      return reportOf(
        {
          model: deps.brand.attribution.models[0] ?? 'linear',
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
      summary: 'One conversion: its path, and in each model the credit of each touch with every factor',
      answer: conversionAnswer,
    },
    async ({ params }, deps) => {
      const { id = '' } = params;
      const [profile = '', key = ''] = id.split('.');
      const known = await deps.conversions.get(clusterOf(profile), id);
      if (known) return conversionView(known);
      // The profile may have gone on into another since the id was told.
      const cluster = await readCluster(deps.profiles, clusterOf(profile));
      for await (const row of cluster ? deps.conversions.list(cluster.id) : []) {
        if (row.conversion.key === key) return conversionView(row);
      }
      throw new RejectedError('not_found', 'no conversion has this id', 404);
    },
  ),
];
