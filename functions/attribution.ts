// SQS `conversions` and the clock in → the credits of each conversion, and of all when the brand's settings changed.
import { z } from 'zod';
import { onSettingsTick } from '../lib/attribution/change.ts';
import { onConversions } from '../lib/attribution/consume.ts';
import { conversionStore } from '../lib/attribution/store.ts';
import { readBrand } from '../lib/platform/brand-file.ts';
import { openBrandTable } from '../lib/platform/brand-table.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { openQueue, sqsAndClockHandler } from '../lib/platform/sqs.ts';
import { clusterOf } from '../lib/profile/cluster.ts';
import { readHistory } from '../lib/profile/history.ts';
import { profileStore } from '../lib/profile/store.ts';
import { openCalendar } from '../lib/tags/calendar.ts';

export const env = z.object({ TABLE_NAME: z.string(), KEYS_TABLE: z.string(), CONVERSIONS_URL: z.string() });

const open = () => {
  const { TABLE_NAME, KEYS_TABLE, CONVERSIONS_URL } = env.parse(process.env);
  const table = openBrandTable(TABLE_NAME, KEYS_TABLE);
  const brand = readBrand(new URL('./brand.json', import.meta.url));
  const profiles = profileStore(table);
  const store = conversionStore(table, systemClock);
  return {
    store,
    history: (cluster: string, since?: number) => readHistory(profiles, cluster, since, brand.consent),
    brand,
    calendar: openCalendar(brand.timezone),
    change: {
      generations: store.generations,
      scan: table.scan,
      conversions: openQueue(CONVERSIONS_URL),
      now: systemClock,
      clusterOf,
    },
  };
};

export const handler = sqsAndClockHandler(open, onConversions, onSettingsTick);
