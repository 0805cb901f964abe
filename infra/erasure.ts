import { Duration } from 'aws-cdk-lib';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { Attribution } from './attribution.ts';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import { callByClock } from './clock.ts';
import type { Data } from './data.ts';
import { QueueConsumer } from './queue-consumer.ts';
import type { Secrets } from './secrets.ts';

export interface ErasureProps {
  readonly context: BrandContext;
  readonly data: Data;
  /** Who tells conversions anew when somebody is gone. */
  readonly attribution: Attribution;
  readonly secrets: Secrets;
}

/** Erases persons, waits until nobody writes who read before, and proves it. */
export class Erasure extends Construct {
  private readonly consumer: QueueConsumer;

  constructor(scope: Construct, id: string, { context, data, attribution, secrets }: ErasureProps) {
    super(scope, id);
    const erasure = new BrandFunction(this, 'Erasure', {
      context,
      name: 'erasure',
      does: 'erases persons, and proves it',
      memoryMb: 512, // one whole journal is read, and what of its cluster stays is walked anew
      timeout: Duration.minutes(5), // a cluster of ten thousand events is written event by event, and its rows removed one by one
    });
    this.consumer = new QueueConsumer(this, 'Erasures', {
      context,
      consumer: erasure,
      name: 'erasures',
      messages: 'erasures',
      batchSize: 1, // a message is one person, and may be minutes of work
      maxConcurrency: 2,
      lateAfter: Duration.hours(12), // far within any deadline
    });
    data.letErase(erasure.function);
    attribution.letSendConversions(erasure.function);
    secrets.letReadIdentity(erasure.function);
    // A tick that fails is not repeated: the next looks at the same requests.
    callByClock(this, erasure.function, 'rate(10 minutes)');
  }

  /** Lets `fn` ask for an erasure. */
  letSend(fn: Lambda): void {
    this.consumer.letSend(fn, 'ERASURES_URL');
  }
}
