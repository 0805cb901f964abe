// Scope: what AWS's own rule pack finds in the synthesised stack. Each exception stands, with its reason, beside the resource.
import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, test } from 'vitest';
import { aStack } from './a-stack.ts';

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
