import { z } from 'zod';
import type { ConversionReader } from '../attribution/read.ts';
import type { Brand, Role } from '../platform/brand.ts';
import { RejectedError } from '../platform/errors.ts';
import { type HttpReply, type HttpRequest, json } from '../platform/http.ts';
import type { Table } from '../platform/table.ts';
import type { Rules } from '../profile/person.ts';
import { authorize, type Caller } from './auth.ts';
import type { LookupDeps } from './lookup.ts';

export interface QueryDeps extends LookupDeps {
  readonly table: Table;
  readonly brand: Brand;
  readonly conversions: ConversionReader;
  readonly rules: () => Promise<Rules>;
  /** The paths of channels whose requests are told apart by their keys and not by a path of the account. */
  readonly ownPaths: Readonly<Record<string, readonly string[]>>;
}

/** One question that can be asked over HTTP: what it takes, what it answers, who may ask. The API document is made of these. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'OPTIONS';
  /** As the HTTP API writes it: `/profiles/{kind}/{value}`. */
  readonly path: string;
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly answer: z.ZodType;
  /** Who may ask; absent: any key; `public`: nobody is asked for a key. */
  readonly roles?: readonly Role[] | 'public';
}

export interface Question<Q> {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Q;
  readonly caller: Caller;
}

/** A route with what answers it. */
export interface Answered extends Route {
  answerTo(request: HttpRequest, deps: QueryDeps): Promise<unknown>;
}

const NOBODY: Caller = { role: 'operator', name: 'public' };

/** Ties a route to the function that answers it; the query is parsed by the route's schema before. */
export function answered<Q extends z.ZodObject = z.ZodObject<Record<never, never>>>(
  route: Route & { readonly query?: Q },
  answer: (question: Question<z.infer<Q>>, deps: QueryDeps) => Promise<unknown> | unknown,
): Answered {
  const schema = route.query ?? (route.roles === 'public' ? z.object({}) : z.strictObject({}));
  return {
    ...route,
    async answerTo(request, deps) {
      const caller =
        route.roles === 'public' ? NOBODY : await authorize(request.headers, deps.table, route.roles);
      const query = parseQuery(schema, request.query) as z.infer<Q>; // `schema` is the route's own
      return answer({ params: paramsIn(route.path, request) ?? {}, query, caller }, deps);
    },
  };
}

/** Answers a request by the first route that fits it. */
export async function answer(
  routes: readonly Answered[],
  request: HttpRequest,
  deps: QueryDeps,
): Promise<HttpReply> {
  const route = routes.find(({ method, path }) => method === request.method && paramsIn(path, request));
  if (!route) throw new RejectedError('no_route', 'there is no such route; /openapi.json lists all', 404);
  return json(200, await route.answerTo(request, deps));
}

/** @throws RejectedError 400 that names each parameter, what is wrong with it, and those that there are */
function parseQuery(schema: z.ZodObject, query: HttpRequest['query']): unknown {
  const parsed = schema.safeParse({ ...query });
  if (parsed.success) return parsed.data;
  const known = Object.keys(schema.shape).join(', ') || 'none';
  const issues = parsed.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys'
      ? `${issue.keys.join(', ')}: no parameter here; there are: ${known}`
      : `${issue.path.join('.')}: ${issue.message}`,
  );
  throw new RejectedError('bad_query', issues.join('; '));
}

/**
 * What a request puts in a template's `{names}`; undefined if it does not fit. What the gateway has already taken out
 * of the path goes first: a path may come decoded, and a value may hold a slash.
 */
function paramsIn(template: string, { path, params }: HttpRequest): Record<string, string> | undefined {
  const filled = template.replace(/\{(\w+)\}/g, (_, name) => params[name] ?? '');
  const encoded = template.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(params[name] ?? ''));
  if (Object.keys(params).length > 0 && (path === filled || path === encoded)) return { ...params };
  return paramsOf(template, path);
}

/** What a path puts in a template's `{names}`, decoded; undefined if it does not fit. */
export function paramsOf(template: string, path: string): Record<string, string> | undefined {
  const wanted = template.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, part] of wanted.entries()) {
    const value = given[i] ?? '';
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined ? part !== value : value === '') return undefined;
    if (name !== undefined) params[name] = decode(value);
  }
  return params;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RejectedError('bad_path', 'the path is not valid percent-encoded UTF-8', 400);
  }
}
