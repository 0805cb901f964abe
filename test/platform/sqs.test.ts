import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Message, openQueue, sqsHandler } from '../../lib/platform/sqs.ts';
import { embeddedSqs } from './embedded.ts';
import { queueContract } from './queue-contract.ts';

describe('with the embedded SQS', () => {
  let sqs: Awaited<ReturnType<typeof embeddedSqs>>;
  beforeAll(async () => {
    sqs = await embeddedSqs();
  });
  afterAll(() => sqs.stop());

  queueContract('the queue in SQS', async () => sqs.createQueue());
});

describe('when SQS takes only a part of a batch', () => {
  const url = 'https://sqs.cn-north-1.amazonaws.com.cn/1/events';
  /** An SQS that refuses what `refuses` says, and keeps the bodies that it took. */
  function sqsThatRefuses(refuses: (body: string, attempt: number) => boolean) {
    const client = new SQSClient({ region: 'cn-north-1' });
    const taken: string[] = [];
    const calls: string[][] = [];
    mockClient(client)
      .on(SendMessageBatchCommand)
      .callsFake(({ Entries = [] }: { Entries?: { Id: string; MessageBody: string }[] }) => {
        calls.push(Entries.map((entry) => entry.MessageBody));
        const refused = Entries.filter((entry) => refuses(entry.MessageBody, calls.length));
        taken.push(...Entries.filter((entry) => !refused.includes(entry)).map((entry) => entry.MessageBody));
        return {
          Successful: [],
          Failed: refused.map(({ Id }) => ({ Id, Code: 'InternalError', SenderFault: false })),
        };
      });
    return { queue: openQueue(url, client), taken, calls };
  }

  test('only what was refused is sent again, and each body arrives once', async () => {
    const { queue, taken, calls } = sqsThatRefuses(
      (body, attempt) => attempt === 1 && ['b', 'd'].includes(body),
    );
    await queue.send(['a', 'b', 'c', 'd']);
    expect(calls).toEqual([
      ['a', 'b', 'c', 'd'],
      ['b', 'd'],
    ]);
    expect(taken.toSorted()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('what is refused again and again is an error, so that the sender does not answer', async () => {
    const { queue, taken, calls } = sqsThatRefuses((body) => body === 'b');
    await expect(queue.send(['a', 'b'])).rejects.toThrow('SQS refused 1 messages: InternalError');
    expect(taken).toEqual(['a']);
    expect(calls).toHaveLength(5);
  });

  test('a batch has at most ten bodies and 256 KiB', async () => {
    const { queue, calls } = sqsThatRefuses(() => false);
    const big = '私'.repeat(40_000); // 120,000 bytes
    await queue.send([...Array.from({ length: 12 }, String), big, big, big]);
    expect(calls.map((bodies) => bodies.length)).toEqual([10, 4, 1]);
  });
});

describe('a handler of a batch', () => {
  const record = (messageId: string, body: string): SQSRecord => ({
    messageId,
    body,
    receiptHandle: '',
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: '0',
      SenderId: '',
      ApproximateFirstReceiveTimestamp: '0',
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: '',
    awsRegion: '',
  });
  const Records = [record('1', 'one'), record('2', 'two'), record('3', 'three')];

  test('is given the whole batch as ids and bodies', async () => {
    let given: Message[] = [];
    const handler = sqsHandler(
      () => ({}),
      async (messages) => {
        given = messages;
        return [];
      },
    );
    expect(await handler({ Records })).toEqual({ batchItemFailures: [] });
    expect(given).toEqual([
      { id: '1', body: 'one' },
      { id: '2', body: 'two' },
      { id: '3', body: 'three' },
    ]);
  });

  test('reports the messages that must come again and no others', async () => {
    const handler = sqsHandler(
      () => ({}),
      async () => ['1', '3'],
    );
    expect(await handler({ Records })).toEqual({
      batchItemFailures: [{ itemIdentifier: '1' }, { itemIdentifier: '3' }],
    });
  });

  test('fails as a whole when the work throws, so that every message comes again', async () => {
    const handler = sqsHandler(
      () => ({}),
      async () => {
        throw new Error('table is away');
      },
    );
    await expect(handler({ Records })).rejects.toThrow('table is away');
  });

  test('opens its dependencies on the first message, once', async () => {
    const open = vi.fn(() => ({ opened: true }));
    const seen: unknown[] = [];
    const handler = sqsHandler(open, async (_, deps) => {
      seen.push(deps);
      return [];
    });
    expect(open).not.toHaveBeenCalled();
    await handler({ Records });
    await handler({ Records });
    expect(open).toHaveBeenCalledOnce();
    expect(seen[0]).toBe(seen[1]);
  });

  test('tries to open again when opening failed', async () => {
    let attempts = 0;
    const handler = sqsHandler(
      () => {
        if (++attempts === 1) throw new Error('no table name');
        return {};
      },
      async () => [],
    );
    await expect(handler({ Records })).rejects.toThrow('no table name');
    expect(await handler({ Records })).toEqual({ batchItemFailures: [] });
  });
});
