// HTTP in → what a tag or a report rests on: event types, properties and their classes, the accounts that give them.
import { readBrand } from '../lib/platform/brand-file.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { httpHandler } from '../lib/platform/http.ts';
import { lineageRoutes } from '../lib/privacy/lineage-routes.ts';
import { rulesInForce } from '../lib/profile/rules.ts';
import { asked, openAnswers } from '../lib/query/open.ts';
import { answer } from '../lib/query/route.ts';
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

export const handler = httpHandler(open, (request, deps) => answer(lineageRoutes, request, deps));
