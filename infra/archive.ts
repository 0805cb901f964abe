import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Api } from './api.ts';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import type { Data } from './data.ts';
import type { Secrets } from './secrets.ts';

export interface ArchiveProps {
  readonly context: BrandContext;
  readonly api: Api;
  readonly data: Data;
  readonly secrets: Secrets;
}

/** Shows persons everything that is kept of them, made when it is read. */
export class Archive extends Construct {
  constructor(scope: Construct, id: string, { context, api, data, secrets }: ArchiveProps) {
    super(scope, id);
    const archive = new BrandFunction(this, 'Archive', {
      context,
      name: 'archive',
      does: 'everything that is kept of a person who asked',
      memoryMb: 512, // a whole journal, read and walked
      timeout: Duration.seconds(25),
    });
    data.letRead(archive.function);
    data.letAudit(archive.function);
    secrets.letReadIdentity(archive.function);
    api.letAnswer(archive, 'The function checks the API key: role privacy, and nobody else.', {
      '/privacy/requests/{id}/archive': ['GET'],
      '/privacy/requests/{id}/page': ['GET'],
    });
  }
}
