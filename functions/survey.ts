// SQS `surveys` in → what was found in parts of all profiles: forecasts, effects, RFM, quintiles.
import { z } from 'zod';
import { readBrand } from '../lib/platform/brand-file.ts';
import { openBrandTable } from '../lib/platform/brand-table.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { openQueue, sqsHandler } from '../lib/platform/sqs.ts';
import { rulesInForce } from '../lib/profile/rules.ts';
import { partsQueue } from '../lib/tags/parts-queue.ts';
import { rulesKept } from '../lib/tags/rules-kept.ts';
import { onSurvey } from '../lib/tags/survey-part.ts';

export const env = z.object({
  TABLE_NAME: z.string(),
  KEYS_TABLE: z.string(),
  RECOMPUTE_URL: z.string(),
  SURVEY_URL: z.string(),
});

const open = () => {
  const { TABLE_NAME, KEYS_TABLE, RECOMPUTE_URL, SURVEY_URL } = env.parse(process.env);
  const brand = readBrand(new URL('./brand.json', import.meta.url));
  const table = openBrandTable(TABLE_NAME, KEYS_TABLE);
  return {
    table,
    recompute: partsQueue(openQueue(RECOMPUTE_URL), openQueue(SURVEY_URL)),
    rules: rulesInForce(rulesKept(table, brand), brand, systemClock),
    now: systemClock,
  };
};

export const handler = sqsHandler(open, onSurvey);
