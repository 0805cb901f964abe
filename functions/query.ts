// HTTP in → what is known: profiles, tags, conversions, credits.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { readBrand } from '../lib/platform/brand-file.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { httpHandler } from '../lib/platform/http.ts';
import { rulesInForce } from '../lib/profile/rules.ts';
import { asked, openAnswers } from '../lib/query/open.ts';
import { answer } from '../lib/query/route.ts';
import { documentRoute, routes } from '../lib/query/routes.ts';
import { rulesKept } from '../lib/tags/rules-kept.ts';

export const env = asked;
const read = (file: string) => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));

const open = async () => {
  const brand = readBrand(new URL('./brand.json', import.meta.url));
  const answers = await openAnswers(env.parse(process.env), brand, systemClock);
  return {
    ...answers,
    rules: rulesInForce(rulesKept(answers.table, brand), brand, systemClock),
    ownPaths: z.record(z.string(), z.array(z.string())).parse(read('paths.json')),
  };
};

const all = [...routes, documentRoute(() => read('openapi.json'))];
export const handler = httpHandler(open, (request, deps) => answer(all, request, deps));
