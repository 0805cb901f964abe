import { Duration } from 'aws-cdk-lib';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { Attribution } from './attribution.ts';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import type { Data } from './data.ts';
import { QueueConsumer } from './queue-consumer.ts';
import type { Secrets } from './secrets.ts';

export interface ProfileProps {
  readonly context: BrandContext;
  readonly data: Data;
  /** Where conversions go. */
  readonly attribution: Attribution;
  readonly secrets: Secrets;
}

/** Folds events into the profiles that they belong to. */
export class Profile extends Construct {
  private readonly consumer: QueueConsumer;

  constructor(scope: Construct, id: string, { context, data, attribution, secrets }: ProfileProps) {
    super(scope, id);
    const profile = new BrandFunction(this, 'Profile', {
      context,
      name: 'profile',
      does: 'events in, profiles and their tags in the table',
      memoryMb: 1024, // folding, evaluating and compressing is CPU: half a core, or a batch takes twice as long for the same price
      timeout: Duration.seconds(60), // a hundred messages of an import are two thousand people
    });
    this.consumer = new QueueConsumer(this, 'Events', {
      context,
      consumer: profile,
      name: 'events',
      messages: 'events',
      // One read and one write per person and batch: the fuller a batch, the cheaper an event. A second is what
      // that may cost a person who looks at a profile, and what SQS asks for above ten messages.
      batchSize: 100,
      batchingWindow: Duration.seconds(1),
      maxConcurrency: 50,
      lateAfter: Duration.minutes(10), // three times the visibility: one retry is no alarm
    });
    data.letFold(profile.function);
    attribution.letSendConversions(profile.function);
    secrets.letReadIdentity(profile.function);
  }

  /** Lets `fn` queue events. */
  letSendEvents(fn: Lambda): void {
    this.consumer.letSend(fn, 'EVENTS_URL');
  }

  /** Lets `fn` look through dead letters, and see whether events wait to be read. */
  letSweep(fn: Lambda): void {
    this.consumer.letSweep(fn);
    this.consumer.letCount(fn, 'EVENTS_URL');
  }
}
