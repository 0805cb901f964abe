import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { openOnce } from './open-once.ts';
import type { Queue } from './queue.ts';
import { sendable } from './sendable.ts';

/** What one batch call of SQS takes: entries, and bytes together. */
const BATCH = 10;
const BATCH_BYTES = 256 * 1024;
/** The largest body that is sent: leaves room for the protocol under SQS's classic 256 KiB. */
export const MESSAGE_BYTES = 240 * 1024;

/** The queue behind an URL. Bodies are JSON. */
export function openQueue(url: string, client = new SQSClient({ maxAttempts: 5 })): Queue {
  return {
    async send(bodies) {
      for (let batch of batches(bodies.map(sendable))) {
        for (let attempt = 0; batch.length > 0; attempt++) {
          const reply = await client.send(
            new SendMessageBatchCommand({
              QueueUrl: url,
              Entries: batch.map((body, i) => ({ Id: String(i), MessageBody: body })),
            }),
          );
          const failed = reply.Failed ?? [];
          if (failed.length > 0 && attempt === 4)
            throw new Error(`SQS refused ${failed.length} messages: ${failed[0]?.Code}`);
          batch = failed.map((entry) => batch[Number(entry.Id)]!);
        }
      }
    },
  };
}

function* batches(bodies: readonly string[]): Generator<string[]> {
  let batch: string[] = [];
  let bytes = 0;
  for (const body of bodies) {
    const size = Buffer.byteLength(body);
    if (batch.length > 0 && (batch.length === BATCH || bytes + size > BATCH_BYTES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(body);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

/** A message as it came, before anybody has looked into it. */
export interface Message {
  readonly id: string;
  readonly body: string;
}

/**
 * A Lambda handler for a whole SQS batch. `on` returns the ids of the messages that must come again; if it throws,
 * all of them do. Dependencies are opened on the first call, not on import.
 */
export function sqsHandler<Deps>(
  open: () => Deps | Promise<Deps>,
  on: (messages: Message[], deps: Deps) => Promise<readonly string[]>,
) {
  const opened = openOnce(open);
  return async (event: SQSEvent): Promise<SQSBatchResponse> =>
    batchOf(await on(event.Records.map(message), await opened()));
}

/** The same for a function that a schedule calls too: `tick` is what it does then. */
export function sqsAndClockHandler<Deps, Done>(
  open: () => Deps | Promise<Deps>,
  on: (messages: Message[], deps: Deps) => Promise<readonly string[]>,
  tick: (deps: Deps) => Promise<Done>,
) {
  const opened = openOnce(open);
  return async (event: Partial<SQSEvent>): Promise<SQSBatchResponse | Done> =>
    event.Records ? batchOf(await on(event.Records.map(message), await opened())) : tick(await opened());
}

const batchOf = (failed: readonly string[]): SQSBatchResponse => ({
  batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })),
});

const message = (record: SQSRecord): Message => ({ id: record.messageId, body: record.body });
