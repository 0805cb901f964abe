// Scope: what rules of others find in the synthesised stack: AWS's rule pack, and CloudFormation's own schemas.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CfnResource, type Stack } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterEach, expect, test } from 'vitest';
import { aBareStack, aStack } from './a-stack.ts';

/** Each exception stands, with its reason, beside the resource. */
test.each(['demo', 'demo-edu'])('the stack of %s breaks no rule of AWS Solutions', (name) => {
  const { stack } = aStack(name);
  const { violations } = new AwsSolutionsChecks().validateScope(stack);
  expect(
    violations.map(({ ruleName, violatingResources }) => [
      ruleName,
      violatingResources.map(({ constructPath }) => constructPath),
    ]),
  ).toEqual([]);
});

/** Synthesises as the command line does: with what CloudFormation would refuse refused here. */
function synth(change: (stack: Stack) => void = () => {}): string {
  process.env.CDK_VALIDATION = 'true';
  const { app, stack } = aBareStack('demo');
  change(stack);
  app.synth();
  return readFileSync(join(app.outdir, 'validation-report.json'), 'utf8');
}
afterEach(() => {
  process.exitCode = 0; // the CDK reports by it, too
});

test('the template is what CloudFormation takes', () => {
  expect(JSON.parse(synth()).pluginReports).toEqual([]);
});

test('a property that CloudFormation does not know is refused', () => {
  const wrong = (stack: Stack) =>
    new CfnResource(stack, 'Wrong', { type: 'AWS::SQS::Queue', properties: { Colour: 'red' } });
  expect(() => synth(wrong)).toThrow(/'Colour' was unexpected/);
});
