// HTTP from people → the rules that earn tags: listed, explained by version, tried on everybody, put in force.
import { z } from 'zod';
import { identityKey } from '../lib/identity/key.ts';
import { readBrand } from '../lib/platform/brand-file.ts';
import { openBrandTable } from '../lib/platform/brand-table.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { httpHandler } from '../lib/platform/http.ts';
import { openSecrets } from '../lib/platform/secrets.ts';
import { openQueue } from '../lib/platform/sqs.ts';
import { profileStore } from '../lib/profile/store.ts';
import { authorize } from '../lib/query/auth.ts';
import { partsQueue } from '../lib/tags/parts-queue.ts';
import { rulesApi } from '../lib/tags/rules-api.ts';
import { ruleStore } from '../lib/tags/rules-store.ts';

export const env = z.object({
  ...{ TABLE_NAME: z.string(), KEYS_TABLE: z.string() },
  RECOMPUTE_URL: z.string(),
  SURVEY_URL: z.string(),
  IDENTITY_SECRET: z.string(),
});

const open = () => {
  const { TABLE_NAME, KEYS_TABLE, RECOMPUTE_URL, SURVEY_URL, IDENTITY_SECRET } = env.parse(process.env);
  const brand = readBrand(new URL('./brand.json', import.meta.url));
  const table = openBrandTable(TABLE_NAME, KEYS_TABLE);
  const secrets = openSecrets(systemClock);
  return {
    brand,
    table,
    rules: ruleStore(table, brand),
    profiles: profileStore(table),
    protector: () => identityKey(secrets, IDENTITY_SECRET),
    recompute: partsQueue(openQueue(RECOMPUTE_URL), openQueue(SURVEY_URL)),
    now: systemClock,
    authorize,
  };
};

export const handler = httpHandler(open, rulesApi);
