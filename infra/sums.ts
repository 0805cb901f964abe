import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import { callByClock } from './clock.ts';
import type { Data } from './data.ts';
import type { Models } from './models.ts';
import type { Survey } from './survey.ts';

export interface SumsProps {
  readonly context: BrandContext;
  readonly data: Data;
  /** Who counts again. */
  readonly models: Models;
  readonly survey: Survey;
}

/** Tells sums of people anew after somebody was erased. Where nobody was, a tick reads one empty range. */
export class Sums extends Construct {
  constructor(scope: Construct, id: string, { context, data, models, survey }: SumsProps) {
    super(scope, id);
    const sums = new BrandFunction(this, 'Sums', {
      context,
      name: 'sums',
      does: 'sums of people without whoever was erased',
      memoryMb: 256, // row after row is removed, and what was counted of all is asked for elsewhere
      timeout: Duration.minutes(9), // what a survey of a million found is thousands of rows; the next tick goes on
    });
    data.letErase(sums.function);
    survey.letSend(sums.function);
    models.letSend(sums.function);
    // A tick that fails is not repeated: the next finds the same erasures.
    callByClock(this, sums.function, 'rate(10 minutes)');
  }
}
