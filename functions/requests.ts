// HTTP in → what persons have a right to; `erasures` out, and `events` that restrict and correct.
import { z } from 'zod';
import { conversionReader } from '../lib/attribution/read.ts';
import { directory } from '../lib/identity/directory.ts';
import { identityKey } from '../lib/identity/key.ts';
import { readBrand } from '../lib/platform/brand-file.ts';
import { openBrandTable } from '../lib/platform/brand-table.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { httpHandler } from '../lib/platform/http.ts';
import { openSecrets } from '../lib/platform/secrets.ts';
import { openQueue } from '../lib/platform/sqs.ts';
import { requestRoutes } from '../lib/privacy/request-routes.ts';
import { profileStore } from '../lib/profile/store.ts';
import { answer } from '../lib/query/route.ts';

export const env = z.object({
  ...{ TABLE_NAME: z.string(), KEYS_TABLE: z.string() },
  IDENTITY_SECRET: z.string(),
  ...{ ERASURES_URL: z.string(), EVENTS_URL: z.string() },
});

const open = async () => {
  const { TABLE_NAME, KEYS_TABLE, IDENTITY_SECRET, ERASURES_URL, EVENTS_URL } = env.parse(process.env);
  const brand = readBrand(new URL('./brand.json', import.meta.url));
  const table = openBrandTable(TABLE_NAME, KEYS_TABLE);
  const protector = await identityKey(openSecrets(systemClock), IDENTITY_SECRET);
  const stores = { directory: directory(table, protector), profiles: profileStore(table) };
  return {
    ...{ table, brand, protector, ...stores, ownPaths: {} },
    conversions: conversionReader(table),
    erasures: openQueue(ERASURES_URL),
    events: openQueue(EVENTS_URL),
    rules: () => Promise.reject(new Error('requests are taken without any rule')),
    now: systemClock,
  };
};

export const handler = httpHandler(open, (request, deps) => answer(requestRoutes, request, deps));
