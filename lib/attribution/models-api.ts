import { z } from 'zod';
import { RejectedError } from '../platform/errors.ts';
import { type HttpReply, type HttpRequest, json, parsed } from '../platform/http.ts';
import type { Table } from '../platform/table.ts';
import { groupReport, groupReportRoute } from '../privacy/group-report.ts';
import { whoMay } from '../privacy/roles.ts';
import type { authorize } from '../query/auth.ts';
import { answerReport, type ReportDeps, reportRoute } from '../query/report.ts';
import { daysFrom } from './day.ts';
import { type AskDeps, answerModel, askModel, jsonOf, listModels } from './population-ask.ts';
import { spendLine, spendStore } from './spend.ts';

export type ModelsDeps = AskDeps &
  ReportDeps & { readonly table: Table; readonly authorize: typeof authorize };

/** What tells nothing of a single person, however it is put together. */
const forGroups = new Set<string>([groupReportRoute.path, '/spend']);

/** Lines that one request may put: each is a write. */
const MOST_LINES = 2_000;
const CONCURRENCY = 16;

const spendBody = z.strictObject({ spend: z.array(spendLine).min(1).max(MOST_LINES) });
const spendQuery = z.strictObject({ from: z.iso.date(), to: z.iso.date() });

/**
 * Reports, models that are learned of everybody, and what was spent. All of it is about groups and shows nobody; what
 * was spent is put with an admin's key.
 */
export async function modelsApi(request: HttpRequest, deps: ModelsDeps): Promise<HttpReply> {
  const { method, path, params, headers } = request;
  const { reason, ...query } = request.query;
  const caller = await deps.authorize(
    headers,
    deps.table,
    whoMay(method === 'PUT' ? 'rules' : forGroups.has(path) ? 'groups' : 'persons'),
    reason,
  );
  if (path === groupReportRoute.path) return json(200, await groupReport(query, deps));
  if (path === reportRoute.path) return json(200, await answerReport(query, deps));
  const body = request.body.toString('utf8');
  if (path === '/spend') return method === 'PUT' ? putSpend(body, deps) : getSpend(query, deps);
  const { model, version } = params;
  if (model === undefined) return listModels(deps);
  if (method === 'POST') return askModel(model, body, caller.name, deps);
  return answerModel(model, version ?? '', deps);
}

/** Puts each line in the place of what was said of its day, channel and campaign: a request may be repeated. */
async function putSpend(body: string, { table }: ModelsDeps): Promise<HttpReply> {
  const { spend } = parsed(spendBody, jsonOf(body));
  const names = new Set(spend.map(({ day, channel, campaign }) => JSON.stringify([day, channel, campaign])));
  if (names.size < spend.length)
    throw new RejectedError('bad_request', 'spend: a day, channel and campaign stands in several lines');
  const store = spendStore(table);
  const left = spend.values();
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (const line of left) await store.put(line);
    }),
  );
  return json(200, { lines: spend.length });
}

async function getSpend(asked: unknown, { table }: ModelsDeps): Promise<HttpReply> {
  const { from, to } = parsed(spendQuery, asked);
  daysFrom(from, to);
  return json(200, { spend: await spendStore(table).list(from, to) });
}
