import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import { callByClock } from './clock.ts';
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
    callByClock(this, pull.function, 'rate(1 minute)');
  }
}
