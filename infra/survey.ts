import { Duration } from 'aws-cdk-lib';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import type { Data } from './data.ts';
import { QueueConsumer } from './queue-consumer.ts';
import type { Tags } from './tags.ts';

export interface SurveyProps {
  readonly context: BrandContext;
  readonly data: Data;
  /** Whose clock asks for surveys, and who evaluates everybody when one has found new cuts. */
  readonly tags: Tags;
}

/** Looks at all profiles and changes none: forecasts, effects, RFM and its quintiles. */
export class Survey extends Construct {
  private readonly consumer: QueueConsumer;

  constructor(scope: Construct, id: string, { context, data, tags }: SurveyProps) {
    super(scope, id);
    const survey = new BrandFunction(this, 'Survey', {
      context,
      name: 'survey',
      does: 'a look at every profile, which changes none',
      memoryMb: 512, // one journal after another is read and walked
      timeout: Duration.minutes(5), // a quarter of all profiles, page after page
      sendsItself: true,
    });
    this.consumer = new QueueConsumer(this, 'Surveys', {
      context,
      consumer: survey,
      name: 'surveys',
      messages: 'surveys',
      batchSize: 1, // a message is minutes of work
      maxConcurrency: 4, // as many as the table is cut into
      lateAfter: Duration.hours(1),
      deliveryDelay: Duration.seconds(5), // as `infra/tags.ts` has it: then nobody looks by the rules before
    });
    data.letRestate(survey.function);
    this.letSend(survey.function); // it sends itself what one call cannot finish
    tags.letSendRecompute(survey.function);
    tags.letAsk(this);
  }

  /** Lets `fn` ask for a look at all profiles. */
  letSend(fn: Lambda): void {
    this.consumer.letSend(fn, 'SURVEY_URL');
  }

  /** Lets `fn` look through dead letters. */
  letSweep(fn: Lambda): void {
    this.consumer.letSweep(fn);
  }
}
