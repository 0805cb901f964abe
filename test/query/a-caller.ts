// Asks the query function as API Gateway does, and holds each answer against what the API's description says of it.
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { expect } from 'vitest';
import { z } from 'zod';
import { conversionStore } from '../../lib/attribution/store.ts';
import { consentRoutes } from '../../lib/consent/routes.ts';
import { previewRoutes } from '../../lib/identity/preview-routes.ts';
import { identityRoutes } from '../../lib/identity/routes.ts';
import type { Role } from '../../lib/platform/brand-words.ts';
import { httpHandler, json } from '../../lib/platform/http.ts';
import { accessRoutes } from '../../lib/privacy/access-routes.ts';
import { archiveRoutes } from '../../lib/privacy/archive-routes.ts';
import { lineageRoutes } from '../../lib/privacy/lineage-routes.ts';
import { requestRoutes } from '../../lib/privacy/request-routes.ts';
import { privacyRoutes } from '../../lib/privacy/routes.ts';
import { apiKeyItem } from '../../lib/query/auth.ts';
import { explainRoutes } from '../../lib/query/explain.ts';
import { openApi } from '../../lib/query/openapi.ts';
import { answerReport, reportRoute } from '../../lib/query/report.ts';
import { type Answered, answer, paramsOf, type QueryDeps } from '../../lib/query/route.ts';
import { documentRoute, routes } from '../../lib/query/routes.ts';
import { valueRoutes } from '../../lib/query/value.ts';
import { openCalendar } from '../../lib/tags/calendar.ts';
import { aBrand } from '../profile/a-profile.ts';
import type { World } from '../profile/a-world.ts';

/** Everything that is answered by routes of one kind: of query, identity, privacy and those beside them. */
export const allRoutes: readonly Answered[] = [
  ...routes,
  ...explainRoutes,
  ...valueRoutes,
  ...identityRoutes,
  ...consentRoutes,
  ...previewRoutes,
  ...privacyRoutes,
  ...requestRoutes,
  ...archiveRoutes,
  ...accessRoutes,
  ...lineageRoutes,
  documentRoute(() => openApi(allRoutes, aBrand())),
];

/** The key of a role. */
export const keyOf = (role: Role) => `the-${role}-key-of-the-tests`;

const refused = z.strictObject({ error: z.strictObject({ reason: z.string(), message: z.string() }) });

interface Asking {
  /** Role of the key that is sent; null: none is. */
  readonly as?: Role | null;
  readonly headers?: Record<string, string>;
  /** Why; null: no reason is given. */
  readonly reason?: string | null;
  readonly body?: unknown;
  readonly method?: string;
  /** What the gateway took out of the path; usually nothing, and the path tells. */
  readonly params?: Record<string, string>;
}

export async function aCaller(world: World, through: Partial<QueryDeps> = {}) {
  const { worker, rows, brand, clock } = world;
  for (const role of ['operator', 'analyst', 'admin', 'privacy'] as const)
    await rows.put(apiKeyItem(keyOf(role), { role, name: role }));
  const deps: QueryDeps = {
    ...worker,
    table: rows,
    brand,
    conversions: conversionStore(rows, clock),
    ownPaths: { segment: ['/v1/{call}'] },
    ...through,
  };
  const handler = httpHandler(
    () => deps,
    async (request, it) =>
      request.path === reportRoute.path
        ? json(200, await answerReport(request.query, { ...it, calendar: openCalendar(brand.timezone) }))
        : answer(allRoutes, request, it),
  );

  async function send(
    target: string,
    { as = 'operator', method = 'GET', headers, params, reason = 'a test asks', body }: Asking,
  ) {
    const [path = '', query = ''] = target.split('?');
    const event: Partial<APIGatewayProxyEventV2> & { requestContext: unknown } = {
      rawPath: path,
      rawQueryString: query,
      headers: {
        ...(as && { Authorization: `Bearer ${keyOf(as)}` }),
        ...(reason !== null && { 'X-Reason': reason }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(params && { pathParameters: params }),
      isBase64Encoded: false,
      requestContext: { http: { method, path } } as APIGatewayProxyEventV2['requestContext'],
    };
    const reply: APIGatewayProxyStructuredResultV2 = await handler(
      event as APIGatewayProxyEventV2,
      {} as Context,
    );
    const said = reply.body ?? 'null';
    const isJson = String(reply.headers?.['content-type']).startsWith('application/json');
    return {
      status: reply.statusCode ?? 0,
      headers: reply.headers ?? {},
      body: isJson ? JSON.parse(said) : said,
    };
  }

  /** Asks; the answer has to be exactly what the route says that it answers: nothing missing, nothing more. */
  async function ask(target: string, asking: Asking = {}) {
    const { status, body } = await send(target, asking);
    if (status !== 200) throw new Error(`${target}: ${status} ${JSON.stringify(body)}`);
    const path = target.split('?')[0] ?? '';
    const route = [reportRoute, ...allRoutes].find((it) => paramsOf(it.path, path));
    expect(route?.answer.parse(body), `${target} answers as described`).toEqual(body);
    return body;
  }

  /** Asks for what is refused: status and the refusal, in its one form. */
  async function askInVain(target: string, asking: Asking = {}) {
    const { status, body } = await send(target, asking);
    const { error } = refused.parse(body);
    return { status, ...error };
  }

  return { ask, askInVain, send };
}
