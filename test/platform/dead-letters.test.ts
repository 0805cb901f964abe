// Scope: dead letters behind their interface: in memory for tests, and in SQS.
import { DeleteMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDeadLetters } from '../../lib/platform/dead-letters.ts';
import { deadLettersContract } from './dead-letters-contract.ts';
import { embeddedSqs } from './embedded.ts';
import { memoryLetters } from './memory-letters.ts';
import { queueContract } from './queue-contract.ts';

deadLettersContract('dead letters in memory', async () => memoryLetters());

describe('with the embedded SQS', () => {
  let sqs: Awaited<ReturnType<typeof embeddedSqs>>;
  beforeAll(async () => {
    sqs = await embeddedSqs();
  });
  afterAll(() => sqs.stop());

  deadLettersContract('dead letters in SQS', async () => openDeadLetters(sqs.createQueue().url, sqs.client));
  queueContract('a dead-letter queue in SQS', async () => {
    const { url, bodies } = sqs.createQueue();
    return { queue: openDeadLetters(url, sqs.client), bodies };
  });
});

test('what SQS does not remove is an error: it would come again after what is left of it', async () => {
  const client = new SQSClient({ region: 'cn-north-1' });
  mockClient(client)
    .on(DeleteMessageBatchCommand)
    .resolves({ Successful: [], Failed: [{ Id: '0', Code: 'InternalError', SenderFault: false }] });
  const letters = openDeadLetters('https://sqs.cn-north-1.amazonaws.com.cn/1/dead', client);
  await expect(letters.remove([{ handle: 'h' }])).rejects.toThrow(
    'SQS did not remove 1 messages: InternalError',
  );
});
