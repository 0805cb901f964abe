// HTTP in → what is known: profiles, tags, conversions, credits.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { conversionReader } from '../lib/attribution/read.ts';
import { directory } from '../lib/identity/directory.ts';
import { identityKey } from '../lib/identity/key.ts';
import { readBrand } from '../lib/platform/brand-file.ts';
import { openBrandTable } from '../lib/platform/brand-table.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { httpHandler } from '../lib/platform/http.ts';
import { openSecrets } from '../lib/platform/secrets.ts';
import { rulesInForce } from '../lib/profile/rules.ts';
import { profileStore } from '../lib/profile/store.ts';
import { answer } from '../lib/query/route.ts';
import { documentRoute, routes } from '../lib/query/routes.ts';
import { rulesKept } from '../lib/tags/rules-kept.ts';

export const env = z.object({ TABLE_NAME: z.string(), KEYS_TABLE: z.string(), IDENTITY_SECRET: z.string() });
const read = (file: string) => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));

const open = async () => {
  const { TABLE_NAME, KEYS_TABLE, IDENTITY_SECRET } = env.parse(process.env);
  const brand = readBrand(new URL('./brand.json', import.meta.url));
  const table = openBrandTable(TABLE_NAME, KEYS_TABLE);
  const protector = await identityKey(openSecrets(systemClock), IDENTITY_SECRET);
  return {
    table,
    brand,
    protector,
    directory: directory(table, protector),
    profiles: profileStore(table),
    conversions: conversionReader(table),
    rules: rulesInForce(rulesKept(table, brand), brand, systemClock),
    ownPaths: z.record(z.string(), z.array(z.string())).parse(read('paths.json')),
    now: systemClock,
  };
};

const all = [...routes, documentRoute(() => read('openapi.json'))];
export const handler = httpHandler(open, (request, deps) => answer(all, request, deps));
