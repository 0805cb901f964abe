// Scope: every dead-letter queue says what of persons it holds, and is looked through if there is anything.
import { expect, test } from 'vitest';
import { loadBrand } from '../../infra/brands/load.ts';
import { QueueConsumer } from '../../infra/queue-consumer.ts';
import { addressOf, type QueueName, queues } from '../../lib/privacy/queues.ts';
import { aStack, emptyBundles, functionNames } from './a-stack.ts';

const demo = loadBrand('demo');
const wecom = { asks: { corpId: 'ww0123456789abcdef', fetch: ['messages'], secret: 'wecom-asks' } };

/** The stack of a brand that has every queue there is. */
const { stack, ofType, resources } = aStack('demo', {
  brand: { ...demo, channels: { ...demo.channels, wecom } },
  code: emptyBundles([...functionNames, 'fetch']),
});
const ofSweep = (type: string) =>
  ofType(type).flatMap(([id, { Properties }]) => (id.startsWith('Sweep') ? [Properties] : []));

test('each is one of those that are judged by what they hold, and none is there twice', () => {
  const consumers = stack.node.findAll().filter((it) => it instanceof QueueConsumer);
  const dead = ofType('AWS::SQS::Queue').filter(([, { Properties }]) => !Properties.RedrivePolicy);
  expect(consumers.map(({ name }) => name).sort()).toEqual(Object.keys(queues).sort());
  expect(dead).toHaveLength(consumers.length);
});

test('the sweep is told where those are that may name persons, may do there what it does, and nothing to others', () => {
  const [{ Environment }] = ofSweep('AWS::Lambda::Function');
  const variables: Record<string, { Ref: string }> = Environment.Variables;
  const told = (Object.keys(queues) as QueueName[])
    .filter((name) => queues[name] !== 'nothing')
    .map((name) => variables[addressOf(name)]?.Ref);
  const verbs = ofSweep('AWS::IAM::Policy')
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .filter(({ Action }) => [Action].flat().some((verb) => verb.startsWith('sqs:')));
  const [counted, ...more] = verbs.filter(({ Action }) => Action === 'sqs:GetQueueAttributes');
  expect([counted?.Resource['Fn::GetAtt'][0], more]).toEqual([variables.EVENTS_URL?.Ref, []]); // the live one
  const granted = verbs
    .filter((it) => it !== counted)
    .flatMap(({ Resource }) => [Resource].flat().map((it) => it['Fn::GetAtt'][0]));
  expect(granted.sort()).toEqual(told.sort());
  expect(Object.keys(variables).filter((name) => name.endsWith('_DEAD_URL'))).toHaveLength(told.length);
  for (const id of granted) expect(resources[id]?.Properties.RedrivePolicy).toBeUndefined();
});

test('a run is over before the letters that it held are seen again, and before the next', () => {
  expect(ofSweep('AWS::Lambda::Function')[0].Timeout).toBe(300);
  expect(ofSweep('AWS::Scheduler::Schedule')[0].ScheduleExpression).toBe('rate(10 minutes)');
});

test('an alarm on dead letters lasts while a sweep hides them', () => {
  const dead = ofType('AWS::CloudWatch::Alarm').filter(
    ([, { Properties }]) => Properties.MetricName === 'ApproximateNumberOfMessagesVisible',
  );
  expect(dead).toHaveLength(Object.keys(queues).length);
  for (const [, { Properties }] of dead)
    expect([Properties.DatapointsToAlarm, Properties.EvaluationPeriods]).toEqual([1, 15]);
});
