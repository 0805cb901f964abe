import middy, { type MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import type { z } from 'zod';
import { RejectedError } from './errors.ts';
import { openOnce } from './open-once.ts';

/** One HTTP request as it came, its body raw: signatures are over bytes. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  /** What the route's `{names}` stand for. */
  readonly params: Readonly<Record<string, string>>;
  /** The query, decoded once from `rawQuery`; of a repeated key the first. */
  readonly query: Readonly<Record<string, string>>;
  readonly rawQuery: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface HttpReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A JSON reply. */
export const json = (
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpReply => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  body: JSON.stringify(value),
});

/** The reply to a refusal: `{"error":{"reason","message"}}`. */
export const refusal = (status: number, reason: string, message: string): HttpReply =>
  json(status, { error: { reason, message } });

/** What a caller sent, by a schema. @throws RejectedError 400 that names each place and what is wrong with it */
export function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const places = result.error.issues.map((issue) => `${issue.path.join('.') || '(whole)'}: ${issue.message}`);
  throw new RejectedError('bad_request', places.join('; '));
}

/**
 * A Lambda handler for a route of the HTTP API (payload format 2.0). Dependencies are opened on the first request,
 * not on import. A `RejectedError` is answered with its status; anything else, a stored row that does not parse
 * among it, is a 500 that says nothing and one line of the log: the sender tries again.
 */
export function httpHandler<Deps>(
  open: () => Deps | Promise<Deps>,
  on: (request: HttpRequest, deps: Deps) => Promise<HttpReply> | HttpReply,
) {
  const opened = openOnce(open);
  return middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
    .use(refusals)
    .handler(async (event: APIGatewayProxyEventV2) => {
      return toResult(await on(toRequest(event), await opened()));
    });
}

/** The same for a function that a schedule calls too: `tick` is what it does then. */
export function httpAndClockHandler<Deps, Done>(
  open: () => Deps | Promise<Deps>,
  on: (request: HttpRequest, deps: Deps) => Promise<HttpReply> | HttpReply,
  tick: (deps: Deps) => Promise<Done>,
) {
  const opened = openOnce(open);
  const http = httpHandler(opened, on);
  return async (event: APIGatewayProxyEventV2 | Record<string, never>, context: Context) =>
    isRequest(event) ? http(event, context) : tick(await opened());
}

const isRequest = (event: object): event is APIGatewayProxyEventV2 => 'requestContext' in event;

const refusals: MiddlewareObj<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2> = {
  onError(request) {
    request.response = toResult(refusalOf(request.error, request.event.routeKey));
  },
};

function refusalOf(error: unknown, route: string | undefined): HttpReply {
  if (error instanceof RejectedError) return refusal(error.status, error.reason, error.message);
  logFailure(error, route);
  return refusal(500, 'internal', 'something failed on our side; send it again');
}

/** Name and stack only: a message may quote what a customer sent, and so does the first line of a stack. */
function logFailure(error: unknown, route: string | undefined): void {
  const name = error instanceof Error ? error.name : typeof error;
  const frames =
    error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : [];
  const at = frames.slice(0, 6).map((line) => line.trim());
  process.stdout.write(`${JSON.stringify({ level: 'error', event: 'request_failed', route, name, at })}\n`);
}

function toRequest(event: APIGatewayProxyEventV2): HttpRequest {
  return {
    method: event.requestContext.http.method,
    path: event.rawPath,
    params: Object.fromEntries(
      Object.entries(event.pathParameters ?? {}).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value]],
      ),
    ),
    query: parseQuery(event.rawQueryString),
    rawQuery: event.rawQueryString,
    headers: Object.fromEntries(
      Object.entries(event.headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name.toLowerCase(), value]],
      ),
    ),
    body: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'),
  };
}

/** Decodes a query string once; of a repeated key the first counts, so that nothing appended can override it. */
export function parseQuery(raw: string): Record<string, string> {
  const query: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(raw)) query[name] ??= value;
  return query;
}

const toResult = (reply: HttpReply): APIGatewayProxyStructuredResultV2 => ({
  statusCode: reply.status,
  headers: { 'x-content-type-options': 'nosniff', ...reply.headers },
  body: reply.body ?? '',
});
