// A function behind HTTP: shows what it was given, sends messages, takes too long, breaks.
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';

const sqs = new SQSClient({});
let requests = 0;

export async function handler(event, context) {
  requests += 1;
  const { what } = event.pathParameters ?? {};
  if (event.routeKey === 'POST /send') {
    const bodies = JSON.parse(event.body);
    await sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: process.env.QUEUE_URL,
        Entries: bodies.map((MessageBody, i) => ({ Id: String(i), MessageBody })),
      }),
    );
    return { statusCode: 202, headers: { 'X-Sent': bodies.length }, cookies: ['a=1', 'b=2'] };
  }
  if (what === 'sleep') await new Promise((done) => setTimeout(done, 5_000));
  if (what === 'break') throw new TypeError('broken on purpose');
  if (what === 'exit') process.exit(3);
  if (what === 'bytes')
    return { statusCode: 200, body: Buffer.from([0, 255, 1]).toString('base64'), isBase64Encoded: true };
  return {
    event,
    requests,
    environment: process.env,
    now: new Date().toISOString(),
    isDate: new Date() instanceof Date && new Date().constructor === Date,
    remaining: context.getRemainingTimeInMillis(),
  };
}
