// The embedded DynamoDB: dynalite in this process, in memory or in a folder, or whatever endpoint is asked for.
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import {
  CreateTableCommand,
  DynamoDBClient,
  ResourceInUseException,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { portOf } from './listen.ts';
import type { TablePlan } from './plan.ts';

export interface Reply {
  readonly status: number;
  readonly body: string;
}

export interface DynamoEngine {
  /** One call as the wire has it. @param target such as `DynamoDB_20120810.GetItem` */
  send(target: string, body: string): Promise<Reply>;
  /** A client that no ledger sees: the run's own. */
  readonly client: DynamoDBClient;
  stop(): Promise<void>;
}

export interface DynamoPlace {
  /** The folder that keeps the tables; in memory without one. */
  readonly path?: string;
  /** Another DynamoDB in place of the embedded one. */
  readonly endpoint?: string;
  readonly region: string;
}

/** dynalite wants a request signed but checks no signature. */
const authorization =
  'AWS4-HMAC-SHA256 Credential=run/20200101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0';
const headersOf = (target: string) => ({
  authorization,
  'content-type': 'application/x-amz-json-1.0',
  'x-amz-date': '20200101T000000Z',
  'x-amz-target': target,
});

/** Starts the engine; tables come with `createTables`. */
export async function startDynamoDB({ path, endpoint, region }: DynamoPlace): Promise<DynamoEngine> {
  const credentials = { accessKeyId: 'run', secretAccessKey: 'run' };
  if (endpoint !== undefined) {
    const client = new DynamoDBClient({ endpoint, region, credentials });
    return {
      client,
      async send(target, body) {
        const reply = await fetch(endpoint, { method: 'POST', headers: headersOf(target), body });
        return { status: reply.status, body: await reply.text() };
      },
      async stop() {
        client.destroy();
      },
    };
  }

  if (path !== undefined) mkdirSync(path, { recursive: true });
  // dynalite is CommonJS without types: a function that makes an http.Server.
  const dynalite: (options: object) => Server = createRequire(import.meta.url)('dynalite');
  const server = dynalite({ path, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${portOf(server)}`,
    region,
    credentials,
  });
  const calls = new Set<Promise<Reply>>();
  let stopping = false;
  return {
    client,
    send(target, body) {
      if (stopping) return Promise.reject(new Error('the run is stopping'));
      const call = callInProcess(server, target, body);
      calls.add(call);
      void call.then(() => calls.delete(call));
      return call;
    },
    async stop() {
      // What the engine has begun when its database closes ends the process: functions may have been cut off in the midst.
      stopping = true;
      await Promise.all(calls);
      client.destroy();
      server.closeAllConnections();
      await new Promise<void>((done, fail) => {
        server.close((error) => (error ? fail(error) : done()));
      });
    },
  };
}

/** Hands a request to the server's own listener: the ledger stands in front, and a second socket would double the cost. */
function callInProcess(server: Server, target: string, body: string): Promise<Reply> {
  return new Promise((done) => {
    const request = Object.assign(Readable.from([Buffer.from(body)]), {
      method: 'POST',
      url: '/',
      headers: headersOf(target),
    });
    const response = {
      statusCode: 200,
      setHeader() {},
      end(text = '') {
        done({ status: response.statusCode, body: String(text) });
      },
    };
    server.emit('request', request, response);
  });
}

/** Creates the plan's tables; one that is kept from an earlier run stays as it is. */
export async function createTables(
  { client }: Pick<DynamoEngine, 'client'>,
  tables: readonly TablePlan[],
): Promise<void> {
  for (const { name, hash, range, types, indexes } of tables) {
    const schema = (keys: { hash: string; range?: string }) => [
      { AttributeName: keys.hash, KeyType: 'HASH' as const },
      ...(keys.range === undefined ? [] : [{ AttributeName: keys.range, KeyType: 'RANGE' as const }]),
    ];
    try {
      await client.send(
        new CreateTableCommand({
          TableName: name,
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: Object.entries(types).map(([AttributeName, AttributeType]) => ({
            AttributeName,
            AttributeType,
          })),
          KeySchema: schema({ hash, range }),
          GlobalSecondaryIndexes:
            indexes.length === 0
              ? undefined
              : indexes.map((index) => ({
                  IndexName: index.name,
                  KeySchema: schema(index),
                  Projection: projection(index.attributes, [hash, range, index.hash, index.range]),
                })),
        }),
      );
    } catch (error) {
      if (!(error instanceof ResourceInUseException)) throw error;
    }
    await waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 1, maxDelay: 1 }, { TableName: name });
  }
}

function projection(attributes: readonly string[] | undefined, keys: readonly (string | undefined)[]) {
  if (!attributes) return { ProjectionType: 'ALL' as const };
  const others = attributes.filter((name) => !keys.includes(name));
  return others.length === 0
    ? { ProjectionType: 'KEYS_ONLY' as const }
    : { ProjectionType: 'INCLUDE' as const, NonKeyAttributes: others };
}
