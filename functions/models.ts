// HTTP from people, SQS `models` and the clock in → models that are learned of everybody, reports, and what was spent.
import { z } from 'zod';
import { modelsApi } from '../lib/attribution/models-api.ts';
import { learnNightly } from '../lib/attribution/population-ask.ts';
import { populationStore } from '../lib/attribution/population-store.ts';
import { onPopulation } from '../lib/attribution/population-work.ts';
import { conversionReader } from '../lib/attribution/read.ts';
import { readBrand } from '../lib/platform/brand-file.ts';
import { openBrandTable } from '../lib/platform/brand-table.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { httpHandler } from '../lib/platform/http.ts';
import { openQueue, sqsAndClockHandler } from '../lib/platform/sqs.ts';
import { profileStore } from '../lib/profile/store.ts';
import { authorize } from '../lib/query/auth.ts';
import { openCalendar } from '../lib/tags/calendar.ts';

export const env = z.object({ TABLE_NAME: z.string(), KEYS_TABLE: z.string(), MODELS_URL: z.string() });

const open = () => {
  const { TABLE_NAME, KEYS_TABLE, MODELS_URL } = env.parse(process.env);
  const table = openBrandTable(TABLE_NAME, KEYS_TABLE);
  const brand = readBrand(new URL('./brand.json', import.meta.url));
  return {
    ...{ table, brand, authorize },
    calendar: openCalendar(brand.timezone),
    profiles: profileStore(table),
    conversions: conversionReader(table),
    population: populationStore(table, systemClock),
    work: openQueue(MODELS_URL),
    now: systemClock,
  };
};

const asked = httpHandler(open, modelsApi);
const worked = sqsAndClockHandler(open, onPopulation, learnNightly);
type Asked = Parameters<typeof asked>;
export const handler = (event: Asked[0] | Parameters<typeof worked>[0], context: Asked[1]) =>
  'requestContext' in event ? asked(event, context) : worked(event);
