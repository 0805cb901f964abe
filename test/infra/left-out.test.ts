// Scope: bundles do what the packages do, though they hold less of them. A server that answers as AWS does, and the
// same calls from the source and from the bundle.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { buildFunctions } from '../../infra/build.ts';
import { functions, methods } from '../../lib/tags/language.ts';
import * as source from './fixtures/probe.ts';
import { tried } from './fixtures/rules.ts';

const run = promisify(execFile);
type Probe = Pick<typeof source, 'calls' | 'gone'>;

let to: string;
let bundled: Probe;
let server: Server;
let origin: string;
/** Every request, without what differs from one to the next: time, signature, number and the SDK's word of itself. */
let seen: { headers: Record<string, unknown>; region: string | undefined; body: string }[] = [];
let agents: string[] = [];
/** How a request is answered: by the name of the table, queue or secret that it is about. */
let reply: (about: string, response: ServerResponse) => void;

const asked = z.union([
  z.object({ TableName: z.string() }).transform((it) => it.TableName),
  z.object({ QueueUrl: z.string() }).transform((it) => it.QueueUrl.split('/').at(-1) ?? ''),
  z.object({ SecretId: z.string() }).transform((it) => it.SecretId),
]);

beforeAll(async () => {
  to = await mkdtemp(join(tmpdir(), 'siyu-left-out-'));
  await buildFunctions({ from: join(import.meta.dirname, 'fixtures'), to });
  bundled = await import(pathToFileURL(join(to, 'probe', 'index.mjs')).href);
  server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts).toString();
    const { authorization, ...headers } = request.headers;
    agents.push(String(headers['user-agent']));
    for (const own of ['x-amz-date', 'amz-sdk-invocation-id', 'user-agent', 'x-amz-user-agent'])
      delete headers[own];
    seen.push({ headers, region: authorization?.split('/')[2], body });
    response.setHeader('x-amzn-requestid', 'r1');
    reply(asked.parse(JSON.parse(body)), response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  Object.assign(process.env, {
    AWS_REGION: 'cn-north-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL: origin,
  });
});
afterAll(async () => {
  server.close();
  await rm(to, { recursive: true, force: true });
});
beforeEach(() => {
  seen = [];
  agents = [];
});

/** What is left to see of a refusal, once the SDK is through with it. */
async function outcome(call: Promise<unknown>): Promise<object> {
  const before = seen.length;
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const { name, message, $fault, $metadata } = z
    .object({
      name: z.string(),
      message: z.string(),
      $fault: z.string().optional(),
      $metadata: z.object({ httpStatusCode: z.int(), attempts: z.int(), requestId: z.string() }).optional(),
    })
    .parse(
      Object.assign(
        { name: undefined },
        error,
        error instanceof Error && { name: error.name, message: error.message },
      ),
    );
  return { name, message, $fault, $metadata, requests: seen.length - before };
}

async function both(call: (calls: Probe['calls']) => Promise<unknown>): Promise<[object, object]> {
  return [await outcome(call(source.calls)), await outcome(call(bundled.calls))];
}

test('a call is the same, byte for byte, and so is what comes of it', async () => {
  reply = (about, response) => {
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
    const answers: Record<string, object> = {
      t: {
        Item: {
          pk: { S: 'p' },
          sk: { S: 's' },
          n: { N: '1.5' },
          b: { B: 'AQI=' },
          l: { L: [{ NULL: true }] },
        },
      },
      q: { Successful: [{ Id: '0', MessageId: 'm', MD5OfMessageBody: '841a2d689ad86bd1611447453c22c6fc' }] },
      s: { Name: 's', SecretString: '{"key":"k"}', CreatedDate: 1_760_000_000.5 },
    };
    response.end(JSON.stringify(answers[about]));
  };
  const all = async ({ put, get, send, read }: Probe['calls']) => [
    await put('t'),
    await get('t'),
    await send(`${origin}/1/q`),
    await read('s'),
  ];
  const before = await all(source.calls);
  const sent = seen.splice(0);
  expect(await all(bundled.calls)).toEqual(before);
  expect(before.slice(1)).toEqual([
    { pk: 'p', sk: 's', n: 1.5, b: new Uint8Array([1, 2]), l: [null] },
    undefined,
    { key: 'k' },
  ]);
  expect(seen).toEqual(sent);
  expect(agents.slice(-1)[0]).toMatch(/^aws-sdk-js\/3\.\d+\.\d+ .*secrets-manager#3\./); // its version is what is kept
  expect(sent.map(({ headers, region }) => [headers['x-amz-target'], region])).toEqual([
    ['DynamoDB_20120810.PutItem', 'cn-north-1'],
    ['DynamoDB_20120810.GetItem', 'cn-north-1'],
    ['AmazonSQS.SendMessageBatch', 'cn-north-1'],
    ['secretsmanager.GetSecretValue', 'cn-north-1'],
  ]);
});

test('a queue that answers with another hash than the message has is not believed', async () => {
  reply = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(
      JSON.stringify({ Successful: [{ Id: '0', MessageId: 'm', MD5OfMessageBody: '0'.repeat(32) }] }),
    );
  };
  const [before, after] = await both((calls) => calls.send(`${origin}/1/q`));
  expect(after).toEqual(before);
  expect(after).toMatchObject({ message: expect.stringContaining('MD5') });
});

test('the files of a developer change nothing', async () => {
  const config = join(to, 'config');
  await writeFile(config, '[default]\nregion = us-east-1\nendpoint_url = http://127.0.0.1:1\n');
  const { stdout } = await run(
    process.execPath,
    [
      '-e',
      'import(process.argv[1]).then((m) => m.calls.get("t")).catch((error) => console.log(error.message))',
      join(to, 'probe', 'index.mjs'),
    ],
    {
      env: { AWS_CONFIG_FILE: config, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
      cwd: tmpdir(),
    },
  );
  expect(stdout.trim()).toBe('Region is missing');
});

test('what is left out says so when it is asked for', () => {
  expect(() => bundled.gone.email()).toThrow('z.string() with a format as method is left out of bundles');
  expect(() => bundled.gone.document()).toThrow('json-schema-processors.js is left out of bundles');
});

describe('rules are the same language in a bundle', () => {
  const traits = {
    name: ' Li Na ',
    level: '7',
    born: '1990-05-17T00:00:00Z',
    points: 12.5,
    likes: ['tea', 'silk'],
  };
  const holding = [
    'hasTrait("name") && events("order_paid").where(e, has(e.amount)).count() == 0',
    'size(trait("likes")) == 2 && trait("name").size() == 7',
    'int(trait("level")) + int(2.9) == 9',
    'double(trait("level")) / 2.0 == 3.5 && double(7) == 7.0',
    'string(1) + string(1.5) + string(true) + string("x") == "11.5truex"',
    'timestamp("2026-01-01T00:00:00Z") > timestamp(trait("born")) + duration("24h")',
    'timestamp("2026-01-02T00:00:00Z") - timestamp("2026-01-01T00:00:00Z") == duration("24h")',
    'timestamp(0) < timestamp("2026-01-01T00:00:00Z")',
    'trait("name").contains("Li") && trait("name").trim().startsWith("Li") && trait("name").trim().endsWith("Na")',
    'trait("name").lowerAscii().contains("na") && trait("name").upperAscii().contains("NA")',
    'trait("name").trim().matches("^Li N.$")',
    'trait("likes").all(x, x.size() > 2) && trait("likes").exists(x, x == "tea")',
    'trait("likes").exists_one(x, x == "silk")',
    'trait("likes").filter(x, x == "tea").size() == 1 && trait("likes").map(x, x + "!")[0] == "tea!"',
    'kOf(2, [true, trait("points") > 12.0, false])',
    'ratio(1, 4) == 0.25',
    '"tea" in trait("likes") && 5 % 3 == 2 && -1 < 0 && (1 > 2 ? false : true)',
  ];
  const wrong = [
    'double(trait("name")) > 0.0',
    'int("12x") == 12',
    'bool("true")',
    'trait("name").split(" ").size() == 2',
    'trait("name").substring(1) == "x"',
    'timestamp(trait("born")).getHours() == 0',
    'bytes("a") == b"a"',
    'uint(1) == 1u',
    'duration("x") == duration("1h")',
    'trait("name") > 3',
  ];

  test('what holds holds, what is refused is refused in the same words', async () => {
    const { tried: inBundle }: { tried: typeof tried } = await import(
      pathToFileURL(join(to, 'rules', 'index.mjs')).href
    );
    const before = tried([...holding, ...wrong], traits);
    expect(before.slice(0, holding.length)).toEqual(holding.map(() => true));
    expect(before.slice(holding.length)).not.toContain(true);
    expect(inBundle([...holding, ...wrong], traits)).toEqual(before);
  });

  test('every function of the language is tried', () => {
    const words = new Set(holding.join(' ').split(/\W+/));
    const inEvents = new Set(['weekday', 'hour']); // of our own, and read by ours alone
    expect([...functions, ...methods].filter((name) => !words.has(name) && !inEvents.has(name))).toEqual([]);
  });
});

describe('a refusal has the same name, words, status and number of attempts', () => {
  test.each([
    ['ConditionalCheckFailedException', 400, 1],
    ['InternalServerError', 500, 2],
    ['InvalidEndpointException', 421, 1],
    ['ItemCollectionSizeLimitExceededException', 400, 1],
    ['ProvisionedThroughputExceededException', 400, 2],
    ['ReplicatedWriteConflictException', 400, 2],
    ['RequestLimitExceeded', 400, 2],
    ['ResourceNotFoundException', 400, 1],
    ['ThrottlingException', 400, 2],
    ['TransactionConflictException', 400, 1],
    ['ValidationException', 400, 1],
    ['AccessDeniedException', 400, 1],
    ['ServiceUnavailable', 503, 2],
  ])('of the table: %s', async (name, status, attempts) => {
    reply = (_, response) => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(
        JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: `it is ${name}` }),
      );
    };
    const [before, after] = await both((calls) => calls.put('t'));
    expect(after).toEqual(before);
    expect(after).toMatchObject({ requests: attempts });
  });

  test.each([
    ['BatchEntryIdsNotDistinct', 'AWS.SimpleQueueService.BatchEntryIdsNotDistinct', 400, 1],
    ['BatchRequestTooLong', 'AWS.SimpleQueueService.BatchRequestTooLong', 400, 1],
    ['InvalidAddress', 'InvalidAddress', 404, 1],
    ['InvalidSecurity', 'InvalidSecurity', 403, 1],
    ['KmsDisabled', 'KMS.DisabledException', 400, 1],
    ['KmsThrottled', 'KMS.ThrottlingException', 400, 1],
    ['QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue', 400, 1],
    ['RequestThrottled', 'RequestThrottled', 403, 2],
    ['TooManyEntriesInBatchRequest', 'AWS.SimpleQueueService.TooManyEntriesInBatchRequest', 400, 1],
    ['UnsupportedOperation', 'AWS.SimpleQueueService.UnsupportedOperation', 400, 1],
    ['ThrottlingException', 'ThrottlingException', 400, 2],
    ['InternalFailure', 'InternalFailure', 500, 2],
  ])('of the queue: %s', async (name, code, status, attempts) => {
    reply = (_, response) => {
      response.writeHead(status, {
        'content-type': 'application/x-amz-json-1.0',
        'x-amzn-query-error': `${code};${status < 500 ? 'Sender' : 'Receiver'}`,
      });
      response.end(JSON.stringify({ __type: `com.amazonaws.sqs#${name}`, message: `it is ${name}` }));
    };
    const [before, after] = await both((calls) => calls.send(`${origin}/1/q`));
    expect(after).toEqual(before);
    expect(after).toMatchObject({ requests: attempts });
  });

  test.each([
    ['DecryptionFailure', 400, 1],
    ['InternalServiceError', 500, 2],
    ['InvalidRequestException', 400, 1],
    ['ResourceNotFoundException', 400, 1],
    ['ThrottlingException', 400, 2],
  ])('of the secrets: %s', async (name, status, attempts) => {
    reply = (_, response) => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify({ __type: name, Message: `it is ${name}` }));
    };
    const [before, after] = await both((calls) => calls.read('s'));
    expect(after).toEqual(before);
    expect(after).toMatchObject({ requests: attempts });
  });
});
