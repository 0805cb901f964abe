import { App } from 'aws-cdk-lib';
import type { Brand } from '../lib/platform/brand.ts';
import { BrandStack } from './brand-stack.ts';
import { buildFunctions, stageBrand } from './build.ts';

/** The name of a brand's stack: what tells it from every other brand in the account. */
export const stackName = (brand: Pick<Brand, 'name'>): string => `siyu-${brand.name}`;

/**
 * The CDK app, with everything that shapes a template set here and not in cdk.json, so that the command line, the
 * local run and the tests synthesise the same one.
 */
export const siyuApp = (outdir?: string): App =>
  new App({
    outdir,
    analyticsReporting: false,
    postCliContext: {
      'aws:cdk:enable-asset-metadata': true, // which bundle is whose: the local run reads it
      'aws:cdk:enable-path-metadata': true,
      '@aws-cdk/aws-iam:minimizePolicies': true,
      '@aws-cdk/core:validateAgainstDefaultRules': true, // what CloudFormation would refuse is refused here
    },
  });

/**
 * Bundles the functions and adds the brand's stack to the app. Context of the command line: `keepData=false` for a
 * stack to try things with, `alarmTopic=ARN` for who is told of alarms.
 */
export async function addBrand(app: App, brand: Brand): Promise<BrandStack> {
  const code = await stageBrand(brand, await buildFunctions());
  const topic: unknown = app.node.tryGetContext('alarmTopic');
  return new BrandStack(app, stackName(brand), {
    brand,
    code,
    keepData: String(app.node.tryGetContext('keepData')) !== 'false',
    alarmTopicArn: typeof topic === 'string' ? topic : undefined,
  });
}
