// SQS `erasures` in → persons out of the table. A clock in → what has settled is looked through, and proven.
import { z } from 'zod';
import { directory } from '../lib/identity/directory.ts';
import { identityKey } from '../lib/identity/key.ts';
import { readBrand } from '../lib/platform/brand-file.ts';
import { openBrandTable } from '../lib/platform/brand-table.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { openTable } from '../lib/platform/dynamo.ts';
import { openSecrets } from '../lib/platform/secrets.ts';
import { shredder } from '../lib/platform/shredder.ts';
import { openQueue, sqsAndClockHandler } from '../lib/platform/sqs.ts';
import { endErasures, onErasures } from '../lib/privacy/carry-out.ts';
import { rulesInForce } from '../lib/profile/rules.ts';
import { profileStore } from '../lib/profile/store.ts';
import { rulesKept } from '../lib/tags/rules-kept.ts';

export const env = z.object({
  ...{ TABLE_NAME: z.string(), KEYS_TABLE: z.string() },
  ...{ IDENTITY_SECRET: z.string(), CONVERSIONS_URL: z.string() },
});

const open = async () => {
  const { TABLE_NAME, KEYS_TABLE, IDENTITY_SECRET, CONVERSIONS_URL } = env.parse(process.env);
  const brand = readBrand(new URL('./brand.json', import.meta.url));
  const table = openBrandTable(TABLE_NAME, KEYS_TABLE);
  const protector = await identityKey(openSecrets(systemClock), IDENTITY_SECRET);
  return {
    ...{ table, protector, profiles: profileStore(table), directory: directory(table, protector) },
    conversions: openQueue(CONVERSIONS_URL),
    ...{ shredder: shredder(openTable(KEYS_TABLE)), sweeps: true },
    rules: rulesInForce(rulesKept(table, brand), brand, systemClock),
    done: new Map<string, number>(),
    now: systemClock,
  };
};

export const handler = sqsAndClockHandler(open, onErasures, endErasures);
