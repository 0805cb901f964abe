// API Gateway's HTTP API in words: routes, the event that a function gets (payload format 2.0), the reply it gives.
import { z } from 'zod';
import type { RoutePlan } from './plan.ts';

/** A request as it came over the wire. */
export interface WireRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  /** Names and values by turns, as sent. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly sourceIp: string;
}

export interface WireReply {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly cookies: readonly string[];
  readonly body: Buffer;
}

export interface Match {
  readonly route: RoutePlan;
  readonly parameters: Record<string, string>;
}

/** What API Gateway refuses: bodies above 10 MB, and events above the 6 MB that Lambda takes. */
export const BODY_LIMIT = 10 * 1024 * 1024;
export const EVENT_LIMIT = 6 * 1024 * 1024;

const segmentsOf = (path: string) => path.split('/').slice(1);
const isGreedy = (segment: string | undefined) => segment?.endsWith('+}') === true;
const nameOf = (segment: string) => segment.replace(/^\{|\+?\}$/g, '');

/**
 * The most specific route that fits: written-out segments before {parameters}, those before {greedy+}, $default last.
 * A {greedy+} may stand for nothing after its slash: it is the one way to a path that ends in one.
 */
export function matchRoute(routes: readonly RoutePlan[], method: string, path: string): Match | undefined {
  const given = segmentsOf(path);
  const fits = routes.filter((route) => {
    if (route.key === '$default') return true;
    if (route.method !== '*' && route.method !== method) return false;
    const wanted = segmentsOf(route.path);
    const greedy = isGreedy(wanted.at(-1));
    if (greedy ? given.length < wanted.length : given.length !== wanted.length) return false;
    return wanted.every((segment, i) => {
      if (isGreedy(segment)) return true;
      return segment.startsWith('{') ? given[i] !== '' : segment === given[i];
    });
  });
  const rank = (route: RoutePlan) =>
    route.key === '$default'
      ? '9'
      : segmentsOf(route.path)
          .map((segment) => (isGreedy(segment) ? '2' : segment.startsWith('{') ? '1' : '0'))
          .join('') + (route.method === '*' ? '1' : '0');
  const [route] = fits.sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  if (!route) return undefined;
  const parameters: Record<string, string> = {};
  if (route.key !== '$default')
    segmentsOf(route.path).forEach((segment, i) => {
      if (isGreedy(segment)) parameters[nameOf(segment)] = decoded(given.slice(i).join('/'));
      else if (segment.startsWith('{')) parameters[nameOf(segment)] = decoded(given[i] ?? '');
    });
  return { route, parameters };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % is handed on as it came
  }
}

const isText =
  /^(?:text\/|application\/(?:json|javascript|xml)(?:;|$)|application\/[^;]+\+(?:json|xml)(?:;|$))/i;

/**
 * The event of payload format 2.0. Header names in lower case, values of equal names joined with a comma, cookies
 * apart; a body is base64 unless its content type says that it is text and nothing is compressed.
 */
export function eventOf(
  { method, target, rawHeaders, body, sourceIp }: WireRequest,
  { route, parameters }: Match,
  at: number,
  requestId: string,
) {
  const [rawPath = '/', ...rest] = target.split('?');
  const rawQueryString = rest.join('?');
  const headers: Record<string, string> = {};
  const cookies: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name, value] = [rawHeaders[i]!.toLowerCase(), rawHeaders[i + 1]!];
    if (name === 'cookie') cookies.push(...value.split(/; */));
    else headers[name] = headers[name] === undefined ? value : `${headers[name]},${value}`;
  }
  headers['x-forwarded-for'] ??= sourceIp;
  headers['x-forwarded-proto'] ??= 'http';
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(rawQueryString))
    query[name] = query[name] === undefined ? value : `${query[name]},${value}`;
  const text = isText.test(headers['content-type'] ?? '') && headers['content-encoding'] === undefined;
  const host = headers.host ?? 'localhost';
  return {
    version: '2.0',
    routeKey: route.key,
    rawPath,
    rawQueryString,
    ...(cookies.length > 0 && { cookies }),
    headers,
    ...(rawQueryString !== '' && { queryStringParameters: query }),
    ...(Object.keys(parameters).length > 0 && { pathParameters: parameters }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      domainName: host,
      domainPrefix: host.split('.')[0],
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp, userAgent: headers['user-agent'] ?? '' },
      requestId,
      routeKey: route.key,
      stage: '$default',
      time: new Date(at).toUTCString(),
      timeEpoch: at,
    },
    ...(body.length > 0 && { body: body.toString(text ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !text,
  };
}

const reply = z.looseObject({
  statusCode: z.int().min(100).max(599),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).nullish(),
  cookies: z.array(z.string()).nullish(),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().nullish(),
});

/** What API Gateway itself says. */
export const gatewayReply = (status: number, message: string): WireReply => ({
  status,
  headers: { 'content-type': 'application/json' },
  cookies: [],
  body: Buffer.from(JSON.stringify({ message })),
});

/**
 * The reply that a function's value stands for. A value without `statusCode` is a 200 with the value as JSON; one
 * whose `statusCode` makes no sense is a 500.
 */
export function replyOf(value: unknown): WireReply {
  const isReply = typeof value === 'object' && value !== null && 'statusCode' in value;
  if (!isReply)
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      cookies: [],
      body: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
    };
  const parsed = reply.safeParse(value);
  if (!parsed.success) return gatewayReply(500, 'Internal Server Error');
  const { statusCode, headers, cookies, body, isBase64Encoded } = parsed.data;
  const lower = Object.entries(headers ?? {}).map(([name, it]) => [name.toLowerCase(), String(it)] as const);
  return {
    status: statusCode,
    headers: { 'content-type': 'application/json', ...Object.fromEntries(lower) },
    cookies: cookies ?? [],
    body: Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8'),
  };
}
