import { createRequire } from 'node:module';
import type { AddressInfo, Server } from 'node:net';
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { startFauxqs } from 'fauxqs';
import { DUE_INDEX, openTable } from '../../lib/platform/dynamo.ts';
import { openQueue } from '../../lib/platform/sqs.ts';

// dynalite ships no types.
const dynalite: (options: { createTableMs: number }) => Server = createRequire(import.meta.url)('dynalite');

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const region = 'us-east-1';

/** An embedded DynamoDB, empty: each table that it opens is new. */
export async function embeddedDynamo() {
  const server = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const client = new DynamoDBClient({ endpoint: `http://127.0.0.1:${portOf(address)}`, region, credentials });
  let tables = 0;
  return {
    client,
    /** Creates a table with the keys and the index that the brand's table has. */
    async createTable() {
      const name = `table-${++tables}`;
      await client.send(
        new CreateTableCommand({
          TableName: name,
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: ['pk', 'sk', 'w', 'due'].map((AttributeName) => ({
            AttributeName,
            AttributeType: 'S',
          })),
          KeySchema: [
            { AttributeName: 'pk', KeyType: 'HASH' },
            { AttributeName: 'sk', KeyType: 'RANGE' },
          ],
          GlobalSecondaryIndexes: [
            {
              IndexName: DUE_INDEX,
              KeySchema: [
                { AttributeName: 'w', KeyType: 'HASH' },
                { AttributeName: 'due', KeyType: 'RANGE' },
              ],
              Projection: { ProjectionType: 'KEYS_ONLY' },
            },
          ],
        }),
      );
      const status = async () =>
        (await client.send(new DescribeTableCommand({ TableName: name }))).Table?.TableStatus;
      while ((await status()) !== 'ACTIVE');
      return openTable(name, client);
    },
    async stop() {
      client.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function portOf(address: string | AddressInfo | null): number {
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return address.port;
}

/** An embedded SQS: each queue that it opens is new. */
export async function embeddedSqs() {
  const server = await startFauxqs({ port: 0, logger: false });
  const client = new SQSClient({ endpoint: `http://127.0.0.1:${server.port}`, region, credentials });
  let queues = 0;
  return {
    client,
    createQueue() {
      const name = `queue-${++queues}`;
      server.createQueue(name);
      const url = `http://127.0.0.1:${server.port}/000000000000/${name}`;
      return {
        url,
        queue: openQueue(url, client),
        /** Bodies that wait, oldest first. */
        bodies: () => (server.inspectQueue(name)?.messages.ready ?? []).map((message) => message.body),
      };
    },
    async stop() {
      client.destroy();
      await server.stop();
    },
  };
}
