// HTTP in → who is who and what they allow: looked at, decided and said, as events.
import { z } from 'zod';
import { consentRoutes } from '../lib/consent/routes.ts';
import { identityRoutes } from '../lib/identity/routes.ts';
import { readBrand } from '../lib/platform/brand-file.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { httpHandler } from '../lib/platform/http.ts';
import { openQueue } from '../lib/platform/sqs.ts';
import { asked, openAnswers } from '../lib/query/open.ts';
import { answer } from '../lib/query/route.ts';

export const env = asked.extend({ EVENTS_URL: z.string() });

const open = async () => {
  const given = env.parse(process.env);
  const brand = readBrand(new URL('./brand.json', import.meta.url));
  const answers = await openAnswers(given, brand, systemClock);
  return {
    ...answers,
    events: openQueue(given.EVENTS_URL),
    rules: () => Promise.reject(new Error('who is who is told without any rule')),
  };
};

const routes = [...identityRoutes, ...consentRoutes];
export const handler = httpHandler(open, (request, deps) => answer(routes, request, deps));
