import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Api } from './api.ts';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import type { Data } from './data.ts';
import type { Secrets } from './secrets.ts';

export interface PreviewProps {
  readonly context: BrandContext;
  readonly api: Api;
  readonly data: Data;
  readonly secrets: Secrets;
}

/** Tells what a join or an undo would change: it folds both sides as they are and as they would be, and writes neither. */
export class Preview extends Construct {
  constructor(scope: Construct, id: string, { context, api, data, secrets }: PreviewProps) {
    super(scope, id);
    const preview = new BrandFunction(this, 'Preview', {
      context,
      name: 'preview',
      does: 'what a join or an undo would change',
      memoryMb: 1024, // somebody waits: the journals of both sides are folded twice
      timeout: Duration.seconds(25),
    });
    data.letRead(preview.function);
    data.letAudit(preview.function); // whom the answer shows
    secrets.letReadIdentity(preview.function);
    api.letAnswer(preview, 'The function checks the API key and its role; it shows what a profile does.', {
      '/identity/preview': ['POST'],
    });
  }
}
