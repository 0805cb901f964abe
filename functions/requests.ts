// HTTP in → what persons have a right to; `erasures` out, and `events` that restrict and correct.
import { z } from 'zod';
import { readBrand } from '../lib/platform/brand-file.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { httpHandler } from '../lib/platform/http.ts';
import { openQueue } from '../lib/platform/sqs.ts';
import { requestRoutes } from '../lib/privacy/request-routes.ts';
import { asked, openAnswers } from '../lib/query/open.ts';
import { answer } from '../lib/query/route.ts';

export const env = asked.extend({ ERASURES_URL: z.string(), EVENTS_URL: z.string() });

const open = async () => {
  const given = env.parse(process.env);
  const brand = readBrand(new URL('./brand.json', import.meta.url));
  const answers = await openAnswers(given, brand, systemClock);
  return {
    ...answers,
    events: openQueue(given.EVENTS_URL),
    erasures: openQueue(given.ERASURES_URL),
    rules: () => Promise.reject(new Error('requests are taken without any rule')),
  };
};

export const handler = httpHandler(open, (request, deps) => answer(requestRoutes, request, deps));
