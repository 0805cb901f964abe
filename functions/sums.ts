// The clock in → sums of people without whoever was erased: some ended, some asked for again on `surveys` and `models`.
import { z } from 'zod';
import { populationStore } from '../lib/attribution/population-store.ts';
import { readBrand } from '../lib/platform/brand-file.ts';
import { openBrandTable } from '../lib/platform/brand-table.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { clockHandler } from '../lib/platform/clock-handler.ts';
import { openQueue } from '../lib/platform/sqs.ts';
import { restateSums } from '../lib/privacy/sums.ts';
import { openCalendar } from '../lib/tags/calendar.ts';

export const env = z.object({
  ...{ TABLE_NAME: z.string(), KEYS_TABLE: z.string() },
  ...{ SURVEY_URL: z.string(), MODELS_URL: z.string() },
});

const open = () => {
  const { TABLE_NAME, KEYS_TABLE, SURVEY_URL, MODELS_URL } = env.parse(process.env);
  const brand = readBrand(new URL('./brand.json', import.meta.url));
  const table = openBrandTable(TABLE_NAME, KEYS_TABLE);
  return {
    ...{ table, brand },
    calendar: openCalendar(brand.timezone),
    population: populationStore(table, systemClock),
    recompute: openQueue(SURVEY_URL),
    work: openQueue(MODELS_URL),
    now: systemClock,
  };
};

export const handler = clockHandler(open, restateSums);
