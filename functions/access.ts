// HTTP in → what is kept of a person who asked, what for, from whom and how long, as JSON or as a page.
import { readBrand } from '../lib/platform/brand-file.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { httpHandler } from '../lib/platform/http.ts';
import { accessRoutes } from '../lib/privacy/access-routes.ts';
import { asked, openAnswers } from '../lib/query/open.ts';
import { answer } from '../lib/query/route.ts';

export const env = asked;

const open = async () => {
  const brand = readBrand(new URL('./brand.json', import.meta.url));
  const answers = await openAnswers(env.parse(process.env), brand, systemClock);
  return {
    ...answers,
    rules: () => Promise.reject(new Error('what is kept is told without any rule')),
  };
};

export const handler = httpHandler(open, (request, deps) => answer(accessRoutes, request, deps));
