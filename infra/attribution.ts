import { Duration } from 'aws-cdk-lib';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import { callByClock } from './clock.ts';
import type { Data } from './data.ts';
import { QueueConsumer } from './queue-consumer.ts';

export interface AttributionProps {
  readonly context: BrandContext;
  readonly data: Data;
}

/** Shares each conversion among the touches before it. */
export class Attribution extends Construct {
  private readonly consumer: QueueConsumer;

  constructor(scope: Construct, id: string, { context, data }: AttributionProps) {
    super(scope, id);
    const attribution = new BrandFunction(this, 'Attribution', {
      context,
      name: 'attribution',
      does: 'conversions in, their credits in the table',
      memoryMb: 512, // a person's journal is read and decompressed; the sharing itself is microseconds
      timeout: Duration.seconds(60), // "all conversions" of a long history after a merge
      sendsItself: true,
    });
    this.consumer = new QueueConsumer(this, 'Conversions', {
      context,
      consumer: attribution,
      name: 'conversions',
      messages: 'conversions',
      // Each message is another person, so a fuller batch saves the calls alone: of the queue and of the function.
      batchSize: 10,
      batchingWindow: Duration.seconds(2),
      maxConcurrency: 10,
      lateAfter: Duration.minutes(20),
    });
    data.letRestate(attribution.function);
    this.letSendConversions(attribution.function); // what one call cannot finish after a change of settings
    // Other settings are taken over by the clock too: a brand may wait long for its next order. One row is read.
    callByClock(this, attribution.function, 'rate(5 minutes)');
  }

  /** Lets `fn` ask for conversions to be shared, and shared again. */
  letSendConversions(fn: Lambda): void {
    this.consumer.letSend(fn, 'CONVERSIONS_URL');
  }

  /** Lets `fn` look through dead letters. */
  letSweep(fn: Lambda): void {
    this.consumer.letSweep(fn);
  }
}
