import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Api } from './api.ts';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import type { Data } from './data.ts';
import type { Secrets } from './secrets.ts';

export interface AccessProps {
  readonly context: BrandContext;
  readonly api: Api;
  readonly data: Data;
  readonly secrets: Secrets;
}

/** Tells persons what is kept of them and why, made when it is read. */
export class Access extends Construct {
  constructor(scope: Construct, id: string, { context, api, data, secrets }: AccessProps) {
    super(scope, id);
    const access = new BrandFunction(this, 'Access', {
      context,
      name: 'access',
      does: 'what is kept of a person who asked, and why',
      memoryMb: 512, // a whole journal is read
      timeout: Duration.seconds(25),
    });
    data.letRead(access.function);
    data.letAudit(access.function);
    secrets.letReadIdentity(access.function);
    api.letAnswer(access, 'The function checks the API key: role privacy, and nobody else.', {
      '/privacy/requests/{id}/access': ['GET'],
      '/privacy/requests/{id}/access/page': ['GET'],
    });
  }
}
