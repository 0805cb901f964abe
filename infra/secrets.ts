import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { secretReferences } from '../lib/channels/registry.ts';
import { secretName } from '../lib/platform/brand-file.ts';
import type { BrandContext } from './brand-function.ts';
import { IDENTITY } from './brands/secret-names.ts';

export interface SecretsProps {
  readonly context: BrandContext;
}

/**
 * What the brand must not say aloud. The key that personal identifiers are looked up and encrypted with is made
 * here, once; the channels' secrets are made empty and filled by a person (docs/deploy.md), so that no template,
 * no log of a deployment and no repository ever holds one.
 */
export class Secrets extends Construct {
  private readonly identity: CfnSecret;
  private readonly channels: CfnSecret[];
  private readonly identityName: string;

  constructor(scope: Construct, id: string, { context }: SecretsProps) {
    super(scope, id);
    const { brand, keepData } = context;
    this.identityName = secretName(brand, IDENTITY);
    this.identity = new CfnSecret(this, 'Identity', {
      name: this.identityName,
      description: `${brand.name}: the key of personal identifiers. Without it no phone or e-mail can be found again.`,
      generateSecretString: {
        secretStringTemplate: '{}',
        generateStringKey: 'key',
        passwordLength: 64,
        excludePunctuation: true,
      },
    });
    Validations.of(this.identity).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'A new key would make every stored digest unfindable; changing it is a migration, not a rotation.',
    });
    this.channels = secretReferences(brand).map((reference) => {
      const secret = new CfnSecret(this, `Channel-${reference}`, {
        name: secretName(brand, reference),
        description: `${brand.name}: a channel's secret, to be filled by hand`,
      });
      Validations.of(secret).acknowledge({
        id: 'AwsSolutions-SMG4',
        reason: 'The channel issues it: it is changed there first, then here, by a person.',
      });
      return secret;
    });
    for (const secret of [this.identity, ...this.channels])
      secret.applyRemovalPolicy(keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY);
  }

  /** Lets `fn` read the key of personal identifiers. */
  letReadIdentity(fn: Lambda): void {
    fn.addEnvironment('IDENTITY_SECRET', this.identityName);
    this.give(fn, [this.identity]);
  }

  /** Lets `fn` read the channels' secrets; their addresses stand in the brand that lies beside its code. */
  letReadChannels(fn: Lambda): void {
    if (this.channels.length > 0) this.give(fn, this.channels);
  }

  private give(fn: Lambda, secrets: readonly CfnSecret[]): void {
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: ['secretsmanager:GetSecretValue'],
        resources: secrets.map((secret) => secret.ref),
      }),
    );
  }
}
