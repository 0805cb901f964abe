import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { type BrandContext, BrandFunction } from './brand-function.ts';
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
      messages: 'conversions',
      // Each message is another person, so a fuller batch saves the calls alone: of the queue and of the function.
      batchSize: 10,
      batchingWindow: Duration.seconds(2),
      maxConcurrency: 10,
      lateAfter: Duration.minutes(20),
    });
    data.letRestate(attribution.function);
    this.letSendConversions(attribution.function); // what one call cannot finish after a change of settings
    this.everyFiveMinutes(attribution.function);
  }

  /** Other settings are taken over by the clock too: a brand may wait long for its next order. One row is read. */
  private everyFiveMinutes(fn: Lambda): void {
    const role = new Role(this, 'ClockRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
    role.addToPolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [fn.functionArn] }),
    );
    const schedule = new CfnSchedule(this, 'Clock', {
      scheduleExpression: 'rate(5 minutes)',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: fn.functionArn,
        roleArn: role.roleArn,
        retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 },
      },
    });
    schedule.node.addDependency(role);
  }

  /** Lets `fn` ask for conversions to be shared, and shared again. */
  letSendConversions(fn: Lambda): void {
    this.consumer.letSend(fn, 'CONVERSIONS_URL');
  }
}
