import { CfnOutput, Stack, type StackProps, Tags as StackTags } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { askingAccounts } from '../lib/capture/fetch.ts';
import { pulledAccounts } from '../lib/capture/pull.ts';
import type { Brand } from '../lib/platform/brand.ts';
import { Access } from './access.ts';
import { Alarms } from './alarms.ts';
import { Api } from './api.ts';
import { Archive } from './archive.ts';
import { Attribution } from './attribution.ts';
import type { BrandContext } from './brand-function.ts';
import { Capture } from './capture.ts';
import { Data } from './data.ts';
import { Erasure } from './erasure.ts';
import { Explain } from './explain.ts';
import { Fetch } from './fetch.ts';
import { Identity } from './identity.ts';
import { Lineage } from './lineage-api.ts';
import { Models } from './models.ts';
import { Preview } from './preview.ts';
import { Privacy } from './privacy.ts';
import { Profile } from './profile.ts';
import { Pull } from './pull.ts';
import { Quarantine } from './quarantine.ts';
import { Query } from './query.ts';
import { Requests } from './requests.ts';
import { Rules } from './rules.ts';
import { Secrets } from './secrets.ts';
import { Sums } from './sums.ts';
import { Survey } from './survey.ts';
import { Sweep } from './sweep.ts';
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
    const survey = new Survey(this, 'Survey', { context, data, tags });
    const fetch =
      askingAccounts(brand).length > 0
        ? new Fetch(this, 'Fetch', { context, data, profile, secrets })
        : undefined;
    new Capture(this, 'Capture', { context, api, profile, secrets, fetch });
    if (pulledAccounts(brand).length > 0) new Pull(this, 'Pull', { context, profile, secrets });
    const models = new Models(this, 'Models', { context, api, data });
    new Query(this, 'Query', { context, api, data, secrets });
    new Explain(this, 'Explain', { context, api, data, secrets });
    new Lineage(this, 'Lineage', { context, api, data, secrets });
    new Identity(this, 'Identity', { context, api, data, profile, secrets });
    new Preview(this, 'Preview', { context, api, data, secrets });
    new Privacy(this, 'Privacy', { context, api, data, secrets });
    const erasure = new Erasure(this, 'Erasure', { context, data, attribution, secrets });
    new Sums(this, 'Sums', { context, data, models, survey });
    const queues = [profile, attribution, tags, survey, models, ...(fetch ? [fetch] : [])];
    new Sweep(this, 'Sweep', { context, data, secrets, queues });
    new Requests(this, 'Requests', { context, api, data, erasure, profile, secrets });
    new Archive(this, 'Archive', { context, api, data, secrets });
    new Access(this, 'Access', { context, api, data, secrets });
    new Rules(this, 'Rules', { context, api, data, secrets, tags, survey });
    new Quarantine(this, 'Quarantine', { context, api, data, profile, fetch });

    new CfnOutput(this, 'Url', { value: api.url, description: 'Where channels send and people ask' });
    new CfnOutput(this, 'TableName', { value: data.table.tableName });
  }
}
