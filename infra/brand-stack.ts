import { CfnOutput, Stack, type StackProps, Tags as StackTags } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { pulledAccounts } from '../lib/capture/pull.ts';
import type { Brand } from '../lib/platform/brand.ts';
import { Alarms } from './alarms.ts';
import { Api } from './api.ts';
import { Attribution } from './attribution.ts';
import type { BrandContext } from './brand-function.ts';
import { Capture } from './capture.ts';
import { Data } from './data.ts';
import { Profile } from './profile.ts';
import { Pull } from './pull.ts';
import { Quarantine } from './quarantine.ts';
import { Query } from './query.ts';
import { Rules } from './rules.ts';
import { Secrets } from './secrets.ts';
import { Tags } from './tags.ts';

export interface BrandStackProps extends StackProps {
  readonly brand: Brand;
  /** The folder of the brand's bundles (`stageBrand`). */
  readonly code: string;
  /** Whether table and secrets outlive the stack, and the stack refuses to be deleted. @default true */
  readonly keepData?: boolean;
  /** The SNS topic that alarms tell. @default nobody is told */
  readonly alarmTopicArn?: string;
}

/** A brand: one stack, one table, one door. */
export class BrandStack extends Stack {
  constructor(scope: Construct, id: string, props: BrandStackProps) {
    const { brand, code, keepData = true, alarmTopicArn, ...rest } = props;
    super(scope, id, {
      description: `Siyu: the private domain of ${brand.title.en} (${brand.name})`,
      terminationProtection: keepData,
      ...rest,
    });
    StackTags.of(this).add('siyu:brand', brand.name);
    const alarms = new Alarms(this, 'Alarms', { brand: brand.name, topicArn: alarmTopicArn });
    const context: BrandContext = { brand, code, alarms, keepData };

    const data = new Data(this, 'Data', { context });
    const secrets = new Secrets(this, 'Secrets', { context });
    const api = new Api(this, 'Api', { context });
    const attribution = new Attribution(this, 'Attribution', { context, data });
    const profile = new Profile(this, 'Profile', { context, data, attribution, secrets });
    const tags = new Tags(this, 'Tags', { context, data, attribution });
    new Capture(this, 'Capture', { context, api, profile, secrets });
    if (pulledAccounts(brand).length > 0) new Pull(this, 'Pull', { context, profile, secrets });
    new Query(this, 'Query', { context, api, data, secrets });
    new Rules(this, 'Rules', { context, api, data, secrets, tags });
    new Quarantine(this, 'Quarantine', { context, api, data, profile });

    new CfnOutput(this, 'Url', { value: api.url, description: 'Where channels send and people ask' });
    new CfnOutput(this, 'TableName', { value: data.table.tableName });
  }
}
