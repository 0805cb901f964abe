// SQS `conversions` in → the credits of each conversion in the table.
import { z } from 'zod';
import { onConversions } from '../lib/attribution/consume.ts';
import { conversionStore } from '../lib/attribution/store.ts';
import { readBrand } from '../lib/platform/brand.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { openTable } from '../lib/platform/dynamo.ts';
import { sqsHandler } from '../lib/platform/sqs.ts';
import { readHistory } from '../lib/profile/history.ts';
import { profileStore } from '../lib/profile/store.ts';
import { openCalendar } from '../lib/tags/calendar.ts';

export const env = z.object({ TABLE_NAME: z.string() });

const open = () => {
  const { TABLE_NAME } = env.parse(process.env);
  const table = openTable(TABLE_NAME);
  const brand = readBrand(new URL('./brand.json', import.meta.url));
  const profiles = profileStore(table);
  return {
    store: conversionStore(table, systemClock),
    history: (cluster: string, since?: number) => readHistory(profiles, cluster, since),
    brand,
    calendar: openCalendar(brand.timezone),
  };
};

export const handler = sqsHandler(open, onConversions);
