import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Api } from './api.ts';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import type { Data } from './data.ts';
import type { Profile } from './profile.ts';
import type { Secrets } from './secrets.ts';

export interface IdentityProps {
  readonly context: BrandContext;
  readonly api: Api;
  readonly data: Data;
  /** Where decisions go: they are events. */
  readonly profile: Profile;
  readonly secrets: Secrets;
}

/** Shows what holds a profile together, and takes decisions on it. */
export class Identity extends Construct {
  constructor(scope: Construct, id: string, { context, api, data, profile, secrets }: IdentityProps) {
    super(scope, id);
    const identity = new BrandFunction(this, 'Identity', {
      context,
      name: 'identity',
      does: 'who is who: looked at, decided',
      memoryMb: 512, // somebody waits, and a long journal is read
      timeout: Duration.seconds(25),
    });
    data.letRead(identity.function);
    data.letAudit(identity.function); // who decides, before it is done
    profile.letSendEvents(identity.function);
    secrets.letReadIdentity(identity.function);
    api.letAnswer(
      identity,
      'The function checks the API key and its role; deciding needs admin or privacy.',
      {
        '/profiles/{kind}/{value}/identity': ['GET'],
        '/profiles/{kind}/{value}/consent': ['GET', 'PUT'],
        '/identity/join': ['POST'],
        '/identity/undo': ['POST'],
        '/identity/release': ['POST'],
        '/reviews': ['GET'],
        '/reviews/{id}': ['POST'],
      },
    );
  }
}
