// The clock, and SQS `recompute`, in → tags that change by time or by new rules, in the table.
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { readBrand } from '../lib/platform/brand-file.ts';
import { openBrandTable } from '../lib/platform/brand-table.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { openQueue, sqsAndClockHandler } from '../lib/platform/sqs.ts';
import { rulesInForce } from '../lib/profile/rules.ts';
import { profileStore } from '../lib/profile/store.ts';
import { partsQueue } from '../lib/tags/parts-queue.ts';
import { onRecompute, onTick } from '../lib/tags/recompute.ts';
import { ruleStore } from '../lib/tags/rules-store.ts';

export const env = z.object({
  ...{ TABLE_NAME: z.string(), KEYS_TABLE: z.string() },
  RECOMPUTE_URL: z.string(),
  SURVEY_URL: z.string(),
  CONVERSIONS_URL: z.string(),
});

const open = () => {
  const { TABLE_NAME, KEYS_TABLE, RECOMPUTE_URL, SURVEY_URL, CONVERSIONS_URL } = env.parse(process.env);
  const brand = readBrand(new URL('./brand.json', import.meta.url));
  const table = openBrandTable(TABLE_NAME, KEYS_TABLE);
  const store = ruleStore(table, brand);
  return {
    table,
    store,
    profiles: profileStore(table),
    recompute: partsQueue(openQueue(RECOMPUTE_URL), openQueue(SURVEY_URL)),
    conversions: openQueue(CONVERSIONS_URL),
    rules: rulesInForce(store, brand, systemClock),
    done: new Map<string, number>(),
    now: systemClock,
    pause: (ms: number) => pause(ms),
  };
};

export const handler = sqsAndClockHandler(open, onRecompute, onTick);
