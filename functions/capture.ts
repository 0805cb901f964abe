// HTTP from the channels in → events on the `events` queue; answered when they are durably queued.
import { z } from 'zod';
import { capture } from '../lib/capture/capture.ts';
import { openNonces } from '../lib/capture/nonces.ts';
import { readBrand } from '../lib/platform/brand-file.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { httpHandler } from '../lib/platform/http.ts';
import { openSecrets } from '../lib/platform/secrets.ts';
import { openQueue } from '../lib/platform/sqs.ts';

export const env = z.object({ EVENTS_URL: z.string(), HINTS_URL: z.string().optional() });

const open = () => {
  const { EVENTS_URL, HINTS_URL } = env.parse(process.env);
  return {
    brand: readBrand(new URL('./brand.json', import.meta.url)),
    secrets: openSecrets(systemClock),
    queue: openQueue(EVENTS_URL),
    hints: HINTS_URL === undefined ? undefined : openQueue(HINTS_URL),
    now: systemClock,
    nonces: openNonces(),
    tell: (fact: object) => console.log(JSON.stringify(fact)),
  };
};

export const handler = httpHandler(open, capture);
