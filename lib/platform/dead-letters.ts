import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { Queue } from './queue.ts';
import { type Message, openQueue } from './sqs.ts';

/** What a letter in our hands is removed and let go by. */
export interface Handle {
  readonly handle: string;
}

/** A dead letter in our hands: nobody else sees it until it is removed, let go, or its time is over. */
export interface DeadLetter extends Message, Handle {}

/** What a queue holds, as far as it knows: numbers that may be a minute old. */
export interface Held {
  readonly waiting: number;
  /** In somebody's hands. */
  readonly taken: number;
}

/** The dead letters of one queue. Everything here may be done again. */
export interface DeadLetters extends Queue {
  count(): Promise<Held>;
  /** Up to ten of them; none: there are no more that nobody has in hands. They stay hidden for `hiddenMs`, 12 hours at most. */
  take(hiddenMs: number): Promise<DeadLetter[]>;
  /** For good. */
  remove(letters: readonly Handle[]): Promise<void>;
  /** Lets others see them again, now or later. One whose time was over is seen already. */
  release(letters: readonly Handle[], hiddenMs?: number): Promise<void>;
}

/** What one batch call of SQS takes. */
const BATCH = 10;

/** Above zero SQS asks all of its servers, so that nothing there is nothing. */
const WAIT_SECONDS = 1;

/** The dead-letter queue behind an URL. */
export function openDeadLetters(url: string, client = new SQSClient({ maxAttempts: 5 })): DeadLetters {
  return {
    ...openQueue(url, client),

    async count() {
      const { Attributes: held = {} } = await client.send(
        new GetQueueAttributesCommand({
          QueueUrl: url,
          AttributeNames: [
            'ApproximateNumberOfMessages',
            'ApproximateNumberOfMessagesDelayed',
            'ApproximateNumberOfMessagesNotVisible',
          ],
        }),
      );
      const number = (name: keyof typeof held) => Number(held[name] ?? 0);
      return {
        waiting: number('ApproximateNumberOfMessages') + number('ApproximateNumberOfMessagesDelayed'),
        taken: number('ApproximateNumberOfMessagesNotVisible'),
      };
    },

    async take(hiddenMs) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl: url,
          MaxNumberOfMessages: BATCH,
          VisibilityTimeout: Math.ceil(hiddenMs / 1000),
          WaitTimeSeconds: WAIT_SECONDS,
        }),
      );
      return Messages.map(({ MessageId: id = '', Body: body = '', ReceiptHandle: handle = '' }) => ({
        ...{ id, body, handle },
      }));
    },

    async remove(letters) {
      for (const batch of batches(letters)) {
        const { Failed = [] } = await client.send(
          new DeleteMessageBatchCommand({
            QueueUrl: url,
            Entries: batch.map(({ handle }, i) => ({ Id: String(i), ReceiptHandle: handle })),
          }),
        );
        if (Failed.length > 0)
          throw new Error(`SQS did not remove ${Failed.length} messages: ${Failed[0]?.Code}`);
      }
    },

    async release(letters, hiddenMs = 0) {
      const VisibilityTimeout = Math.ceil(hiddenMs / 1000);
      for (const batch of batches(letters)) {
        await client.send(
          new ChangeMessageVisibilityBatchCommand({
            QueueUrl: url,
            Entries: batch.map(({ handle }, i) => ({
              ...{ Id: String(i), ReceiptHandle: handle, VisibilityTimeout },
            })),
          }),
        );
      }
    },
  };
}

function* batches<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let i = 0; i < all.length; i += BATCH) yield all.slice(i, i + BATCH);
}
