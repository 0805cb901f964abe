import { Duration } from 'aws-cdk-lib';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import { callByClock } from './clock.ts';
import type { Data } from './data.ts';
import type { Profile } from './profile.ts';
import { QueueConsumer } from './queue-consumer.ts';
import type { Secrets } from './secrets.ts';

export interface FetchProps {
  readonly context: BrandContext;
  readonly data: Data;
  /** Where events go. */
  readonly profile: Profile;
  readonly secrets: Secrets;
}

/**
 * Asks vendors for what their pushes only announce: as soon as one comes, and every ten minutes in case that one was
 * lost. A brand that has no account which asks has none of this.
 */
export class Fetch extends Construct {
  private readonly consumer: QueueConsumer;

  constructor(scope: Construct, id: string, { context, data, profile, secrets }: FetchProps) {
    super(scope, id);
    const fetch = new BrandFunction(this, 'Fetch', {
      context,
      name: 'fetch',
      does: 'what vendors only announce is asked for, events to the queue',
      memoryMb: 256, // it waits for the vendor and for SQS
      timeout: Duration.seconds(60), // it begins no question after twenty seconds
      sendsItself: true, // what one call cannot ask to its end, and what an answer makes it ask next
    });
    this.consumer = new QueueConsumer(this, 'Hints', {
      context,
      consumer: fetch,
      name: 'hints',
      messages: 'hints',
      batchSize: 10,
      maxConcurrency: 2, // vendors count calls, and cursors move one at a time
      tries: 240, // six minutes apart: a vendor may be away for a day
      lateAfter: Duration.minutes(30),
    });
    data.letReadWrite(fetch.function);
    profile.letSendEvents(fetch.function);
    secrets.letReadChannels(fetch.function);
    this.letSendHints(fetch.function);
    callByClock(this, fetch.function, 'rate(10 minutes)');
  }

  /** Lets `fn` queue what a vendor announced. */
  letSendHints(fn: Lambda): void {
    this.consumer.letSend(fn, 'HINTS_URL');
  }

  /** Lets `fn` look through dead letters. */
  letSweep(fn: Lambda): void {
    this.consumer.letSweep(fn);
  }
}
