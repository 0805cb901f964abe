import { z } from 'zod';
import type { ConversionStore } from '../attribution/store.ts';
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
  readonly conversions: ConversionStore;
  readonly rules: () => Promise<Rules>;
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
  const schema = route.query ?? z.object({});
  return {
    ...route,
    async answerTo(request, deps) {
      const caller =
        route.roles === 'public' ? NOBODY : await authorize(request.headers, deps.table, route.roles);
      const query = schema.parse({ ...request.query }) as z.infer<Q>; // `schema` is the route's own
      return answer({ params: paramsOf(route.path, request.path) ?? {}, query, caller }, deps);
    },
  };
}

/** Answers a request by the first route that fits it. */
export async function answer(
  routes: readonly Answered[],
  request: HttpRequest,
  deps: QueryDeps,
): Promise<HttpReply> {
  const route = routes.find(({ method, path }) => method === request.method && paramsOf(path, request.path));
  if (!route) throw new RejectedError('not_found', `there is no ${request.method} ${request.path}`, 404);
  return json(200, await route.answerTo(request, deps));
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

/** A page's size, as a query says it. */
export const limitOf = (most: number, usual: number) =>
  z.coerce.number().int().min(1).max(most).default(usual);

/** A cursor holds where the next page begins; nobody has to look inside. */
export const cursorOf = (place: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(place)).toString('base64url');

/** @throws RejectedError 400 if it is none of ours */
export function placeOf(cursor: string | undefined): (string | number)[] | undefined {
  if (cursor === undefined) return undefined;
  try {
    return z
      .array(z.union([z.string(), z.number()]))
      .parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw new RejectedError('bad_cursor', 'use the `next` of an earlier answer as cursor, unchanged', 400);
  }
}
