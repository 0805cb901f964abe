import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Api } from './api.ts';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import type { Data } from './data.ts';
import type { Erasure } from './erasure.ts';
import type { Profile } from './profile.ts';
import type { Secrets } from './secrets.ts';

export interface RequestsProps {
  readonly context: BrandContext;
  readonly api: Api;
  readonly data: Data;
  /** Who erases. */
  readonly erasure: Erasure;
  /** Where restrictions and corrections go: they are events. */
  readonly profile: Profile;
  readonly secrets: Secrets;
}

/** Takes what is asked in persons' names, and says how far it is. */
export class Requests extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { context, api, data, erasure, profile, secrets }: RequestsProps,
  ) {
    super(scope, id);
    const requests = new BrandFunction(this, 'Requests', {
      context,
      name: 'requests',
      does: 'what persons have a right to',
      memoryMb: 512, // somebody waits
      timeout: Duration.seconds(25),
    });
    data.letReadWrite(requests.function);
    secrets.letReadIdentity(requests.function);
    erasure.letSend(requests.function);
    profile.letSendEvents(requests.function);
    api.letAnswer(requests, 'The function checks the API key: role privacy, and nobody else.', {
      '/privacy/requests': ['GET', 'POST'],
      '/privacy/requests/{id}': ['GET'],
    });
  }
}
