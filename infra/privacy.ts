import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { METRICS } from '../lib/audit/watch.ts';
import { FIVE_MINUTES } from './alarms.ts';
import type { Api } from './api.ts';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import { callByClock } from './clock.ts';
import type { Data } from './data.ts';
import type { Secrets } from './secrets.ts';

export interface PrivacyProps {
  readonly context: BrandContext;
  readonly api: Api;
  readonly data: Data;
  readonly secrets: Secrets;
}

/** Who may see what, and who did: the audit log, bulk exports by two people, and the alarm at odd use. */
export class Privacy extends Construct {
  constructor(scope: Construct, id: string, { context, api, data, secrets }: PrivacyProps) {
    super(scope, id);
    const { brand, alarms } = context;
    const privacy = new BrandFunction(this, 'Privacy', {
      context,
      name: 'privacy',
      does: 'who may see what, and who did',
      memoryMb: 512, // a page of an export is two hundred profiles; verifying is hashing
      timeout: Duration.seconds(25),
    });
    data.letReadWrite(privacy.function);
    secrets.letReadIdentity(privacy.function);
    api.letAnswer(privacy, 'The function checks the API key and its role; exports take two people.', {
      '/groups': ['GET'],
      '/audit': ['GET'],
      '/audit/verify': ['GET'],
      '/exports': ['POST'],
      '/exports/{id}': ['GET'],
      '/exports/{id}/approve': ['POST'],
      '/exports/{id}/profiles': ['GET'],
    });
    // A tick that fails is not repeated: the next looks back an hour.
    callByClock(this, privacy.function, 'rate(5 minutes)');
    alarms.on('OddUse', {
      metric: new Metric({
        namespace: METRICS.namespace,
        metricName: METRICS.oddUse,
        dimensionsMap: { Brand: brand.name },
        statistic: 'Sum',
        period: FIVE_MINUTES,
      }),
      threshold: 1,
      means: 'somebody reads many people with one key, or exports at night.',
      runbook: 'somebody-looks-at-many-people',
    });
  }
}
