// HTTP from operators in → what could not be taken, and its replay.
import { z } from 'zod';
import { readBrand } from '../lib/platform/brand-file.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { openTable } from '../lib/platform/dynamo.ts';
import { httpHandler } from '../lib/platform/http.ts';
import { openQueue } from '../lib/platform/sqs.ts';
import { quarantineApi } from '../lib/quarantine/api.ts';
import { authorize } from '../lib/query/auth.ts';

export const env = z.object({
  TABLE_NAME: z.string(),
  EVENTS_URL: z.string(),
  HINTS_URL: z.string().optional(),
});

const open = () => {
  const { TABLE_NAME, EVENTS_URL, HINTS_URL } = env.parse(process.env);
  return {
    brand: readBrand(new URL('./brand.json', import.meta.url)),
    table: openTable(TABLE_NAME),
    queue: openQueue(EVENTS_URL),
    hints: HINTS_URL === undefined ? undefined : openQueue(HINTS_URL),
    now: systemClock,
    authorize,
  };
};

export const handler = httpHandler(open, quarantineApi);
