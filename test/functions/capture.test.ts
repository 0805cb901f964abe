import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { build } from 'esbuild';
import { startFauxqs } from 'fauxqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { env } from '../../functions/capture.ts';
import { bundleOptions } from '../../infra/build.ts';
import { type SentRequest, sendGeneric, sendTracking } from '../../lib/channels/sign.ts';
import { eventsMessage } from '../../lib/events/event.ts';
import { aBrand, teahouse, toLambda } from '../channels/captured.ts';

// The function as it is deployed: its own bundle with the brand beside it, SQS and Secrets Manager by their protocols.

type Handler = (event: APIGatewayProxyEventV2, context: object) => Promise<APIGatewayProxyStructuredResultV2>;

let handler: Handler;
let received: () => Promise<string[]>;
const closing: (() => unknown)[] = [];
const asked: string[] = [];

const secrets: Record<string, unknown> = {
  'siyu/qinghe/pos': { keys: [teahouse.whsec] },
  'siyu/qinghe/web': { writeKey: teahouse.webKey },
  'siyu/qinghe/server': { writeKey: teahouse.serverKey },
};

beforeAll(async () => {
  const queues = await startFauxqs({ port: 0, logger: false });
  const vault = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const { SecretId } = z
      .object({ SecretId: z.string() })
      .parse(JSON.parse(Buffer.concat(parts).toString()));
    asked.push(SecretId);
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    response.end(JSON.stringify({ Name: SecretId, SecretString: JSON.stringify(secrets[SecretId]) }));
  });
  await new Promise<void>((resolve) => vault.listen(0, '127.0.0.1', resolve));
  const address = vault.address();
  const endpoint = `http://127.0.0.1:${queues.port}`;
  const client = new SQSClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: 'events' }));
  const url = new URL(QueueUrl);
  url.host = new URL(endpoint).host;

  const dir = await mkdtemp(join(tmpdir(), 'capture-'));
  const { outputFiles } = await build({
    ...bundleOptions,
    entryPoints: ['functions/capture.ts'],
    outfile: join(dir, 'index.mjs'),
  });
  for (const { path, contents } of outputFiles) await writeFile(path, contents);
  await writeFile(join(dir, 'brand.json'), JSON.stringify(aBrand()));
  Object.assign(process.env, {
    EVENTS_URL: url.href,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_SQS: endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
  });
  const bundle: { handler: Handler } = await import(pathToFileURL(join(dir, 'index.mjs')).href);
  handler = bundle.handler;
  received = async () => {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({ QueueUrl: url.href, MaxNumberOfMessages: 10 }),
    );
    return Messages.map(({ Body = '' }) => Body);
  };
  closing.push(
    () => rm(dir, { recursive: true }),
    () => vault.close(),
    () => client.destroy(),
    () => queues.stop(),
  );
});

afterAll(async () => {
  for (const close of closing) await close();
});

const send = (request: SentRequest) => handler(toLambda(request), {});
const order = {
  type: 'order.paid',
  data: { order_id: 'o1', amount: 26800, currency: 'CNY', member_id: 'M1' },
};

test('a signed order is on the queue when its sender has the answer', async () => {
  const reply = await send(sendGeneric('pos', JSON.stringify(order), teahouse.whsec, 'msg_1', Date.now()));
  expect(reply).toMatchObject({ statusCode: 200, headers: { 'x-content-type-options': 'nosniff' } });
  const [body = '', ...more] = await received();
  expect(more).toEqual([]);
  expect(eventsMessage.parse(JSON.parse(body)).events).toMatchObject([
    { type: 'order_paid', properties: { paid_amount: 26800 } },
  ]);
});

test('a write key finds its account among all', async () => {
  const call = JSON.stringify({
    event: 'x',
    userId: 'M1',
    messageId: 'm',
    timestamp: new Date().toISOString(),
  });
  expect((await send(sendTracking('track', call, teahouse.serverKey))).body).toBe('{"success":true}');
  const [body = ''] = await received();
  expect(eventsMessage.parse(JSON.parse(body)).events).toMatchObject([{ source: { account: 'server' } }]);
});

test('a forged request is refused, and nothing is queued but that it was', async () => {
  const forged = sendGeneric(
    'pos',
    JSON.stringify(order),
    `whsec_${Buffer.alloc(32).toString('base64')}`,
    'msg_2',
    Date.now(),
  );
  expect((await send(forged)).statusCode).toBe(401);
  const [body = '', ...more] = await received();
  expect(more).toEqual([]);
  expect(eventsMessage.parse(JSON.parse(body))).toMatchObject({
    events: [],
    faults: [],
    tally: { source: { channel: 'generic', account: 'pos' }, refused: 'bad_signature' },
  });
});

test('a secret is fetched once, not for each request', () => {
  expect(asked.toSorted()).toEqual(['siyu/qinghe/pos', 'siyu/qinghe/server', 'siyu/qinghe/web']);
});

test('it asks of its environment where events go, and hints where the brand asks vendors, and nothing else', () => {
  expect(Object.keys(env.shape)).toEqual(['EVENTS_URL', 'HINTS_URL']);
  expect(env.safeParse({ EVENTS_URL: 'https://queue' }).success).toBe(true);
});
