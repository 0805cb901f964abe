import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Api } from './api.ts';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import type { Data } from './data.ts';
import type { Secrets } from './secrets.ts';

export interface ExplainProps {
  readonly context: BrandContext;
  readonly api: Api;
  readonly data: Data;
  readonly secrets: Secrets;
}

/** Says why somebody has a tag, and what they are worth: a function of its own, because rules of the past are compiled for the question. */
export class Explain extends Construct {
  constructor(scope: Construct, id: string, { context, api, data, secrets }: ExplainProps) {
    super(scope, id);
    const explain = new BrandFunction(this, 'Explain', {
      context,
      name: 'explain',
      does: 'why somebody has a tag and what they are worth, now or then',
      memoryMb: 512, // one history is walked, a few times over
      timeout: Duration.seconds(25),
    });
    data.letRead(explain.function);
    data.letAudit(explain.function); // who looked at whom, before they are answered
    secrets.letReadIdentity(explain.function);
    api.letAnswer(explain, 'The function checks the API key and its role.', {
      '/profiles/{kind}/{value}/tags/{tag}/explain': ['GET'],
      '/profiles/{kind}/{value}/value': ['GET'],
    });
  }
}
