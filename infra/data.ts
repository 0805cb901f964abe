import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AttributeType, Billing, ProjectionType, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { DUE_INDEX } from '../lib/platform/dynamo.ts';
import { AUDIT } from '../lib/platform/keys.ts';
import type { BrandContext } from './brand-function.ts';

export interface DataProps {
  readonly context: BrandContext;
}

const READ = ['dynamodb:GetItem', 'dynamodb:Query'] as const;
const READ_WRITE = [...READ, 'dynamodb:PutItem'] as const;
/** What may be done to keys by who may do it to rows. */
const KEYS: readonly string[] = ['dynamodb:GetItem', 'dynamodb:PutItem'];

/** The brand's one table, and the keys that its rows are sealed under. The keys of rows are in lib/platform/keys.ts. */
export class Data extends Construct {
  readonly table: TableV2;
  private readonly keys: TableV2;

  constructor(scope: Construct, id: string, { context }: DataProps) {
    super(scope, id);
    this.table = new TableV2(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      globalSecondaryIndexes: [
        {
          indexName: DUE_INDEX,
          partitionKey: { name: 'w', type: AttributeType.STRING },
          sortKey: { name: 'due', type: AttributeType.STRING },
          projectionType: ProjectionType.KEYS_ONLY, // an entry says who is due; the profile is read anyway
        },
      ],
      billing: Billing.onDemand(), // an idle brand costs nothing
      timeToLiveAttribute: 'ttl',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      encryption: TableEncryptionV2.awsManagedKey(), // no monthly fee, and each use of the key is in CloudTrail
      deletionProtection: context.keepData,
      removalPolicy: context.keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    this.keys = new TableV2(this, 'Keys', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.awsManagedKey(),
      deletionProtection: context.keepData,
      removalPolicy: context.keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    Validations.of(this.keys).acknowledge({
      id: 'AwsSolutions-DDB3',
      reason:
        'a key that was destroyed must be nowhere: a backup of keys would bring back whoever was erased',
    });
  }

  /** Lets `fn` read rows and ranges of rows. */
  letRead(fn: Lambda): void {
    this.give(fn, ...READ);
  }

  /** Lets `fn` append to the audit log, and put no other row. */
  letAudit(fn: Lambda): void {
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: ['dynamodb:PutItem'],
        resources: [this.table.tableArn],
        conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`${AUDIT}*`] } },
      }),
    );
  }

  /** Lets `fn` read, and put whole rows. */
  letReadWrite(fn: Lambda): void {
    this.give(fn, ...READ_WRITE);
  }

  /** Lets `fn` read and put, and walk over all rows after the brand's attribution settings changed. */
  letRestate(fn: Lambda): void {
    this.give(fn, ...READ_WRITE, 'dynamodb:Scan');
  }

  /** Lets `fn` fold: read, put, remove the sealed segments of a profile that joined another, and count what arrived. */
  letFold(fn: Lambda): void {
    this.give(fn, ...READ_WRITE, 'dynamodb:DeleteItem', 'dynamodb:UpdateItem');
  }

  /** Lets `fn` erase: read, put, and remove what is left of somebody. */
  letErase(fn: Lambda): void {
    this.give(fn, ...READ_WRITE, 'dynamodb:DeleteItem');
  }

  /** Lets `fn` read and write, ask who is due, and walk over all rows after a rule changed. */
  letWake(fn: Lambda): void {
    this.give(fn, ...READ_WRITE, 'dynamodb:Scan', 'dynamodb:DeleteItem'); // it ends joins that were begun and left
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: ['dynamodb:Query'],
        resources: [`${this.table.tableArn}/index/${DUE_INDEX}`],
      }),
    );
  }

  /** The permission and the address in one call. `TableV2.grant` would add every index, those to come included. */
  private give(fn: Lambda, ...actions: readonly string[]): void {
    fn.addEnvironment('TABLE_NAME', this.table.tableName);
    fn.addToRolePolicy(new PolicyStatement({ actions: [...actions], resources: [this.table.tableArn] }));
    const own = actions.filter((action) => KEYS.includes(action));
    fn.addEnvironment('KEYS_TABLE', this.keys.tableName);
    fn.addToRolePolicy(new PolicyStatement({ actions: own, resources: [this.keys.tableArn] }));
  }
}
