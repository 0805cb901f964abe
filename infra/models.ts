import { Duration } from 'aws-cdk-lib';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { Api } from './api.ts';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import { callByClock } from './clock.ts';
import type { Data } from './data.ts';
import { QueueConsumer } from './queue-consumer.ts';

export interface ModelsProps {
  readonly context: BrandContext;
  readonly api: Api;
  readonly data: Data;
}

/** Learns models of everybody's paths, on demand and at night, and answers reports. */
export class Models extends Construct {
  private readonly consumer: QueueConsumer;

  constructor(scope: Construct, id: string, { context, api, data }: ModelsProps) {
    super(scope, id);
    const models = new BrandFunction(this, 'Models', {
      context,
      name: 'models',
      does: 'models learned of everybody, and reports',
      memoryMb: 2048, // a million distinct paths, and the chain that they make
      timeout: Duration.minutes(10), // four to count, and a page that was begun; or a fit of all that was counted
      sendsItself: true,
    });
    this.consumer = new QueueConsumer(this, 'Work', {
      context,
      consumer: models,
      name: 'models',
      messages: 'parts of models',
      batchSize: 1, // a message is minutes of work
      maxConcurrency: 4, // as many as the table is cut into
      lateAfter: Duration.hours(2),
    });
    this.letSend(models.function); // what one call cannot finish, and the fits
    data.letRestate(models.function);
    api.letAnswer(models, 'The function checks the API key; what was spent is put with the role admin.', {
      '/attribution': ['GET'],
      '/groups/attribution': ['GET'],
      '/models': ['GET'],
      '/models/{model}': ['POST'],
      '/models/{model}/{version}': ['GET'],
      '/spend': ['GET', 'PUT'],
    });
    const { nightly, holdouts } = context.brand.models;
    if (nightly.length > 0 || holdouts.length > 0) this.everyNight(models.function, context.brand.timezone);
  }

  /** Lets `fn` ask for models to be learned. */
  letSend(fn: Lambda): void {
    this.consumer.letSend(fn, 'MODELS_URL');
  }

  /** Lets `fn` look through dead letters. */
  letSweep(fn: Lambda): void {
    this.consumer.letSweep(fn);
  }

  /** At three by the brand's own clock: its day is over then. */
  private everyNight(fn: Lambda, timezone: string): void {
    callByClock(this, fn, 'cron(0 3 * * ? *)', { timezone, retries: 3 });
  }
}
