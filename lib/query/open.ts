import { z } from 'zod';
import { conversionReader } from '../attribution/read.ts';
import { directory } from '../identity/directory.ts';
import { identityKey } from '../identity/key.ts';
import type { Brand } from '../platform/brand.ts';
import { openBrandTable } from '../platform/brand-table.ts';
import type { Clock } from '../platform/clock.ts';
import { openSecrets } from '../platform/secrets.ts';
import { profileStore } from '../profile/store.ts';

/** What every function that answers people is given. */
export const asked = z.object({
  ...{ TABLE_NAME: z.string(), KEYS_TABLE: z.string() },
  IDENTITY_SECRET: z.string(),
});

/** What answers are read from, but for rules: those who need them bring the engine along. */
export async function openAnswers(
  { TABLE_NAME, KEYS_TABLE, IDENTITY_SECRET }: z.infer<typeof asked>,
  brand: Brand,
  now: Clock,
) {
  const table = openBrandTable(TABLE_NAME, KEYS_TABLE);
  const protector = await identityKey(openSecrets(now), IDENTITY_SECRET);
  return {
    ...{ table, brand, protector, now, ownPaths: {} },
    directory: directory(table, protector),
    profiles: profileStore(table),
    conversions: conversionReader(table),
  };
}
