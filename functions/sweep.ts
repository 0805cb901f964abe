// The clock in → dead letters without whoever was erased.
import { z } from 'zod';
import { identityKey } from '../lib/identity/key.ts';
import { openBrandTable } from '../lib/platform/brand-table.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { clockHandler } from '../lib/platform/clock-handler.ts';
import { openDeadLetters } from '../lib/platform/dead-letters.ts';
import { openSecrets } from '../lib/platform/secrets.ts';
import { queuesAt, sweep } from '../lib/privacy/sweep.ts';

export const env = z.object({
  ...{ TABLE_NAME: z.string(), KEYS_TABLE: z.string(), IDENTITY_SECRET: z.string() },
  ...{ EVENTS_URL: z.string(), EVENTS_DEAD_URL: z.string(), HINTS_DEAD_URL: z.string().optional() },
  ...{ CONVERSIONS_DEAD_URL: z.string(), RECOMPUTE_DEAD_URL: z.string() },
  ...{ SURVEYS_DEAD_URL: z.string(), MODELS_DEAD_URL: z.string() },
});

const open = async () => {
  const given = env.parse(process.env);
  return {
    table: openBrandTable(given.TABLE_NAME, given.KEYS_TABLE),
    protector: await identityKey(openSecrets(systemClock), given.IDENTITY_SECRET),
    ...{ queues: queuesAt(given, openDeadLetters), live: openDeadLetters(given.EVENTS_URL) },
    judged: new Set<string>(),
    now: systemClock,
  };
};

export const handler = clockHandler(open, sweep);
