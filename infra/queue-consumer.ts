import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping, type Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { addressOf, type QueueName, queues } from '../lib/privacy/queues.ts';
import type { BrandContext, BrandFunction } from './brand-function.ts';

export interface QueueConsumerProps {
  readonly context: BrandContext;
  readonly consumer: BrandFunction;
  /** Which queue it is: what of persons its messages hold is told there. */
  readonly name: QueueName;
  /** What a message is, in a few words: for the alarms. */
  readonly messages: string;
  /** Messages handed over at once. */
  readonly batchSize: number;
  /** How long a batch may fill up; above ten messages a batch SQS asks for at least a second. @default none */
  readonly batchingWindow?: Duration;
  /** How long a message waits before it is handed over. @default not at all */
  readonly deliveryDelay?: Duration;
  /** Batches worked on at once: a flood here must not take the account's concurrency from the functions that answer people. */
  readonly maxConcurrency: number;
  /** How often a message is handed over before it is a dead letter. @default 5 */
  readonly tries?: number;
  /** A message older than this wakes somebody. */
  readonly lateAfter: Duration;
}

const SWEEP = [
  ...['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'],
  ...['sqs:SendMessage', 'sqs:GetQueueAttributes'],
] as const;

/** A queue, its dead letters, and the function that takes from it. Only messages that failed come again. */
export class QueueConsumer extends Construct {
  readonly queue: Queue;
  readonly name: QueueName;
  private readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, props: QueueConsumerProps) {
    super(scope, id);
    const { context, consumer, messages } = props;
    const fn = consumer.function;
    this.name = props.name;
    const deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14), // the longest there is; a dead letter's age counts from its first send
    });
    this.deadLetters = deadLetters;
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      deliveryDelay: props.deliveryDelay,
      retentionPeriod: Duration.days(4), // ten days before the dead letters' end: time to mend and send back
      // Six times the function's timeout, as Lambda asks: its own retries of a throttled batch fit in.
      visibilityTimeout: Duration.seconds((fn.timeout?.toSeconds() ?? 3) * 6),
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: props.tries ?? 5 }, // throttled deliveries count too: fewer would lose the healthy
    });
    new EventSourceMapping(this, 'Source', {
      target: fn,
      eventSourceArn: this.queue.queueArn,
      batchSize: props.batchSize,
      maxBatchingWindow: props.batchingWindow,
      maxConcurrency: props.maxConcurrency,
      reportBatchItemFailures: true,
    });
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
        resources: [this.queue.queueArn],
      }),
    );

    context.alarms.on(`${id}DeadLetters`, {
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(1),
        statistic: 'Maximum',
      }),
      threshold: 1,
      points: [1, 15], // a sweep hides them for minutes: the alarm would end, and begin anew
      means: `${messages} could not be worked on and wait in the dead-letter queue; they are lost after 14 days.`,
      runbook: 'dead-letters',
    });
    context.alarms.on(`${id}Age`, {
      metric: this.queue.metricApproximateAgeOfOldestMessage({
        period: Duration.minutes(1),
        statistic: 'Maximum',
      }),
      threshold: props.lateAfter.toSeconds(),
      points: [3, 3],
      means: `${messages} wait too long: what people see is late.`,
      runbook: 'a-queue-is-late',
    });
  }

  /** Lets `fn` send here: the permission, and the address as `variable`. */
  letSend(fn: Lambda, variable: string): void {
    fn.addEnvironment(variable, this.queue.queueUrl);
    fn.addToRolePolicy(
      new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.queue.queueArn] }),
    );
  }

  /** Lets `fn` look through the dead letters, take out and put back what is left: the permission and the address. */
  letSweep(fn: Lambda): void {
    if (queues[this.name] === 'nothing') return;
    fn.addEnvironment(addressOf(this.name), this.deadLetters.queueUrl);
    fn.addToRolePolicy(new PolicyStatement({ actions: [...SWEEP], resources: [this.deadLetters.queueArn] }));
  }

  /** Lets `fn` ask how many messages wait: the permission, and the address as `variable`. */
  letCount(fn: Lambda, variable: string): void {
    fn.addEnvironment(variable, this.queue.queueUrl);
    fn.addToRolePolicy(
      new PolicyStatement({ actions: ['sqs:GetQueueAttributes'], resources: [this.queue.queueArn] }),
    );
  }
}
