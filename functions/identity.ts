// HTTP in → who is who and what they allow: looked at, decided and said, as events.
import { z } from 'zod';
import { conversionReader } from '../lib/attribution/read.ts';
import { consentRoutes } from '../lib/consent/routes.ts';
import { directory } from '../lib/identity/directory.ts';
import { identityKey } from '../lib/identity/key.ts';
import { identityRoutes } from '../lib/identity/routes.ts';
import { readBrand } from '../lib/platform/brand-file.ts';
import { openBrandTable } from '../lib/platform/brand-table.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { httpHandler } from '../lib/platform/http.ts';
import { openSecrets } from '../lib/platform/secrets.ts';
import { openQueue } from '../lib/platform/sqs.ts';
import { profileStore } from '../lib/profile/store.ts';
import { answer } from '../lib/query/route.ts';

export const env = z.object({
  TABLE_NAME: z.string(),
  KEYS_TABLE: z.string(),
  IDENTITY_SECRET: z.string(),
  EVENTS_URL: z.string(),
});

const open = async () => {
  const { TABLE_NAME, KEYS_TABLE, IDENTITY_SECRET, EVENTS_URL } = env.parse(process.env);
  const brand = readBrand(new URL('./brand.json', import.meta.url));
  const table = openBrandTable(TABLE_NAME, KEYS_TABLE);
  const protector = await identityKey(openSecrets(systemClock), IDENTITY_SECRET);
  const stores = { directory: directory(table, protector), profiles: profileStore(table) };
  return {
    ...{ table, brand, protector, ...stores, ownPaths: {} },
    conversions: conversionReader(table),
    events: openQueue(EVENTS_URL),
    rules: () => Promise.reject(new Error('who is who is told without any rule')),
    now: systemClock,
  };
};

const routes = [...identityRoutes, ...consentRoutes];
export const handler = httpHandler(open, (request, deps) => answer(routes, request, deps));
