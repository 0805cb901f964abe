// Scope: what the audit log and its alarm are given in the template.
import { expect, test } from 'vitest';
import { METRICS } from '../../lib/audit/watch.ts';
import { aStack, functionOf } from './a-stack.ts';

const demo = aStack('demo');

interface Statement {
  readonly Action: string | string[];
  readonly Condition?: object;
}

test('who answers questions may append to the audit log, and put no other row', () => {
  for (const name of ['query', 'identity', 'preview']) {
    const statements: Statement[] = demo
      .ofType('AWS::IAM::Policy')
      .filter(([id]) => functionOf(id) === name)
      .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement);
    const puts = statements.filter(({ Action }) => [Action].flat().includes('dynamodb:PutItem'));
    expect(puts).toHaveLength(1);
    expect(puts[0]).toMatchObject({
      Action: 'dynamodb:PutItem',
      Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['U#audit#*'] } },
    });
  }
});

test('the log is looked at every five minutes, and odd use of this brand’s keys wakes somebody', () => {
  const clocks = demo.ofType('AWS::Scheduler::Schedule').map(([, { Properties }]) => Properties);
  const mine = clocks.filter(({ Target }) => functionOf(Target.Arn['Fn::GetAtt'][0]) === 'privacy');
  expect(mine.map(({ ScheduleExpression }) => ScheduleExpression)).toEqual(['rate(5 minutes)']);
  const alarms = demo.ofType('AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);
  const [alarm, ...others] = alarms.filter(({ MetricName }) => MetricName === METRICS.oddUse);
  expect(others).toEqual([]);
  expect(alarm).toMatchObject({
    Namespace: METRICS.namespace,
    Dimensions: [{ Name: 'Brand', Value: 'demo' }],
    Threshold: 1,
    AlarmDescription: expect.stringContaining('#somebody-looks-at-many-people'),
  });
});
