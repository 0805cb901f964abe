// The clock in → what vendors that do not send have for us, as events on the `events` queue; then they may forget it.
import { z } from 'zod';
import { pull } from '../lib/capture/pull.ts';
import { readBrand } from '../lib/platform/brand-file.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { clockHandler } from '../lib/platform/clock-handler.ts';
import { openSecrets } from '../lib/platform/secrets.ts';
import { openQueue } from '../lib/platform/sqs.ts';

export const env = z.object({ EVENTS_URL: z.string() });

const open = () => ({
  brand: readBrand(new URL('./brand.json', import.meta.url)),
  secrets: openSecrets(systemClock),
  queue: openQueue(env.parse(process.env).EVENTS_URL),
  now: systemClock,
  fetch,
  tell: (fact: object) => console.log(JSON.stringify(fact)),
});

export const handler = clockHandler(open, pull);
