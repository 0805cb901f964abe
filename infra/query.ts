import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Api } from './api.ts';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import type { Data } from './data.ts';
import type { Secrets } from './secrets.ts';

export interface QueryProps {
  readonly context: BrandContext;
  readonly api: Api;
  readonly data: Data;
  readonly secrets: Secrets;
}

/** Answers what people and their systems ask. */
export class Query extends Construct {
  constructor(scope: Construct, id: string, { context, api, data, secrets }: QueryProps) {
    super(scope, id);
    const query = new BrandFunction(this, 'Query', {
      context,
      name: 'query',
      does: 'profiles, tags and credit for people and their systems',
      memoryMb: 1024, // somebody waits: a report over a year of brand-days is decoding and adding
      timeout: Duration.seconds(25), // API Gateway answers 503 by itself after 30
    });
    data.letRead(query.function);
    data.letAudit(query.function); // who looked at whom, before they are answered
    secrets.letReadIdentity(query.function);
    api.letAnswer(
      query,
      'The function checks the API key and its role; /healthz and /openapi.json say nothing secret.',
      {
        '/healthz': ['GET'],
        '/openapi.json': ['GET'],
        '/profiles/{kind}/{value}': ['GET'],
        '/profiles/{kind}/{value}/events': ['GET'],
        '/profiles/{kind}/{value}/conversions': ['GET'],
        '/tags': ['GET'],
        '/tags/{tag}/profiles': ['GET'],
        '/conversions/{id}': ['GET'],
        '/channels': ['GET'],
      },
    );
  }
}
