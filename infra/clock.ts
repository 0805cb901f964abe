import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import type { Construct } from 'constructs';

export interface ClockOptions {
  /** IANA; for hours of the day. */
  readonly timezone?: string;
  /** Where the next tick is far away, one that fails is tried again, so often within an hour. */
  readonly retries?: number;
}

/**
 * Has the clock call a function. A tick that fails is not repeated unless it says so: the next one finds the same.
 *
 * @param when as EventBridge Scheduler says it: `rate(5 minutes)`, `cron(0 3 * * ? *)`
 */
export function callByClock(
  scope: Construct,
  fn: Lambda,
  when: string,
  { timezone, retries = 0 }: ClockOptions = {},
): void {
  const role = new Role(scope, 'ClockRole', {
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  });
  role.addToPolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [fn.functionArn] }));
  const schedule = new CfnSchedule(scope, 'Clock', {
    scheduleExpression: when,
    ...(timezone && { scheduleExpressionTimezone: timezone }),
    flexibleTimeWindow: { mode: 'OFF' },
    target: {
      arn: fn.functionArn,
      roleArn: role.roleArn,
      retryPolicy: { maximumRetryAttempts: retries, maximumEventAgeInSeconds: retries > 0 ? 3_600 : 60 },
    },
  });
  schedule.node.addDependency(role);
}
