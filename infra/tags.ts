import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { Attribution } from './attribution.ts';
import { type BrandContext, BrandFunction } from './brand-function.ts';
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
    this.everyMinute(tags.function);
  }

  /** Lets `fn` ask for all profiles to be evaluated again. */
  letSendRecompute(fn: Lambda): void {
    this.consumer.letSend(fn, 'RECOMPUTE_URL');
  }

  /** Lets the clock ask for looks at all profiles. */
  letAsk(surveys: { letSend(fn: Lambda): void }): void {
    surveys.letSend(this.clock);
  }

  /** The clock. A tick that fails is not repeated: what was due still is, a minute later. */
  private everyMinute(fn: Lambda): void {
    const role = new Role(this, 'ClockRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
    role.addToPolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [fn.functionArn] }),
    );
    const schedule = new CfnSchedule(this, 'Clock', {
      scheduleExpression: 'rate(1 minute)',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: fn.functionArn,
        roleArn: role.roleArn,
        retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 },
      },
    });
    schedule.node.addDependency(role);
  }
}
