// HTTP from operators in → what could not be taken, and its replay.
import { z } from 'zod';
import { readBrand } from '../lib/platform/brand-file.ts';
import { openBrandTable } from '../lib/platform/brand-table.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { httpHandler } from '../lib/platform/http.ts';
import { openQueue } from '../lib/platform/sqs.ts';
import { quarantineApi } from '../lib/quarantine/api.ts';
import { authorize } from '../lib/query/auth.ts';

export const env = z.object({
  ...{ TABLE_NAME: z.string(), KEYS_TABLE: z.string() },
  EVENTS_URL: z.string(),
  HINTS_URL: z.string().optional(),
});

const open = () => {
  const { TABLE_NAME, KEYS_TABLE, EVENTS_URL, HINTS_URL } = env.parse(process.env);
  return {
    brand: readBrand(new URL('./brand.json', import.meta.url)),
    table: openBrandTable(TABLE_NAME, KEYS_TABLE),
    queue: openQueue(EVENTS_URL),
    hints: HINTS_URL === undefined ? undefined : openQueue(HINTS_URL),
    now: systemClock,
    authorize,
  };
};

export const handler = httpHandler(open, quarantineApi);
