import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Api } from './api.ts';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import type { Data } from './data.ts';
import type { Secrets } from './secrets.ts';
import type { Survey } from './survey.ts';
import type { Tags } from './tags.ts';

export interface RulesProps {
  readonly context: BrandContext;
  readonly api: Api;
  readonly data: Data;
  readonly secrets: Secrets;
  /** Who evaluates everybody again when a rule changed. */
  readonly tags: Tags;
  /** Who looks at everybody where somebody asks. */
  readonly survey: Survey;
}

/** Lists, tries and changes the rules that earn tags. */
export class Rules extends Construct {
  constructor(scope: Construct, id: string, { context, api, data, secrets, tags, survey }: RulesProps) {
    super(scope, id);
    const rules = new BrandFunction(this, 'Rules', {
      context,
      name: 'rules',
      does: 'rules, checked before they are kept',
      memoryMb: 512, // all rules are compiled on each change; that is rare, and a person waits
      timeout: Duration.seconds(25),
    });
    data.letReadWrite(rules.function);
    secrets.letReadIdentity(rules.function); // identifiers of customers, as the key's role may see them
    tags.letSendRecompute(rules.function);
    survey.letSend(rules.function);
    api.letAnswer(rules, 'The function checks the API key; changing a rule needs the role admin.', {
      '/rules': ['GET'],
      '/rules/{tag}': ['GET', 'PUT'],
      '/rules/{tag}/check': ['POST'],
      '/rules/{tag}/rollback': ['POST'],
      '/backfill': ['GET'],
      '/backfill/{id}': ['GET'],
      '/effect': ['POST'],
      '/effect/{id}': ['GET'],
      '/tags/{tag}/effect': ['POST'],
      '/tags/{tag}/effect/{id}': ['GET'],
      '/rules/{tag}/forecast': ['POST'],
      '/rules/{tag}/forecast/{id}': ['GET'],
      '/rfm': ['POST'],
      '/rfm/quintiles': ['GET', 'POST'],
      '/rfm/{id}': ['GET'],
    });
  }
}
