// HTTP in → everything that is kept of a person who asked, as JSON or as a page.
import { z } from 'zod';
import { conversionReader } from '../lib/attribution/read.ts';
import { directory } from '../lib/identity/directory.ts';
import { identityKey } from '../lib/identity/key.ts';
import { readBrand } from '../lib/platform/brand-file.ts';
import { openBrandTable } from '../lib/platform/brand-table.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { httpHandler } from '../lib/platform/http.ts';
import { openSecrets } from '../lib/platform/secrets.ts';
import { archiveRoutes } from '../lib/privacy/archive-routes.ts';
import { rulesInForce } from '../lib/profile/rules.ts';
import { profileStore } from '../lib/profile/store.ts';
import { answer } from '../lib/query/route.ts';
import { rulesKept } from '../lib/tags/rules-kept.ts';

export const env = z.object({
  ...{ TABLE_NAME: z.string(), KEYS_TABLE: z.string() },
  IDENTITY_SECRET: z.string(),
});

const open = async () => {
  const { TABLE_NAME, KEYS_TABLE, IDENTITY_SECRET } = env.parse(process.env);
  const brand = readBrand(new URL('./brand.json', import.meta.url));
  const table = openBrandTable(TABLE_NAME, KEYS_TABLE);
  const protector = await identityKey(openSecrets(systemClock), IDENTITY_SECRET);
  const stores = { directory: directory(table, protector), profiles: profileStore(table) };
  return {
    ...{ table, brand, protector, ...stores, ownPaths: {} },
    conversions: conversionReader(table),
    rules: rulesInForce(rulesKept(table, brand), brand, systemClock),
    now: systemClock,
  };
};

export const handler = httpHandler(open, (request, deps) => answer(archiveRoutes, request, deps));
