import { z } from 'zod';
import {
  type Report,
  type ReportModel,
  reportAnswer,
  reportModel,
  reportOf,
  reportQuery,
} from '../attribution/report.ts';
import { besideOf, learnedOf } from '../attribution/report-beside.ts';
import type { ModelName } from '../platform/brand-words.ts';
import { dayName } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import type { HttpRequest } from '../platform/http.ts';
import { whoMay } from '../privacy/roles.ts';
import type { Calendar } from '../tags/calendar.ts';
import { parseQuery, type QueryDeps, type Route } from './route.ts';
import { dayOf, moment } from './span.ts';

export type ReportDeps = Pick<QueryDeps, 'table' | 'brand' | 'conversions' | 'now'> & {
  readonly calendar: Calendar;
};

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
function modelsIn(said: string | undefined, ofBrand: readonly ModelName[]): ReportModel[] {
  if (said === 'all') return [...ofBrand];
  if (said === undefined) return ofBrand.slice(0, 1);
  const parsed = z.array(reportModel).safeParse([...new Set(said.split(','))]);
  if (parsed.success) return parsed.data;
  const names = reportModel.options.join(', ');
  throw new RejectedError('bad_query', `model: give \`all\`, or with commas between some of ${names}`);
}

/** The report over the API: the function `models` answers it. */
export const reportRoute = {
  method: 'GET',
  path: '/attribution',
  roles: whoMay('persons'),
  summary:
    'Credited conversions and money by channel, campaign, content, staff, scene, day or cohort, in several models side by side, beside what was spent; `(unattributed)` is a row',
  query: asked,
  answer: reportAnswer,
} satisfies Route;

/** `GET /attribution`. @throws RejectedError 400 for what is asked, 409 for a model that was never learned */
export async function answerReport(said: HttpRequest['query'], deps: ReportDeps): Promise<Report> {
  const { brand, table, calendar, conversions, now } = deps;
  const { from, to, model, ...rest } = parseQuery(asked, said);
  const last = to ? dayOf(to, calendar) : calendar.brandDay(now());
  const first = from ? dayOf(from, calendar) : last - USUAL_DAYS + 1;
  if (first > last) throw new RejectedError('bad_range', '`from` has to be a day before `to`, or the same');
  const asking = {
    models: modelsIn(model, brand.attribution.models),
    from: dayName(first),
    to: dayName(last),
    by: 'channel' as const,
    currency: brand.currency,
    ...rest,
  };
  const beside = await besideOf(asking, asking.currency === brand.currency, table);
  const report = await reportOf(asking, conversions, beside);
  return { ...report, ...(await learnedOf(asking.by, beside.weights, table)) };
}
