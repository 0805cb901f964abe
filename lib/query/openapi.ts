import { z } from 'zod';
import { instant } from '../events/event.ts';
import type { Brand } from '../platform/brand.ts';
import { groupReportRoute } from '../privacy/group-report.ts';
import { quintileEdition } from '../tags/quintiles.ts';
import { forecastAnswer } from './forecast.ts';
import { modelRoutes } from './models.ts';
import { reportRoute } from './report.ts';
import { rfmAnswer, rfmQuery } from './rfm.ts';
import type { Route } from './route.ts';
import { publishingRoutes } from './rules-document.ts';

const error = z.object({ error: z.object({ reason: z.string(), message: z.string() }) });
const ruleView = z.looseObject({
  tag: z.string(),
  version: z.int(),
  when: z.string().optional(),
  values: z.record(z.string(), z.string()).optional(),
});
const ruleVersion = ruleView.extend({ at: instant.optional(), by: z.string().optional() });

/** A rule without its tag, or the expression alone. */
const draft = z.union([
  z.object({ when: z.string(), name: z.looseObject({}).optional() }),
  z.object({ values: z.record(z.string(), z.string()), name: z.looseObject({}).optional() }),
  z.string(),
]);
/** A look at every profile that has begun. */
const surveyView = z.object({ id: z.string(), at: instant, result: z.string() });

/** A path at which SDKs speak a protocol of their own. */
function sdk(method: 'GET' | 'POST', path: string, summary: string): Route[] {
  const body = method === 'POST' ? { body: z.unknown() } : {};
  return [{ method, path, summary, ...body, answer: z.unknown(), roles: 'public' }];
}

/** What other functions of the stack answer, for the document. */
const others: readonly Route[] = [
  reportRoute,
  groupReportRoute,
  ...modelRoutes,
  {
    method: 'GET',
    path: '/rules',
    summary: 'The rules in force',
    answer: z.object({ rules: z.array(ruleView) }),
  },
  {
    method: 'GET',
    path: '/rules/{tag}',
    summary: 'A rule in force and its versions, newest first',
    answer: z.object({ rule: ruleView, versions: z.array(ruleVersion) }),
  },
  {
    method: 'PUT',
    path: '/rules/{tag}',
    summary:
      'Puts a rule in force: checked for types and cost first; 422 with line, column and caret if it is wrong',
    body: draft,
    answer: z.object({ rule: ruleView, backfill: z.string() }),
    roles: ['admin'],
  },
  ...publishingRoutes(draft, ruleView),
  {
    method: 'POST',
    path: '/rules/{tag}/forecast',
    summary:
      'Looks at every profile by a draft of the rule, which changes nothing; 202 with where the forecast will be',
    query: z.object({ days: z.int().min(1).max(30).optional() }),
    body: draft,
    answer: surveyView.extend({ rule: ruleView, days: z.int() }),
  },
  {
    method: 'GET',
    path: '/rules/{tag}/forecast/{id}',
    summary: 'A forecast: how far it is, and who would enter and leave; small groups are not counted out',
    answer: forecastAnswer,
  },
  {
    method: 'GET',
    path: '/rfm/{id}',
    summary: 'Recency, frequency, money of every customer and their scores by quintiles; identifiers by role',
    query: rfmQuery,
    answer: rfmAnswer,
  },
  {
    method: 'POST',
    path: '/rfm',
    summary:
      'Takes recency, frequency and money of every customer before an instant; 202 with where they will be',
    body: z.object({ asOf: z.iso.datetime({ offset: true }).optional() }),
    answer: surveyView.extend({ asOf: instant }),
  },
  {
    method: 'GET',
    path: '/rfm/quintiles',
    summary: 'The population’s cuts that `rfm("quintiles")` goes by: version, as of when, of how many',
    answer: z.object({ quintiles: quintileEdition.nullable() }),
  },
  {
    method: 'POST',
    path: '/rfm/quintiles',
    summary: 'Has the population counted now, and everybody evaluated by the new cuts; role admin',
    answer: surveyView.extend({ asOf: instant }),
  },
  {
    method: 'GET',
    path: '/quarantine',
    summary: 'What could not become an event, with the reason',
    query: z.object({
      limit: z.int().optional(),
      cursor: z.string().optional(),
      body: z.enum(['true', 'false']).optional(),
    }),
    answer: z.looseObject({
      items: z.array(z.looseObject({ id: z.string(), reason: z.string() })),
      next: z.string().optional(),
    }),
  },
  {
    method: 'POST',
    path: '/quarantine/{id}/replay',
    summary: 'Decodes a fault again, by today’s code',
    answer: z.looseObject({ id: z.string() }),
  },
  {
    method: 'POST',
    path: '/webhooks/{channel}/{account}',
    summary: 'A channel’s webhook; signed as the channel signs',
    body: z.unknown(),
    answer: z.unknown(),
    roles: 'public',
  },
  {
    method: 'GET',
    path: '/webhooks/{channel}/{account}',
    summary: 'A channel’s handshake',
    answer: z.unknown(),
    roles: 'public',
  },
  {
    method: 'POST',
    path: '/v1/{call}',
    summary:
      'Segment’s and RudderStack’s HTTP protocol: track, identify, page, screen, group, alias, batch; write key by Basic or in the body',
    body: z.looseObject({}),
    answer: z.object({ success: z.literal(true) }),
    roles: 'public',
  },
  ...sdk('POST', '/beacon/v1/batch', 'RudderStack’s batch by beacon; write key in the query'),
  ...sdk('GET', '/v1/projects/{key}/settings', 'What analytics.js asks its CDN'),
  ...['/batch', '/capture', '/e', '/i/v0/e'].flatMap((path) =>
    sdk('POST', path, 'PostHog’s events: JSON, gzip or a form; project API key within'),
  ),
  ...sdk('GET', '/e', 'PostHog’s events as the address of a picture'),
  ...['/flags', '/decide'].flatMap((path) => sdk('POST', path, 'PostHog’s flags: none is set')),
  ...['/array/{key}/config', '/array/{key}/config.js'].flatMap((path) =>
    sdk('GET', path, 'What posthog-js asks before it starts'),
  ),
  ...['/sa', '/sa.gif', '/debug'].flatMap((path) => [
    ...sdk('GET', path, 'One record of Sensors 神策 as the address of a picture; token in the query'),
    ...sdk('POST', path, 'Records of Sensors 神策 as a form; token in the query'),
  ]),
];

/** The API as an OpenAPI 3.1 document, made of the same schemas that parse and answer. */
export function openApi(routes: readonly Route[], { title }: Pick<Brand, 'title'>): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of [...routes, ...others]) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: `Siyu: ${title.en}`,
      version: '1',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{ key: [] }],
    components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
    paths,
  };
}

function operation({ path, summary, query, body, answer, roles }: Route): Record<string, unknown> {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const inQuery = Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    schema: schemaOf(schema as z.ZodType, 'input'), // zod types the members of a shape by its core's own type
  }));
  return {
    summary,
    ...(roles === 'public' && { security: [] }),
    ...(Array.isArray(roles) && { description: `Takes a key of role ${roles.join(' or ')}.` }),
    parameters: [...inPath, ...inQuery],
    ...(body && { requestBody: { content: { 'application/json': { schema: schemaOf(body, 'input') } } } }),
    responses: {
      200: { description: 'OK', content: { 'application/json': { schema: schemaOf(answer, 'output') } } },
      default: {
        description: 'A refusal',
        content: { 'application/json': { schema: schemaOf(error, 'output') } },
      },
    },
  };
}

/**
 * A schema that may stand anywhere in the document. References to definitions of its own would lead nowhere there; the
 * one thing here that refers to itself is JSON, and that is what `{}` means. The pattern of a time says less than its
 * format, in three hundred characters.
 */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _, $defs: __, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return JSON.parse(JSON.stringify(rest), (_name, value) => {
    if (typeof value?.$ref === 'string') return {};
    if (typeof value?.format !== 'string') return value;
    const { pattern: _pattern, ...plain } = value;
    return plain;
  });
}
