import { z } from 'zod';
import { type Answered, answered, type QueryDeps, type Question, TextAnswer } from '../query/route.ts';
import { archiveOf } from './archive.ts';
import { archivePage } from './archive-page.ts';
import { requestedFor } from './request-for.ts';
import { whoMay } from './roles.ts';

const roles = whoMay('personal');

const archive = answered(
  {
    method: 'GET',
    path: '/privacy/requests/{id}/archive',
    summary:
      'Everything that is kept of the person who asked for an export, as JSON, in clear; for seven days',
    answer: z.looseObject({}),
    roles,
  },
  (question, deps) => archiveFor(question, deps),
);

const page = answered(
  {
    method: 'GET',
    path: '/privacy/requests/{id}/page',
    summary: 'The same as one HTML page to read',
    answer: z.string(),
    roles,
  },
  async (question, deps) =>
    new TextAnswer('text/html; charset=utf-8', archivePage(await archiveFor(question, deps)), {
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
      'cache-control': 'no-store',
    }),
);

async function archiveFor(
  { params, caller, saw }: Pick<Question<unknown>, 'params' | 'caller' | 'saw'>,
  deps: QueryDeps,
) {
  const { of, reason } = await requestedFor(params.id ?? '', 'export', deps);
  const found = await archiveOf(of, { role: caller.role, reason }, deps);
  saw(found.profileId);
  return found;
}

/** Archives, for those who asked for an export. */
export const archiveRoutes: readonly Answered[] = [archive, page];
