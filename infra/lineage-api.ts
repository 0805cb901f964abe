import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Api } from './api.ts';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import type { Data } from './data.ts';
import type { Secrets } from './secrets.ts';

export interface LineageProps {
  readonly context: BrandContext;
  readonly api: Api;
  readonly data: Data;
  readonly secrets: Secrets;
}

/** Says what tags and reports rest on: it holds the map of all channels, which would not fit beside what answers people. */
export class Lineage extends Construct {
  constructor(scope: Construct, id: string, { context, api, data, secrets }: LineageProps) {
    super(scope, id);
    const lineage = new BrandFunction(this, 'Lineage', {
      context,
      name: 'lineage',
      does: 'what tags and reports rest on',
      memoryMb: 256,
      timeout: Duration.seconds(10),
    });
    data.letRead(lineage.function);
    data.letAudit(lineage.function);
    secrets.letReadIdentity(lineage.function);
    api.letAnswer(lineage, 'The function checks the API key and its role.', {
      '/lineage/tags/{tag}': ['GET'],
      '/lineage/reports/{report}': ['GET'],
    });
  }
}
