// Scope: the stack of a brand with an account that is pulled, beside one without.
import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, test } from 'vitest';
import { env } from '../../functions/pull.ts';
import { loadBrand } from '../../infra/brands/load.ts';
import { aStack, emptyBundles, functionNames, functionOf } from './a-stack.ts';

const demo = loadBrand('demo');
const taobao = { main: { appKey: '21000001', secret: 'taobao' } };
const brand = { ...demo, channels: { ...demo.channels, 'taobao-tmc': taobao } };
const code = emptyBundles([...functionNames, 'pull']);
const stack = aStack('demo', { brand, code });

const pulls = (of: ReturnType<typeof aStack>) =>
  of.ofType('AWS::Lambda::Function').filter(([id]) => functionOf(id) === 'pull');

test('a brand is asked for only where it has an account that is pulled', () => {
  expect(pulls(aStack('demo', { code }))).toEqual([]);
  expect(pulls(stack)).toHaveLength(1);
});

test('the function has the variables that it reads', () => {
  const [[, fn] = []] = pulls(stack);
  expect(Object.keys(fn?.Properties.Environment.Variables)).toEqual(Object.keys(env.shape));
});

test('it may queue events and read the secrets of channels, and nothing of the table', () => {
  const [policy] = stack.ofType('AWS::IAM::Policy').filter(([id]) => /^PullRole/.test(id));
  const text = JSON.stringify(policy);
  expect(text).toContain('sqs:SendMessage');
  expect(text).toContain('secretsmanager:GetSecretValue');
  expect(text).not.toMatch(/dynamodb:|sqs:\*/);
});

test('the clock asks every minute, once: what was not confirmed comes again', () => {
  const clocks = stack
    .ofType('AWS::Scheduler::Schedule')
    .filter(([, { Properties }]) => functionOf(Properties.Target.Arn['Fn::GetAtt'][0]) === 'pull');
  expect(clocks.map(([, { Properties }]) => Properties)).toMatchObject([
    { ScheduleExpression: 'rate(1 minute)', Target: { RetryPolicy: { MaximumRetryAttempts: 0 } } },
  ]);
});

test('breaks no rule of AWS Solutions', () => {
  const { violations } = new AwsSolutionsChecks().validateScope(stack.stack);
  expect(violations.map(({ ruleName }) => ruleName)).toEqual([]);
});
