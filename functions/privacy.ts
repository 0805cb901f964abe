// HTTP in → who may see what and who did: the audit log, exports. A clock in → what is odd, and the log held fast.
import { z } from 'zod';
import { conversionReader } from '../lib/attribution/read.ts';
import { watchAudit } from '../lib/audit/watch.ts';
import { directory } from '../lib/identity/directory.ts';
import { identityKey } from '../lib/identity/key.ts';
import { readBrand } from '../lib/platform/brand-file.ts';
import { openBrandTable } from '../lib/platform/brand-table.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { httpAndClockHandler } from '../lib/platform/http.ts';
import { openSecrets } from '../lib/platform/secrets.ts';
import { privacyRoutes } from '../lib/privacy/routes.ts';
import { rulesInForce } from '../lib/profile/rules.ts';
import { profileStore } from '../lib/profile/store.ts';
import { answer } from '../lib/query/route.ts';
import { rulesKept } from '../lib/tags/rules-kept.ts';

export const env = z.object({ TABLE_NAME: z.string(), KEYS_TABLE: z.string(), IDENTITY_SECRET: z.string() });

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
    log: (line: string) => void process.stdout.write(`${line}\n`),
  };
};

export const handler = httpAndClockHandler(
  open,
  (request, deps) => answer(privacyRoutes, request, deps),
  watchAudit,
);
