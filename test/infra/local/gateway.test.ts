import { expect, test } from 'vitest';
import { matchRoute, replyOf } from '../../../infra/local/api-event.ts';
import type { Result } from '../../../infra/local/functions.ts';
import type { RoutePlan } from '../../../infra/local/plan.ts';
import { failedOf } from '../../../infra/local/sources.ts';
import { readArguments } from '../../../infra/local/start.ts';

const route = (key: string): RoutePlan => {
  const [method = '', path = '/{proxy+}'] = key.split(' ');
  return {
    key,
    method: method === 'ANY' || key === '$default' ? '*' : method,
    path,
    functionArn: key,
    timeoutMs: 1,
  };
};
const routes = [
  '$default',
  'ANY /v1/{call}',
  'GET /v1/{rest+}',
  'POST /v1/batch',
  'POST /v1/{call}',
  'GET /profiles/{kind}/{value}',
].map(route);

test.each([
  ['POST', '/v1/batch', 'POST /v1/batch', {}],
  ['POST', '/v1/track', 'POST /v1/{call}', { call: 'track' }],
  ['PUT', '/v1/track', 'ANY /v1/{call}', { call: 'track' }],
  ['GET', '/v1/a/b', 'GET /v1/{rest+}', { rest: 'a/b' }],
  ['GET', '/profiles/phone/%2B86%20138', 'GET /profiles/{kind}/{value}', { kind: 'phone', value: '+86 138' }],
  ['GET', '/profiles/phone/', '$default', {}],
  ['GET', '/v1/', 'GET /v1/{rest+}', { rest: '' }],
  ['DELETE', '/', '$default', {}],
])('%s %s takes the most specific route', (method, path, key, parameters) => {
  const match = matchRoute(routes, method, path);
  expect([match?.route.key, match?.parameters]).toEqual([key, parameters]);
});

test('a value without a status is a 200 with JSON; a status that makes no sense is a 500', () => {
  expect(replyOf({ a: 1 })).toMatchObject({ status: 200, body: Buffer.from('{"a":1}') });
  expect(replyOf({ statusCode: 204 })).toMatchObject({ status: 204, body: Buffer.alloc(0) });
  expect(replyOf({ statusCode: 'ok' }).status).toBe(500);
});

const ok = (value: unknown): Result => ({ ok: true, value });
const broken: Result = { ok: false, errorType: 'Error', errorMessage: '', trace: [] };
const item = (itemIdentifier: string) => ({ itemIdentifier });

test.each([
  ['names it', ok({ batchItemFailures: [item('b')] }), true, ['b']],
  ['reports nothing', ok(undefined), true, []],
  ['reports an empty list', ok({ batchItemFailures: [] }), true, []],
  ['names a stranger', ok({ batchItemFailures: [item('b'), item('z')] }), true, ['a', 'b', 'c']],
  ['names nobody', ok({ batchItemFailures: [item('')] }), true, ['a', 'b', 'c']],
  ['reports what cannot be read', ok({ batchItemFailures: 'b' }), true, ['a', 'b', 'c']],
  ['throws', broken, true, ['a', 'b', 'c']],
  ['names it but may not report', ok({ batchItemFailures: [item('b')] }), false, []],
])('of a batch whose function %s, these come again', (_, result, reports, failed) => {
  expect([...failedOf(['a', 'b', 'c'], result, reports)]).toEqual(failed);
});

test('the command line is understood, or refused with a reason', () => {
  const read = (...argv: string[]) => readArguments(argv, { PORT: '5000' });
  expect(read('--no-demo', '--clock', '2026-11-11T00:00:00+08:00')).toMatchObject({
    demo: false,
    options: { port: 5000, clockAt: Date.parse('2026-11-10T16:00:00Z') },
  });
  expect(read('--port', '0').options.port).toBe(0);
  expect(() => read('--clock', '2026-11-11')).toThrow('with the offset');
  expect(() => read('--port', 'x')).toThrow('no port: x');
  expect(() => read('--brand', 'a', '--brand-file', 'b')).toThrow('not both');
  expect(() => read('--colour')).toThrow('--colour');
});
