import { Duration } from 'aws-cdk-lib';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { Attribution } from './attribution.ts';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import { callByClock } from './clock.ts';
import type { Data } from './data.ts';
import { QueueConsumer } from './queue-consumer.ts';

export interface TagsProps {
  readonly context: BrandContext;
  readonly data: Data;
  /** Where conversions go whose profile was joined to another by the clock. */
  readonly attribution: Attribution;
}

/** Wakes the profiles whose tags change because time passed, and all of them when a rule changed. */
export class Tags extends Construct {
  private readonly consumer: QueueConsumer;
  private readonly clock: Lambda;

  constructor(scope: Construct, id: string, { context, data, attribution }: TagsProps) {
    super(scope, id);
    const tags = new BrandFunction(this, 'Tags', {
      context,
      name: 'tags',
      does: 'what is due is evaluated again',
      memoryMb: 512, // mostly one profile after another is read and written
      timeout: Duration.minutes(5), // a quarter of all profiles after a rule changed, page after page
      sendsItself: true,
    });
    this.consumer = new QueueConsumer(this, 'Recompute', {
      context,
      consumer: tags,
      name: 'recompute',
      messages: 'recomputations',
      batchSize: 1, // a message is minutes of work
      maxConcurrency: 4, // as many as the table is cut into
      lateAfter: Duration.hours(1),
      // Longer than rules are kept in use (`RULES_MS`) and a batch of events takes: when a recompute looks at a
      // profile, nobody is left who could still write it by the rules before.
      deliveryDelay: Duration.seconds(5),
    });
    data.letWake(tags.function);
    attribution.letSendConversions(tags.function);
    this.letSendRecompute(tags.function); // it sends itself what one call cannot finish
    this.clock = tags.function;
    // The clock. A tick that fails is not repeated: what was due still is, a minute later.
    callByClock(this, tags.function, 'rate(1 minute)');
  }

  /** Lets `fn` ask for all profiles to be evaluated again. */
  letSendRecompute(fn: Lambda): void {
    this.consumer.letSend(fn, 'RECOMPUTE_URL');
  }

  /** Lets `fn` look through dead letters. */
  letSweep(fn: Lambda): void {
    this.consumer.letSweep(fn);
  }

  /** Lets the clock ask for looks at all profiles. */
  letAsk(surveys: { letSend(fn: Lambda): void }): void {
    surveys.letSend(this.clock);
  }
}
