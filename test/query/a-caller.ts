// Asks the query function as API Gateway does, and holds each answer against what the API's description says of it.
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { expect } from 'vitest';
import { z } from 'zod';
import { conversionStore } from '../../lib/attribution/store.ts';
import type { Role } from '../../lib/platform/brand.ts';
import { httpHandler } from '../../lib/platform/http.ts';
import { apiKeyItem } from '../../lib/query/auth.ts';
import { openApi } from '../../lib/query/openapi.ts';
import { type Answered, answer, paramsOf, type QueryDeps } from '../../lib/query/route.ts';
import { documentRoute, routes } from '../../lib/query/routes.ts';
import { aBrand } from '../profile/a-profile.ts';
import type { World } from '../profile/a-world.ts';

/** Everything that the function answers. */
export const allRoutes: readonly Answered[] = [...routes, documentRoute(() => openApi(allRoutes, aBrand()))];

/** The key of a role. */
export const keyOf = (role: Role) => `the-${role}-key-of-the-tests`;

const refused = z.strictObject({ error: z.strictObject({ reason: z.string(), message: z.string() }) });

interface Asking {
  /** Role of the key that is sent; null: none is. */
  readonly as?: Role | null;
  readonly headers?: Record<string, string>;
  readonly method?: string;
  /** What the gateway took out of the path; usually nothing, and the path tells. */
  readonly params?: Record<string, string>;
}

export async function aCaller(world: World, through: Partial<QueryDeps> = {}) {
  const { worker, rows, brand, clock } = world;
  for (const role of ['operator', 'admin', 'privacy'] as const)
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
    (request, it) => answer(allRoutes, request, it),
  );

  async function send(target: string, { as = 'operator', method = 'GET', headers, params }: Asking) {
    const [path = '', query = ''] = target.split('?');
    const event: Partial<APIGatewayProxyEventV2> & { requestContext: unknown } = {
      rawPath: path,
      rawQueryString: query,
      headers: { ...(as && { Authorization: `Bearer ${keyOf(as)}` }), ...headers },
      ...(params && { pathParameters: params }),
      isBase64Encoded: false,
      requestContext: { http: { method, path } } as APIGatewayProxyEventV2['requestContext'],
    };
    const reply: APIGatewayProxyStructuredResultV2 = await handler(
      event as APIGatewayProxyEventV2,
      {} as Context,
    );
    return { status: reply.statusCode ?? 0, body: JSON.parse(reply.body ?? 'null') };
  }

  /** Asks; the answer has to be exactly what the route says that it answers: nothing missing, nothing more. */
  async function ask(target: string, asking: Asking = {}) {
    const { status, body } = await send(target, asking);
    if (status !== 200) throw new Error(`${target}: ${status} ${JSON.stringify(body)}`);
    const path = target.split('?')[0] ?? '';
    const route = allRoutes.find((it) => paramsOf(it.path, path));
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
