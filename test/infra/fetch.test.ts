// Scope: the stack of a brand with an account that asks its vendor, beside one without.
import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, test } from 'vitest';
import { env } from '../../functions/fetch.ts';
import { loadBrand } from '../../infra/brands/load.ts';
import { aStack, emptyBundles, functionNames, functionOf } from './a-stack.ts';

const demo = loadBrand('demo');
const wecom = { asks: { corpId: 'ww0123456789abcdef', fetch: ['messages'], secret: 'wecom-asks' } };
const brand = { ...demo, channels: { ...demo.channels, wecom } };
const code = emptyBundles([...functionNames, 'fetch']);
const stack = aStack('demo', { brand, code });
const without = aStack('demo', { code });

const functionsOf = (of: ReturnType<typeof aStack>, name: string) =>
  of.ofType('AWS::Lambda::Function').filter(([id]) => functionOf(id) === name);
const variablesOf = (of: ReturnType<typeof aStack>, name: string): string[] =>
  functionsOf(of, name).flatMap(([, { Properties }]) => Object.keys(Properties.Environment.Variables));
const policyOf = (name: RegExp): string =>
  JSON.stringify(stack.ofType('AWS::IAM::Policy').filter(([id]) => name.test(id)));

test('a brand asks only where it has an account that does', () => {
  expect(functionsOf(without, 'fetch')).toEqual([]);
  expect(functionsOf(stack, 'fetch')).toHaveLength(1);
});

test('the function has the variables that it reads; capture and quarantine know where to send', () => {
  expect(variablesOf(stack, 'fetch').sort()).toEqual(Object.keys(env.shape).sort());
  for (const name of ['capture', 'quarantine']) {
    expect(variablesOf(stack, name)).toContain('HINTS_URL');
    expect(variablesOf(without, name)).not.toContain('HINTS_URL');
  }
});

test('it may queue, read the secrets of channels, and read and put rows, and nothing else of the table', () => {
  const text = policyOf(/^FetchRole/);
  expect(text).toContain('secretsmanager:GetSecretValue');
  const rows = ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'];
  const keys = ['dynamodb:GetItem', 'dynamodb:PutItem'];
  expect(text.match(/dynamodb:\w+/g)?.sort()).toEqual([...rows, ...keys].sort());
  expect(text).not.toMatch(/sqs:\*|dynamodb:\*/);
});

test('a vendor may be away for a day before what it announced is a dead letter, and somebody is told', () => {
  const [source] = stack
    .ofType('AWS::Lambda::EventSourceMapping')
    .filter(([, { Properties }]) => functionOf(Properties.FunctionName.Ref) === 'fetch');
  expect(source?.[1].Properties).toMatchObject({
    BatchSize: 10,
    ScalingConfig: { MaximumConcurrency: 2 },
    FunctionResponseTypes: ['ReportBatchItemFailures'],
  });
  const queue = stack.resources[source?.[1].Properties.EventSourceArn['Fn::GetAtt'][0]]?.Properties;
  const seconds = queue.VisibilityTimeout * queue.RedrivePolicy.maxReceiveCount;
  expect(seconds).toBe(24 * 3600);
  expect(seconds).toBeLessThan(queue.MessageRetentionPeriod);
  const alarms = stack
    .ofType('AWS::CloudWatch::Alarm')
    .map(([, { Properties }]) => Properties.AlarmDescription);
  expect(alarms.filter((it: string) => /\bhints\b/.test(it))).toHaveLength(2);
});

test('the clock asks every ten minutes, and what it begins may ask itself for the rest', () => {
  const clocks = stack
    .ofType('AWS::Scheduler::Schedule')
    .filter(([, { Properties }]) => functionOf(Properties.Target.Arn['Fn::GetAtt'][0]) === 'fetch');
  expect(clocks.map(([, { Properties }]) => Properties.ScheduleExpression)).toEqual(['rate(10 minutes)']);
  expect(functionsOf(stack, 'fetch')[0]?.[1].Properties.RecursiveLoop).toBe('Allow');
});

test('breaks no rule of AWS Solutions', () => {
  const { violations } = new AwsSolutionsChecks().validateScope(stack.stack);
  expect(violations.map(({ ruleName }) => ruleName)).toEqual([]);
});
