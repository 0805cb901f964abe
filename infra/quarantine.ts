import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Api } from './api.ts';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import type { Data } from './data.ts';
import type { Fetch } from './fetch.ts';
import type { Profile } from './profile.ts';

export interface QuarantineProps {
  readonly context: BrandContext;
  readonly api: Api;
  readonly data: Data;
  /** Where replayed events go. */
  readonly profile: Profile;
  /** Where replayed questions go, where the brand asks anybody. */
  readonly fetch?: Fetch | undefined;
}

/** Lists what could not be taken, and replays it after a fix. */
export class Quarantine extends Construct {
  constructor(scope: Construct, id: string, { context, api, data, profile, fetch }: QuarantineProps) {
    super(scope, id);
    const quarantine = new BrandFunction(this, 'Quarantine', {
      context,
      name: 'quarantine',
      does: 'what could not be taken, and its replay',
      memoryMb: 512, // an operator waits, for a list or for one event
      timeout: Duration.seconds(25),
    });
    data.letReadWrite(quarantine.function);
    profile.letSendEvents(quarantine.function);
    fetch?.letSendHints(quarantine.function);
    api.letAnswer(quarantine, 'The function checks the API key and its role.', {
      '/quarantine': ['GET'],
      '/quarantine/{id}/replay': ['POST'],
    });
  }
}
