// SQS `hints` and the clock in → what vendors only announced is asked for, as events on the `events` queue.
import { z } from 'zod';
import { askStanding, fetchMemory, onHints } from '../lib/capture/fetch.ts';
import { readBrand } from '../lib/platform/brand-file.ts';
import { openBrandTable } from '../lib/platform/brand-table.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { openSecrets } from '../lib/platform/secrets.ts';
import { openQueue, sqsAndClockHandler } from '../lib/platform/sqs.ts';

export const env = z.object({
  TABLE_NAME: z.string(),
  KEYS_TABLE: z.string(),
  EVENTS_URL: z.string(),
  HINTS_URL: z.string(),
});

const open = () => {
  const { TABLE_NAME, KEYS_TABLE, EVENTS_URL, HINTS_URL } = env.parse(process.env);
  return {
    brand: readBrand(new URL('./brand.json', import.meta.url)),
    secrets: openSecrets(systemClock),
    table: openBrandTable(TABLE_NAME, KEYS_TABLE),
    queue: openQueue(EVENTS_URL),
    hints: openQueue(HINTS_URL),
    memory: fetchMemory(),
    now: systemClock,
    fetch,
    tell: (fact: object) => console.log(JSON.stringify(fact)),
  };
};

export const handler = sqsAndClockHandler(open, onHints, askStanding);
