// What Lambda does for a queue: one receiver that gathers batches, calls the function and deletes what succeeded.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs';
import { z } from 'zod';
import type { VirtualClock } from './clock.ts';
import type { Result } from './functions.ts';
import type { Ledger } from './ledger.ts';
import type { QueuePlan, SourcePlan } from './plan.ts';
import { ACCOUNT, type SqsEngine } from './sqs.ts';

export interface SourcePlace {
  readonly engine: SqsEngine;
  readonly queue: QueuePlan;
  readonly region: string;
  /** Who consumes: the name in the ledger. */
  readonly consumer: string;
  readonly invoke: (event: unknown) => Promise<Result>;
  readonly clock: VirtualClock;
  readonly ledger: Pick<Ledger, 'sqs'>;
  readonly log: (line: string) => void;
}

export interface Source {
  readonly queue: QueuePlan;
  /** How many messages failed and wait, invisible, for their next attempt. */
  waiting(): number;
  /** When the first of them may be received again, by the run's clock. */
  nextRetry(): number | undefined;
  /** Ends the wait of those that are over it by `now`. */
  retry(now: number): Promise<void>;
  /** Stops receiving and waits for the batch in hand. */
  stop(): Promise<void>;
}

/** What one call of SQS takes, what one invocation of Lambda takes. */
const CALL = 10;
const PAYLOAD = 6 * 1024 * 1024;
/** How often a batch that fills up looks whether it is full. */
const LOOK_MS = 25;

const failures = z
  .object({ batchItemFailures: z.array(z.object({ itemIdentifier: z.string().min(1) })).nullish() })
  .nullish();

/**
 * Which messages of a batch failed. All, if the function failed, or if it reports what Lambda cannot read or does
 * not know; none, if it reports nothing or may not report.
 */
export function failedOf(ids: readonly string[], result: Result, reports: boolean): ReadonlySet<string> {
  const all = new Set(ids);
  if (!result.ok) return all;
  if (!reports) return new Set();
  const parsed = failures.safeParse(result.value);
  if (!parsed.success) return all;
  const named = (parsed.data?.batchItemFailures ?? []).map((it) => it.itemIdentifier);
  return named.every((id) => all.has(id)) ? new Set(named) : all;
}

/** Starts receiving. One batch at a time: Lambda would work on several, in an order that nobody may rely on. */
export function openSource(plan: SourcePlan, place: SourcePlace): Source {
  const { engine, queue, consumer, ledger, clock } = place;
  const url = `${engine.url}/${ACCOUNT}/${queue.name}`;
  const waiting = new Map<string, { handle: string; until: number; untilReal: number }>();
  let stopped = false;
  let working = false;

  async function receive(wait: number, max: number): Promise<Message[]> {
    const { Messages = [] } = await engine.client.send(
      new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: Math.min(CALL, max),
        WaitTimeSeconds: wait,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
    );
    ledger.sqs(
      consumer,
      Messages.length > 0 ? 'ReceiveMessage' : 'ReceiveMessage (empty)',
      queue.name,
      bytesOf(Messages),
      Messages.length,
      Messages.length === 0,
    );
    for (const { MessageId = '' } of Messages) waiting.delete(MessageId);
    return Messages;
  }

  /** A batch: what is there, and what comes within the window, until it is full. */
  async function gather(): Promise<Message[]> {
    const batch = await receive(20, plan.batchSize);
    working = batch.length > 0;
    if (batch.length === 0) return batch;
    const end = performance.now() + plan.windowMs;
    const full = () => batch.length + engine.counts(queue.name).ready >= plan.batchSize;
    while (!stopped && !full() && performance.now() < end) await sleep(LOOK_MS);
    while (batch.length < plan.batchSize && plan.windowMs > 0 && bytesOf(batch) < PAYLOAD / 2) {
      const more = await receive(0, plan.batchSize - batch.length);
      if (more.length === 0) break;
      batch.push(...more);
    }
    return batch;
  }

  async function work(batch: readonly Message[]): Promise<void> {
    const result = await place.invoke({ Records: batch.map(record) });
    const failed = failedOf(
      batch.map(({ MessageId = '' }) => MessageId),
      result,
      plan.reportsFailures,
    );
    for (const { MessageId = '', ReceiptHandle = '' } of batch)
      if (failed.has(MessageId))
        waiting.set(MessageId, {
          handle: ReceiptHandle,
          until: clock.now() + queue.visibilityMs,
          untilReal: Date.now() + queue.visibilityMs,
        });
    if (failed.size > 0)
      place.log(`${failed.size} of ${batch.length} messages of ${queue.name} failed and will come again`);
    const done = batch.filter(({ MessageId = '' }) => !failed.has(MessageId));
    await inCalls(done, async (some) => {
      // Booked before it is sent: when the queue is empty the ledger is complete.
      ledger.sqs(consumer, 'DeleteMessageBatch', queue.name, 0, some.length);
      await engine.client.send(
        new DeleteMessageBatchCommand({
          QueueUrl: url,
          Entries: some.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle })),
        }),
      );
    });
  }

  const show = (handles: readonly { handle: string }[]) =>
    inCalls(handles, async (some) => {
      await engine.client.send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl: url,
          Entries: some.map(({ handle }, i) => ({
            Id: String(i),
            ReceiptHandle: handle,
            VisibilityTimeout: 0,
          })),
        }),
      );
    });

  const record = (message: Message) => {
    // Times of the queue are real ones; the function lives by the run's clock.
    const shift = clock.now() - Date.now();
    const attributes = { ...message.Attributes };
    for (const name of ['SentTimestamp', 'ApproximateFirstReceiveTimestamp'] as const)
      if (attributes[name] !== undefined)
        attributes[name] = String(Math.round(Number(attributes[name]) + shift));
    return {
      messageId: message.MessageId,
      receiptHandle: message.ReceiptHandle,
      body: message.Body,
      attributes,
      messageAttributes: Object.fromEntries(
        Object.entries(message.MessageAttributes ?? {}).map(([name, it]) => [
          name,
          { stringValue: it.StringValue, dataType: it.DataType, stringListValues: [], binaryListValues: [] },
        ]),
      ),
      md5OfBody: message.MD5OfBody,
      eventSource: 'aws:sqs',
      eventSourceARN: queue.arn,
      awsRegion: place.region,
    };
  };

  async function loop(): Promise<void> {
    while (!stopped) {
      try {
        const batch = await gather();
        if (batch.length === 0) continue;
        if (stopped) await show(batch.map(({ ReceiptHandle = '' }) => ({ handle: ReceiptHandle })));
        else await work(batch);
      } catch (error) {
        if (stopped) return;
        place.log(`the receiver of ${queue.name} goes on after: ${error}`);
        await sleep(200);
      } finally {
        working = false;
      }
    }
  }
  void loop();

  const stillWaiting = () => {
    for (const [id, { untilReal }] of waiting) if (untilReal <= Date.now()) waiting.delete(id);
    return waiting;
  };

  return {
    queue,
    waiting: () => stillWaiting().size,
    nextRetry() {
      const all = [...stillWaiting().values()].map(({ until }) => until);
      return all.length === 0 ? undefined : Math.min(...all);
    },
    async retry(now) {
      const over = [...stillWaiting()].filter(([, { until }]) => until <= now);
      for (const [id] of over) waiting.delete(id);
      await show(over.map(([, it]) => it));
    },
    async stop() {
      stopped = true;
      for (const end = performance.now() + 10_000; working && performance.now() < end; ) await sleep(LOOK_MS);
    },
  };
}

const bytesOf = (messages: readonly Message[]): number =>
  messages.reduce((sum, { Body = '' }) => sum + Buffer.byteLength(Body), 0);

async function inCalls<T>(list: readonly T[], call: (some: readonly T[]) => Promise<void>): Promise<void> {
  const calls = Array.from({ length: Math.ceil(list.length / CALL) }, (_, i) =>
    call(list.slice(i * CALL, (i + 1) * CALL)),
  );
  await Promise.all(calls);
}
