// Scope: the handler as it is deployed, with its variables, over the protocols of SQS, DynamoDB and Secrets Manager.
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { env, handler } from '../../functions/sweep.ts';
import { identityKey } from '../../lib/identity/key.ts';
import { toIso } from '../../lib/platform/clock.ts';
import { openDeadLetters } from '../../lib/platform/dead-letters.ts';
import type { Table } from '../../lib/platform/table.ts';
import { bury } from '../../lib/privacy/bury.ts';
import { embeddedDynamo, embeddedSqs } from '../platform/embedded.ts';
import { message, visit } from '../privacy/a-sweep.ts';
import { anId } from '../profile/a-profile.ts';

const secret = { key: 'a secret that is long enough for tests' };
let sqs: Awaited<ReturnType<typeof embeddedSqs>>;
let dynamo: Awaited<ReturnType<typeof embeddedDynamo>>;
let table: Table;
const vault = createServer((_, response) => {
  response.setHeader('content-type', 'application/x-amz-json-1.1');
  response.end(JSON.stringify({ Name: 'identity', SecretString: JSON.stringify(secret) }));
});
const dead = new Map<string, string>();

beforeAll(async () => {
  sqs = await embeddedSqs();
  dynamo = await embeddedDynamo();
  table = await dynamo.createTable();
  await dynamo.createTable();
  await new Promise<void>((resolve) => vault.listen(0, '127.0.0.1', resolve));
  const address = vault.address();
  if (address === null || typeof address === 'string') throw new Error('the vault does not listen');
  const { hostname, port } = (await dynamo.client.config.endpoint?.()) ?? { hostname: '', port: 0 };
  for (const name of Object.keys(env.shape)) if (name.endsWith('_URL')) dead.set(name, sqs.createQueue().url);
  const given = {
    ...{ AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
    AWS_ENDPOINT_URL_DYNAMODB: `http://${hostname}:${port}`,
    AWS_ENDPOINT_URL_SQS: new URL(dead.get('EVENTS_DEAD_URL') ?? '').origin,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${address.port}`,
    ...{ TABLE_NAME: 'table-1', KEYS_TABLE: 'table-2', IDENTITY_SECRET: 'identity' },
    ...Object.fromEntries(dead),
  };
  for (const [name, value] of Object.entries(given)) vi.stubEnv(name, value);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await sqs.stop();
  await dynamo.stop();
  await new Promise<void>((resolve) => vault.close(() => resolve()));
});

test('a tick takes an erased person’s events out of dead letters; the next finds nothing to do', async () => {
  const protector = await identityKey({ get: async () => secret }, 'identity');
  const id = protector.protect(anId('phone:+8613800138000'));
  await bury([{ ...id, digest: protector.digest(id) }], toIso(Date.now()), 'cluster', table);
  const letters = openDeadLetters(dead.get('EVENTS_DEAD_URL') ?? '', sqs.client);
  const other = visit('other', ['member_id:wang-7']);
  await letters.send([message([visit('gone', ['phone:+8613800138000']), other]), message([other])]);
  expect(await handler()).toEqual({ looked: 3, changed: 1, whole: true });
  const left = await letters.take(1_000);
  expect(left.map(({ body }) => body)).toEqual([message([other]), message([other])]);
  expect(await handler()).toBeUndefined();
});
