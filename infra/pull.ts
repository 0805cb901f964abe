import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import type { Profile } from './profile.ts';
import type { Secrets } from './secrets.ts';

export interface PullProps {
  readonly context: BrandContext;
  /** Where events go. */
  readonly profile: Profile;
  readonly secrets: Secrets;
}

/** Asks the vendors that do not send, every minute. A brand that has no account with one has none of this. */
export class Pull extends Construct {
  constructor(scope: Construct, id: string, { context, profile, secrets }: PullProps) {
    super(scope, id);
    const pull = new BrandFunction(this, 'Pull', {
      context,
      name: 'pull',
      does: 'what vendors do not send is asked for, events to the queue',
      memoryMb: 256, // it waits for the vendor and for SQS
      timeout: Duration.seconds(55), // the next minute asks again: nothing is lost by giving up
    });
    profile.letSendEvents(pull.function);
    secrets.letReadChannels(pull.function);
    const role = new Role(this, 'ClockRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
    role.addToPolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [pull.function.functionArn] }),
    );
    // A tick that fails is not repeated: what was not confirmed comes again a minute later.
    const schedule = new CfnSchedule(this, 'Clock', {
      scheduleExpression: 'rate(1 minute)',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: pull.function.functionArn,
        roleArn: role.roleArn,
        retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 },
      },
    });
    schedule.node.addDependency(role);
  }
}
