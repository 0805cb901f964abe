// SQS `events` in → profiles, their journals, and what follows from them in the table; `conversions` out.
import { z } from 'zod';
import { directory } from '../lib/identity/directory.ts';
import { identityKey } from '../lib/identity/key.ts';
import { readBrand } from '../lib/platform/brand-file.ts';
import { openBrandTable } from '../lib/platform/brand-table.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { openSecrets } from '../lib/platform/secrets.ts';
import { openQueue, sqsHandler } from '../lib/platform/sqs.ts';
import { onEvents } from '../lib/profile/on-events.ts';
import { rulesInForce } from '../lib/profile/rules.ts';
import { profileStore } from '../lib/profile/store.ts';
import { rulesKept } from '../lib/tags/rules-kept.ts';

export const env = z.object({
  ...{ TABLE_NAME: z.string(), KEYS_TABLE: z.string() },
  CONVERSIONS_URL: z.string(),
  IDENTITY_SECRET: z.string(),
});

const open = async () => {
  const { TABLE_NAME, KEYS_TABLE, CONVERSIONS_URL, IDENTITY_SECRET } = env.parse(process.env);
  const brand = readBrand(new URL('./brand.json', import.meta.url));
  const table = openBrandTable(TABLE_NAME, KEYS_TABLE);
  const protector = await identityKey(openSecrets(systemClock), IDENTITY_SECRET);
  return {
    table,
    protector,
    directory: directory(table, protector),
    profiles: profileStore(table),
    conversions: openQueue(CONVERSIONS_URL),
    rules: rulesInForce(rulesKept(table, brand), brand, systemClock),
    done: new Map<string, number>(),
    now: systemClock,
  };
};

export const handler = sqsHandler(open, onEvents);
