// A function behind a queue: puts a row for each message; what says "poison" fails, and only that.
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';

const dynamodb = new DynamoDBClient({});

export async function handler({ Records }) {
  const batchItemFailures = [];
  for (const { messageId, body, attributes } of Records) {
    await dynamodb.send(
      new PutItemCommand({
        TableName: process.env.TABLE_NAME,
        Item: {
          pk: { S: 'TRY' },
          sk: { S: `${body.slice(0, 20)}#${attributes.ApproximateReceiveCount}` },
          batch: { N: String(Records.length) },
        },
      }),
    );
    if (body === 'poison') batchItemFailures.push({ itemIdentifier: messageId });
  }
  return { batchItemFailures };
}
