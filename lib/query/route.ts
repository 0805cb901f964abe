import { z } from 'zod';
import type { ConversionReader } from '../attribution/read.ts';
import { appendAudit, subjectOf } from '../audit/append.ts';
import type { Fact, What } from '../audit/entry.ts';
import type { Brand } from '../platform/brand.ts';
import type { Role } from '../platform/brand-words.ts';
import { RejectedError } from '../platform/errors.ts';
import { type HttpReply, type HttpRequest, json, parsed } from '../platform/http.ts';
import type { Queue } from '../platform/queue.ts';
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
  /** Where events go: only functions that take decisions have it. */
  readonly events?: Queue;
  /** Where erasures are asked for: only the function that takes persons' requests has it. */
  readonly erasures?: Queue;
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
  /** Who may ask; absent: who may see single profiles (`whoMay('persons')`); `public`: nobody is asked for a key. */
  readonly roles?: readonly Role[] | 'public';
}

export interface Question<Q, B = unknown> {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Q;
  /** As the route's `body` parses it. */
  readonly body: B;
  readonly caller: Caller;
  /**
   * Says whom the answer shows, by profile. Every answer that shows somebody has to: it is not given before the log
   * says so.
   */
  saw(...profiles: readonly string[]): void;
  /** Says in the log what is about to be done. Wait for it, then do it. */
  record(
    what: What,
    about?: Pick<Fact, 'details' | 'fields'> & { readonly profiles?: readonly string[] },
  ): Promise<void>;
}

/** An answer that is no JSON document. */
export class TextAnswer {
  readonly type: string;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(type: string, text: string, headers: Readonly<Record<string, string>> = {}) {
    this.type = type;
    this.text = text;
    this.headers = headers;
  }
}

/** An answer to what was taken on and is not done yet: 202. */
export class Accepted {
  readonly body: unknown;

  constructor(body: unknown) {
    this.body = body;
  }
}

/** A route with what answers it. */
export interface Answered extends Route {
  answerTo(request: HttpRequest, deps: QueryDeps): Promise<unknown>;
}

const NOBODY: Caller = { role: 'operator', name: 'public' };

/**
 * Ties a route to the function that answers it; query and body are parsed by the route's schemas before. Beside its
 * own parameters every route takes `?reason=`. Whom the answer shows stands in the audit log before it is given.
 */
export function answered<Q extends z.ZodObject = z.ZodObject<Record<never, never>>, B = unknown>(
  route: Route & { readonly query?: Q; readonly body?: z.ZodType<B> },
  answer: (question: Question<z.infer<Q>, B>, deps: QueryDeps) => Promise<unknown> | unknown,
): Answered {
  const schema = route.query ?? (route.roles === 'public' ? z.object({}) : z.strictObject({}));
  return {
    ...route,
    async answerTo(request, deps) {
      const { reason, ...asked } = request.query;
      const caller =
        route.roles === 'public' ? NOBODY : await authorize(request.headers, deps.table, route.roles, reason);
      const query = parseQuery(schema, asked) as z.infer<Q>; // `schema` is the route's own
      const body = parsed(route.body ?? z.any(), route.body && jsonIn(request.body));
      const record = recorder(route, caller, deps);
      const seen = new Set<string>();
      const saw = (...profiles: readonly string[]) => profiles.forEach((it) => void seen.add(it));
      const params = paramsIn(route.path, request) ?? {};
      const reply = await answer({ params, query, body, caller, saw, record }, deps);
      if (seen.size > 0) await record('read', { profiles: [...seen], fields: Object.keys(Object(reply)) });
      return reply;
    },
  };
}

/** Appends to the audit log what a caller does at a route. */
function recorder(
  { method, path }: Route,
  { role, name: who, key, reason }: Caller,
  deps: Pick<QueryDeps, 'table' | 'now' | 'protector'>,
): Question<unknown>['record'] {
  return (what, { profiles, fields, details } = {}) =>
    appendAudit(deps, {
      ...{ what, who, role, key, on: `${method} ${path}` },
      subjects: profiles?.map((it) => subjectOf(it, deps.protector)),
      ...{ fields, reason, details },
    });
}

function jsonIn(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new RejectedError('bad_json', 'the body is not JSON');
  }
}

/** Answers a request by the first route that fits it. */
export async function answer(
  routes: readonly Answered[],
  request: HttpRequest,
  deps: QueryDeps,
): Promise<HttpReply> {
  const route = routes.find(({ method, path }) => method === request.method && paramsIn(path, request));
  if (!route) throw new RejectedError('no_route', 'there is no such route; /openapi.json lists all', 404);
  const reply = await route.answerTo(request, deps);
  if (reply instanceof Accepted) return json(202, reply.body);
  if (!(reply instanceof TextAnswer)) return json(200, reply);
  return { status: 200, headers: { 'content-type': reply.type, ...reply.headers }, body: reply.text };
}

/** @throws RejectedError 400 that names each parameter, what is wrong with it, and those that there are */
export function parseQuery<Q extends z.ZodObject>(schema: Q, query: HttpRequest['query']): z.infer<Q> {
  const found = schema.safeParse({ ...query });
  if (found.success) return found.data;
  const known = Object.keys(schema.shape).join(', ') || 'none';
  const issues = found.error.issues.map((issue) =>
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
