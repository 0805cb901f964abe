// HTTP in → why somebody has a tag, and what they are worth, now or at a past instant.
import { readBrand } from '../lib/platform/brand-file.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { httpHandler } from '../lib/platform/http.ts';
import { rulesInForce } from '../lib/profile/rules.ts';
import { explainRoutes } from '../lib/query/explain.ts';
import { asked, openAnswers } from '../lib/query/open.ts';
import { answer } from '../lib/query/route.ts';
import { valueRoutes } from '../lib/query/value.ts';
import { rulesKept } from '../lib/tags/rules-kept.ts';

export const env = asked;

const open = async () => {
  const brand = readBrand(new URL('./brand.json', import.meta.url));
  const answers = await openAnswers(env.parse(process.env), brand, systemClock);
  return {
    ...answers,
    rules: rulesInForce(rulesKept(answers.table, brand), brand, systemClock),
  };
};

const routes = [...explainRoutes, ...valueRoutes];

export const handler = httpHandler(open, (request, deps) => answer(routes, request, deps));
