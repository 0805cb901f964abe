import { Duration } from 'aws-cdk-lib';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import { callByClock } from './clock.ts';
import type { Data } from './data.ts';
import type { Secrets } from './secrets.ts';

export interface SweepProps {
  readonly context: BrandContext;
  readonly data: Data;
  readonly secrets: Secrets;
  /** Who has dead letters in which persons may be named. */
  readonly queues: readonly { letSweep(fn: Lambda): void }[];
}

/** Takes whoever was erased out of dead letters. */
export class Sweep extends Construct {
  constructor(scope: Construct, id: string, { context, data, secrets, queues }: SweepProps) {
    super(scope, id);
    const sweep = new BrandFunction(this, 'Sweep', {
      context,
      name: 'sweep',
      does: 'dead letters without whoever was erased',
      memoryMb: 512, // it waits for the queues; of a hundred thousand letters it remembers which it knows
      timeout: Duration.minutes(5), // it takes no more after two minutes, and lets go what it holds: shorter than a letter stays hidden
    });
    data.letReadWrite(sweep.function);
    secrets.letReadIdentity(sweep.function);
    for (const queue of queues) queue.letSweep(sweep.function);
    // Two rows are read where nobody waits. A tick that fails is not repeated: the next goes on where it was.
    callByClock(this, sweep.function, 'rate(10 minutes)');
  }
}
