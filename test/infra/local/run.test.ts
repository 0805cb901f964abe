import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import type { Stack } from '../../../infra/local/run.ts';
import { DAY, HOUR, MINUTE } from '../../../lib/platform/clock.ts';
import { rowsOf, startSmall } from './small-stack.ts';

const NOON = Date.parse('2026-11-11T12:00:30.000Z');
const shown = z.looseObject({
  event: z.looseObject({}),
  environment: z.record(z.string(), z.string()),
  now: z.string(),
  isDate: z.boolean(),
  remaining: z.number(),
});

let stack: Stack;
const lines: string[] = [];
beforeAll(async () => {
  stack = await startSmall({
    clockAt: NOON,
    secrets: { name: 'small', local: { secrets: { partner: { token: 't' } }, keys: {} } },
    log: (name, line) => lines.push(`${name} ${line}`),
  });
});
afterAll(() => stack.stop());

const ask = (path: string, init?: RequestInit) => fetch(`${stack.url}${path}`, init);
const show = async (path: string, init?: RequestInit) => shown.parse(await (await ask(path, init)).json());
const send = (...bodies: string[]) =>
  ask('/send', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(bodies),
  });

test('a function gets the request as API Gateway would hand it over', async () => {
  const { event } = await show('/show/a%20b?q=1&q=2&r=%E4%BD%A0', {
    method: 'POST',
    headers: { 'Content-Type': 'text/xml', Cookie: 'a=1; b=2', 'X-Id': 'Seven' },
    body: '<私域/>',
  });
  expect(event).toMatchObject({
    version: '2.0',
    routeKey: 'ANY /show/{what}',
    rawPath: '/show/a%20b',
    rawQueryString: 'q=1&q=2&r=%E4%BD%A0',
    queryStringParameters: { q: '1,2', r: '你' },
    pathParameters: { what: 'a b' },
    cookies: ['a=1', 'b=2'],
    body: '<私域/>',
    isBase64Encoded: false,
    requestContext: { http: { method: 'POST', path: '/show/a%20b' }, stage: '$default' },
  });
  expect(event.headers).toMatchObject({ 'x-id': 'Seven', 'content-type': 'text/xml' });
});

test('a body that is not text comes in base64', async () => {
  const { event } = await show('/show/x', {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream' },
    body: Uint8Array.from([0, 255]),
  });
  expect(event).toMatchObject({ body: 'AP8=', isBase64Encoded: true });
});

test('a function answers with status, headers, cookies and bytes', async () => {
  const sent = await send('hello');
  expect([sent.status, sent.headers.get('x-sent'), sent.headers.getSetCookie()]).toEqual([
    202,
    '1',
    ['a=1', 'b=2'],
  ]);
  expect([...new Uint8Array(await (await ask('/show/bytes')).arrayBuffer())]).toEqual([0, 255, 1]);
});

test('what the template does not route is not found, whatever the method', async () => {
  for (const [path, method] of [
    ['/nothing', 'GET'],
    ['/send', 'GET'],
    ['/show', 'GET'],
    ['/show/a/b', 'POST'],
  ] as const) {
    const reply = await ask(path, { method });
    expect([reply.status, await reply.text()]).toEqual([404, '{"message":"Not Found"}']);
  }
});

test('a function that throws, crashes or takes too long is a 500, and the next request is answered', async () => {
  for (const [what, says] of [
    ['break', 'TypeError: broken on purpose'],
    ['exit', 'Runtime.ExitError: the runtime exited with status 3'],
    ['sleep', 'Sandbox.Timedout: Task timed out after 1.00 seconds'],
  ]) {
    const reply = await ask(`/show/${what}`);
    expect([reply.status, await reply.text()]).toEqual([500, '{"message":"Internal Server Error"}']);
    expect(lines).toContain(`door ${says}`);
    expect((await ask('/show/x')).status).toBe(200);
  }
});

test('a request above 10 MB is refused', async () => {
  const reply = await ask('/show/x', { method: 'POST', body: Buffer.alloc(10 * 1024 * 1024 + 1) });
  expect(reply.status).toBe(413);
});

test('a function finds the environment of the template and of Lambda, and nothing of this process', async () => {
  const { environment, remaining } = await show('/show/x');
  expect(environment).toMatchObject({ API: stack.url, AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'door' });
  expect(environment.QUEUE_URL).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/000000000000\/small-messages$/);
  expect(environment).not.toHaveProperty('PATH');
  expect(remaining).toBeGreaterThan(0);
  expect(remaining).toBeLessThanOrEqual(1000);
});

test("a function's Date tells the run's time", async () => {
  const { now, isDate } = await show('/show/x');
  expect(isDate).toBe(true);
  expect(Date.parse(now)).toBeGreaterThanOrEqual(NOON);
  expect(Date.parse(now)).toBeLessThan(NOON + HOUR);
});

test('secrets are generated the same in every run, or as the brand gives them', async () => {
  const { environment } = await show('/show/x');
  const client = new SecretsManagerClient({
    region: 'us-east-1',
    endpoint: environment.AWS_ENDPOINT_URL_SECRETS_MANAGER,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  const get = async (SecretId: string) =>
    (await client.send(new GetSecretValueCommand({ SecretId }))).SecretString;
  expect(await get('siyu/small/partner')).toBe('{"token":"t"}');
  const identity = z
    .object({ key: z.string().length(64) })
    .parse(JSON.parse((await get('siyu/small/identity')) ?? ''));
  expect(identity.key).toMatch(/^[A-Za-z0-9]+$/);
  expect(identity.key.slice(0, 12)).toBe('8GSBTUhqydUb');
  await expect(get('siyu/small/other')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

test('only the message that failed comes again, and after its last attempt it is a dead letter', async () => {
  await stack.idle();
  await send('good', 'poison', 'better');
  await expect.poll(() => stack.activity().waiting, { timeout: 5_000 }).toBe(1);
  expect((await ask('/_local/idle?timeout=0.1')).status).toBe(503);

  // The clock goes past the visibility timeout twice: the second attempt, then the dead-letter queue.
  await stack.clock.walkTo(stack.clock.now() + 10 * MINUTE);
  const tries = (await rowsOf(stack, 'TRY')).map(({ sk }) => sk);
  expect(tries.filter((it) => !it.startsWith('hello'))).toEqual([
    'better#1',
    'good#1',
    'poison#1',
    'poison#2',
  ]);
  const idle = await (await ask('/_local/idle')).json();
  expect(idle).toMatchObject({ idle: true, messages: 0, deadLetters: { 'small-Dead': 1 } });
});

test('messages that come within the window are one batch', async () => {
  await send('w1', 'w2');
  await send('w3');
  await stack.idle();
  const batches = (await rowsOf(stack, 'TRY'))
    .filter(({ sk }) => sk.startsWith('w'))
    .map(({ batch }) => batch);
  expect(batches).toEqual([3, 3, 3]);
});

test('the clock stops at what falls due, and nowhere else', async () => {
  await stack.clock.walkTo(Date.parse('2026-12-01T00:00:10.000Z'));
  const put = (pk: string, w: string, due: string) => stack.table().put({ pk, sk: '@', w, due });
  await put('A', 'W#0', '2026-12-03T16:00:00.000Z');
  await put('B', 'W#3', '2026-12-20T10:00:20.000Z');
  await put('C', 'W#1', '2027-06-01T00:00:00.000Z');
  const before = (await stack.table().get({ pk: 'TICKS', sk: '@' }))?.ticks;

  const walked = await (await ask('/_local/clock', { method: 'POST', body: '{"advance":"31d"}' })).json();

  expect(walked).toMatchObject({ fired: 3, failed: 0, stuck: [] });
  const woken = async (pk: string) => (await stack.table().get({ pk, sk: '@' }))?.wokenAt;
  expect(String(await woken('A'))).toMatch(/^2026-12-03T16:00:0/);
  expect(String(await woken('B'))).toMatch(/^2026-12-20T10:01:0/);
  expect(await woken('C')).toBeUndefined();
  const ticks = z.array(z.string()).parse((await stack.table().get({ pk: 'TICKS', sk: '@' }))?.ticks);
  expect(ticks.length - z.array(z.string()).parse(before).length).toBe(3);
  expect(stack.clock.now()).toBeGreaterThanOrEqual(Date.parse('2026-12-01T00:00:10.000Z') + 31 * DAY);
});

test('an entry that nothing moves is passed over and reported, and what comes after it still happens', async () => {
  const now = stack.clock.now();
  const iso = (at: number) => new Date(at).toISOString();
  await stack.table().put({ pk: 'STUCK', sk: '@', w: 'W#2', due: iso(now + HOUR) });
  await stack.table().put({ pk: 'D', sk: '@', w: 'W#2', due: iso(now + 2 * HOUR) });
  const { stuck, fired } = await stack.clock.walkTo(now + 3 * HOUR);
  expect(stuck).toEqual([`STUCK ${iso(now + HOUR)}`]);
  expect(fired).toBe(4);
  expect((await stack.table().get({ pk: 'D', sk: '@' }))?.wokenAt).toBeDefined();
  await stack.table().remove({ pk: 'STUCK', sk: '@' });
});

test('a row whose time to live has ended goes, days later and not at once', async () => {
  const now = stack.clock.now();
  const put = (sk: string, at: number) => stack.table().put({ pk: 'TTL', sk, ttl: Math.ceil(at / 1000) });
  await put('soon', now + HOUR);
  await put('late', now + 30 * DAY);
  const left = async () => (await rowsOf(stack, 'TTL')).map(({ sk }) => sk);
  await stack.clock.walkTo(now + 2 * HOUR);
  expect(await left()).toEqual(['late', 'soon']);
  await stack.clock.walkTo(now + 3 * DAY);
  expect(await left()).toEqual(['late']);
});

test('a port that is taken is said so', async () => {
  const port = Number(new URL(stack.url).port);
  await expect(startSmall({ port })).rejects.toThrow(`port ${port} is in use`);
});

test('a bundle that is missing or cannot be loaded stops the start, by name', async () => {
  const at = (path: string) =>
    startSmall({}, ({ Resources }) => ({
      Resources: { ...Resources, Door: { ...Resources.Door, Metadata: { 'aws:asset:path': path } } },
    }));
  await expect(at('nowhere')).rejects.toThrow(/no bundle for nowhere .*npm run build/);
  await expect(
    startSmall({}, ({ Resources }) => ({
      Resources: {
        ...Resources,
        Door: { ...Resources.Door, Properties: { ...Resources.Door.Properties, Handler: 'index.main' } },
      },
    })),
  ).rejects.toThrow('door: Error: index.main is undefined or not exported');
});

test('the clock never moves back, and says why it does not understand', async () => {
  const order = async (body: string) => {
    const reply = await ask('/_local/clock', { method: 'POST', body });
    return [reply.status, await reply.text()] as const;
  };
  expect((await order('{"to":"2020-01-01T00:00:00Z"}'))[1]).toContain('never moves back');
  for (const body of ['{"to":"2020-01-01T00:00:00Z"}', '{"to":"tomorrow"}', '{"advance":"soon"}', '{}', 'x'])
    expect((await order(body))[0]).toBe(400);
});

test('the ledger counts what a function asked for, to the unit, and nothing of the run itself', async () => {
  await stack.idle();
  await ask('/_local/ledger?reset=1');
  await send('x', 'y'.repeat(70_000));
  await stack.idle();
  const { stages, total } = stack.ledger();
  expect(Object.keys(stages)).toEqual(['door', 'taker']);
  expect(stages.door).toMatchObject({
    http: { requests: 1, units: 1, errors: 0 },
    lambda: { invocations: 1, errors: 0, memoryMb: 512 },
    // 70,001 bytes are two begun 64 KB.
    sqs: [
      {
        operation: 'SendMessageBatch',
        queue: 'small-messages',
        calls: 1,
        messages: 2,
        bytes: 70_001,
        requests: 2,
      },
    ],
    dynamodb: [],
  });
  expect(stages.taker).toMatchObject({
    lambda: { invocations: 1, errors: 0 },
    dynamodb: [
      { operation: 'PutItem', requests: 2, readUnits: 0, writeUnits: 2, indexWriteUnits: 0, errors: 0 },
    ],
  });
  // 70,001 bytes received with whatever was there, and one delete for both.
  const calls = stages.taker?.sqs.filter(({ operation }) => !operation.includes('empty'));
  expect(calls?.map(({ operation, messages, requests }) => [operation, messages, requests])).toEqual([
    ['ReceiveMessage', 2, 2],
    ['DeleteMessageBatch', 2, 1],
  ]);
  expect(total).toMatchObject({ httpRequests: 1, invocations: 2, sqsRequests: 5, writeUnits: 2 });
});

test('units of reads, writes and index entries are those of DynamoDB', async () => {
  const { environment } = await show('/show/x');
  const client = new DynamoDBClient({
    region: 'us-east-1',
    endpoint: environment.AWS_ENDPOINT_URL_DYNAMODB,
    credentials: { accessKeyId: 'somebody', secretAccessKey: 'b' },
  });
  stack.resetLedger();
  const put = (text: string, due?: string, condition?: string) =>
    client
      .send(
        new PutItemCommand({
          TableName: 'small-Table',
          Item: {
            pk: { S: 'P#1' },
            sk: { S: '@' },
            text: { S: text },
            ...(due && { w: { S: 'W#0' }, due: { S: due } }),
          },
          ConditionExpression: condition,
        }),
      )
      .catch(() => {});
  await put('x'.repeat(3000)); //                                         3 units
  await put('x', undefined, 'attribute_not_exists(pk)'); //               3 units, for what is there
  await put('x', '2030-01-01'); // the larger of both:                    3 units, 1 for the entry that appears
  await put('y', '2030-01-01'); //                                        1 unit, none for an entry that stays
  await put('z', '2030-01-02'); //                                        1 unit, 2 for an entry that moves
  await put('私'.repeat(500), '2030-01-02', 'attribute_not_exists(pk)'); // 2 units for nothing
  await put('z'); //                                                      1 unit, 1 for the entry that goes
  expect(stack.ledger().stages.somebody?.dynamodb).toMatchObject([
    {
      operation: 'PutItem',
      rows: 'P#@',
      requests: 7,
      writeUnits: 14,
      indexWriteUnits: 4,
      failedConditions: 2,
      errors: 0,
      units: { 1: 3, 2: 1, 3: 3 },
    },
  ]);
  expect(stack.ledger().total.dollars.dynamodb).toBeCloseTo((18 * 0.625) / 1_000_000, 12);
});
