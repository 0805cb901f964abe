// HTTP in → who may see what and who did: the audit log, exports. A clock in → what is odd, and the log held fast.
import { watchAudit } from '../lib/audit/watch.ts';
import { readBrand } from '../lib/platform/brand-file.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { httpAndClockHandler } from '../lib/platform/http.ts';
import { privacyRoutes } from '../lib/privacy/routes.ts';
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
    log: (line: string) => void process.stdout.write(`${line}\n`),
  };
};

export const handler = httpAndClockHandler(
  open,
  (request, deps) => answer(privacyRoutes, request, deps),
  watchAudit,
);
