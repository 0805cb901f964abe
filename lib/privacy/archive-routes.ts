import { z } from 'zod';
import { RejectedError } from '../platform/errors.ts';
import { type Answered, answered, type QueryDeps, type Question, TextAnswer } from '../query/route.ts';
import { archiveOf } from './archive.ts';
import { archivePage } from './archive-page.ts';
import { ARCHIVE_MS } from './request.ts';
import { requestStore } from './request-store.ts';
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
  const { it } = await requestStore(deps.table).get(params.id ?? '');
  if (it.right !== 'export' || !it.of)
    throw new RejectedError('no_archive', 'this request asked for no export', 409);
  if (deps.now() > Date.parse(it.asked.at) + ARCHIVE_MS)
    throw new RejectedError('expired', 'an export is read for seven days: ask again', 410);
  const found = await archiveOf(it.of, { role: caller.role, reason: it.reason }, deps);
  saw(found.profileId);
  return found;
}

/** Archives, for those who asked for an export. */
export const archiveRoutes: readonly Answered[] = [archive, page];
