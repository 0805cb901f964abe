import { z } from 'zod';
import { type Answered, answered, type QueryDeps, type Question, TextAnswer } from '../query/route.ts';
import { accessOf } from './access.ts';
import { factsOf } from './access-facts.ts';
import { accessPage } from './access-page.ts';
import { requestedFor } from './request-for.ts';
import { whoMay } from './roles.ts';

const roles = whoMay('personal');

const access = answered(
  {
    method: 'GET',
    path: '/privacy/requests/{id}/access',
    summary:
      'What is kept of the person who asked for access, what for, from whom, who may see it and how long; for seven days',
    answer: z.looseObject({}),
    roles,
  },
  (question, deps) => accessFor(question, deps),
);

const page = answered(
  {
    method: 'GET',
    path: '/privacy/requests/{id}/access/page',
    summary: 'The same as one HTML page to read, in Chinese and English',
    answer: z.string(),
    roles,
  },
  async (question, deps) =>
    new TextAnswer('text/html; charset=utf-8', accessPage(await accessFor(question, deps)), {
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
      'cache-control': 'no-store',
    }),
);

async function accessFor(
  { params, caller, saw }: Pick<Question<unknown>, 'params' | 'caller' | 'saw'>,
  deps: QueryDeps,
) {
  const { of, reason } = await requestedFor(params.id ?? '', 'access', deps);
  const { profile, facts } = await factsOf(of, { role: caller.role, reason }, deps);
  saw(profile);
  return accessOf(facts, deps.brand);
}

/** What is kept and why, for those who asked for access. */
export const accessRoutes: readonly Answered[] = [access, page];
