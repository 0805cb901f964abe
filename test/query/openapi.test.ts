// Scope: the API's description is one that tools can read, and it is complete.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { channelRoutes } from '../../lib/capture/routes.ts';
import { openApi } from '../../lib/query/openapi.ts';
import { aBrand } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aCaller, allRoutes } from './a-caller.ts';

type Schema = Readonly<Record<string, unknown>>;
const isSchema = (it: unknown): it is Schema => typeof it === 'object' && it !== null && !Array.isArray(it);
const TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'];
const isText = (it: unknown) => typeof it === 'string';
const isNumber = (it: unknown) => typeof it === 'number';
const anything = () => true;

/** Words of JSON Schema 2020-12 that hold a value, and which. */
const plainWords: Record<string, (it: unknown) => boolean> = {
  type: (it) => [it].flat().every((type) => TYPES.includes(String(type))),
  description: isText,
  format: (it) => it === 'date-time' || it === 'date',
  pattern: (it) => isText(it) && new RegExp(String(it)) instanceof RegExp,
  default: anything,
  const: anything,
  enum: (it) => Array.isArray(it) && it.length > 0,
  required: (it) => Array.isArray(it) && it.every(isText),
  ...Object.fromEntries(
    ['minimum', 'maximum', 'exclusiveMinimum', 'minLength', 'maxLength', 'maxItems', 'minItems'].map(
      (word) => [word, isNumber],
    ),
  ),
};
/** Words that hold schemas. */
const inner: Record<string, (it: unknown) => readonly unknown[]> = {
  items: (it) => [it],
  propertyNames: (it) => [it],
  additionalProperties: (it) => [it],
  prefixItems: (it) => (Array.isArray(it) ? it : [undefined]),
  anyOf: (it) => (Array.isArray(it) ? it : [undefined]),
  oneOf: (it) => (Array.isArray(it) ? it : [undefined]),
  allOf: (it) => (Array.isArray(it) ? it : [undefined]),
  properties: (it) => (isSchema(it) ? Object.values(it) : [undefined]),
};

/** What is wrong in a schema; a word that is in neither list is wrong. */
function faultsOf(it: unknown, path = ''): string[] {
  if (typeof it === 'boolean') return [];
  if (!isSchema(it)) return [`${path}: no schema`];
  return Object.entries(it).flatMap(([word, value]) => {
    const at = `${path}/${word}`;
    const plain = plainWords[word];
    if (plain) return plain(value) ? [] : [at];
    return inner[word]?.(value).flatMap((part) => faultsOf(part, at)) ?? [at];
  });
}
const schema = z.custom<Schema>(isSchema).check(({ value, issues }) => {
  for (const message of faultsOf(value)) issues.push({ code: 'custom', message, input: value });
});
const content = z.strictObject({ 'application/json': z.strictObject({ schema }) });
const operation = z.strictObject({
  summary: z.string().min(10),
  description: z.string().optional(),
  security: z.array(z.never()).optional(),
  parameters: z.array(
    z.strictObject({
      name: z.string(),
      in: z.enum(['path', 'query']),
      required: z.boolean(),
      description: z.string().optional(),
      schema,
    }),
  ),
  requestBody: z.strictObject({ content }).optional(),
  responses: z.record(
    z.string().regex(/^([1-5]\d\d|default)$/),
    z.strictObject({ description: z.string(), content }),
  ),
});
const document = z.strictObject({
  openapi: z.literal('3.1.0'),
  info: z.strictObject({
    title: z.string(),
    version: z.string(),
    license: z.strictObject({ name: z.string(), identifier: z.literal('Apache-2.0') }),
  }),
  security: z.array(z.strictObject({ key: z.array(z.never()) })),
  components: z.strictObject({
    securitySchemes: z.strictObject({
      key: z.strictObject({ type: z.literal('http'), scheme: z.literal('bearer') }),
    }),
  }),
  paths: z.record(z.string().startsWith('/'), z.partialRecord(z.enum(['get', 'post', 'put']), operation)),
});

const read = () => document.parse(openApi(allRoutes, aBrand()));
const operations = () =>
  Object.entries(read().paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, it]) => ({ name: `${method.toUpperCase()} ${path}`, path, ...it })),
  );

test('the document is an OpenAPI 3.1 document, and what is served is it', async () => {
  const { ask } = await aCaller(aWorld());
  expect(document.parse(await ask('/openapi.json', { as: null }))).toEqual(read());
});

test('each operation names the parameters of its path, and no parameter twice', () => {
  for (const { name, path, parameters } of operations()) {
    const inPath = parameters.filter((it) => it.in === 'path');
    expect(
      inPath.map((it) => `{${it.name}}`),
      name,
    ).toEqual(path.match(/\{\w+\}/g) ?? []);
    expect(
      inPath.every((it) => it.required),
      name,
    ).toBe(true);
    expect(new Set(parameters.map((it) => `${it.in} ${it.name}`)).size, name).toBe(parameters.length);
  }
});

test('each operation says what it answers and how it refuses', () => {
  for (const { name, responses } of operations())
    expect(Object.keys(responses).sort(), name).toEqual(['200', 'default']);
});

/** What channels have at paths of their own; that one is reached with a slash at its end too goes without saying. */
const ownRoutes = () =>
  Object.entries(channelRoutes())
    .filter(([path]) => !path.endsWith('/'))
    .flatMap(([path, methods]) => methods.map((method) => `${method} ${path}`));

test('every route of the stack is described, and nothing else', () => {
  const folder = new URL('../../infra/', import.meta.url);
  const routed = readdirSync(folder)
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [
      ...readFileSync(new URL(file, folder), 'utf8').matchAll(/^ +'(\/[^']*)': \[([^\]]*)\],$/gm),
    ])
    .flatMap(([, path = '', methods = '']) =>
      (methods.match(/[A-Z]+/g) ?? []).map((method) => `${method} ${path}`),
    )
    .filter((it) => !it.startsWith('OPTIONS')) // what browsers ask by themselves
    .concat(ownRoutes());
  expect(routed.length).toBeGreaterThan(10);
  expect(
    operations()
      .map(({ name }) => name)
      .sort(),
  ).toEqual(routed.sort());
});

test('times are said to be times, limits have their bounds, keys their roles', () => {
  const { paths } = read();
  const page = paths['/profiles/{kind}/{value}/events']?.get?.parameters;
  expect(page?.find(({ name }) => name === 'from')).toMatchObject({
    required: false,
    schema: { type: 'string', description: expect.stringContaining('2026-11-11') },
  });
  expect(page?.find(({ name }) => name === 'limit')?.schema).toMatchObject({
    type: 'integer',
    minimum: 1,
    maximum: 500,
    default: 50,
  });
  expect(paths['/rules/{tag}']?.put?.description).toBe('Takes a key of role admin.');
  expect(paths['/healthz']?.get?.security).toEqual([]);
  expect(paths['/tags']?.get?.security).toBeUndefined();
});
