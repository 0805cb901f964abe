// A function behind a schedule: takes what is due out of the index and notes when it did.
import { DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';

const dynamodb = new DynamoDBClient({});
const TableName = process.env.TABLE_NAME;

export async function handler() {
  const now = new Date().toISOString();
  await count(now);
  for (const shard of ['W#0', 'W#1', 'W#2', 'W#3']) {
    const { Items = [] } = await dynamodb.send(
      new QueryCommand({
        TableName,
        IndexName: 'due',
        KeyConditionExpression: 'w = :w AND due <= :now',
        ExpressionAttributeValues: { ':w': { S: shard }, ':now': { S: now } },
      }),
    );
    for (const { pk, sk, due } of Items) {
      if (pk.S === 'STUCK') continue;
      await dynamodb.send(new PutItemCommand({ TableName, Item: { pk, sk, due, wokenAt: { S: now } } }));
    }
  }
}

async function count(now) {
  const Key = { pk: { S: 'TICKS' }, sk: { S: '@' } };
  const { Item } = await dynamodb.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
  const ticks = { L: [...(Item?.ticks.L ?? []), { S: now }] };
  await dynamodb.send(new PutItemCommand({ TableName, Item: { ...Key, ticks } }));
}
