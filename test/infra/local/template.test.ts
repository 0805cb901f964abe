// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of Fn::Sub are the template's own
import { expect, test } from 'vitest';
import { planOf } from '../../../infra/local/plan.ts';
import { type Place, readTemplate } from '../../../infra/local/template.ts';
import { smallTemplate } from './small-stack.ts';

const place: Place = {
  stack: 'siyu-x',
  region: 'us-east-1',
  account: '000000000000',
  apiUrl: 'http://127.0.0.1:1',
  queueUrl: (name) => `http://q/${name}`,
};
const read = (Resources: Record<string, unknown>, more: object = {}) =>
  readTemplate({ Resources, ...more }, place);
const queue = (properties: object = {}) => ({ Type: 'AWS::SQS::Queue', Properties: properties });

test('references become the names, addresses and ARNs that the run gives', () => {
  const table = 'T'; // stands in names that are made, not given
  const [fn] = read(
    {
      Fn: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          Table: { Ref: table },
          TableArn: { 'Fn::GetAtt': [table, 'Arn'] },
          Dotted: { 'Fn::GetAtt': 'Q.QueueName' },
          Queue: { Ref: 'Q' },
          Api: { 'Fn::GetAtt': ['A', 'ApiEndpoint'] },
          Joined: { 'Fn::Join': ['-', ['a', { Ref: 'AWS::Region' }, 7]] },
          Sub: { 'Fn::Sub': '${AWS::Partition}/${Q.Arn}/${T}/${!kept}' },
          SubWith: { 'Fn::Sub': ['${one}', { one: { Ref: 'Q' } }] },
          Picked: { 'Fn::Select': ['1', { 'Fn::Split': ['/', 'a/b/c'] }] },
          Gone: { Ref: 'AWS::NoValue' },
          Nested: [{ deep: { Ref: 'AWS::StackName' } }],
          Parameter: { Ref: 'P' },
        },
      },
      T: { Type: 'AWS::DynamoDB::GlobalTable' },
      Q: queue({ QueueName: { 'Fn::Join': ['', [{ Ref: 'AWS::StackName' }, '-q']] } }),
      A: { Type: 'AWS::ApiGatewayV2::Api' },
    },
    { Parameters: { P: { Type: 'String', Default: 'given' } } },
  );
  expect(fn?.properties).toEqual({
    Table: 'siyu-x-T',
    TableArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/siyu-x-T',
    Dotted: 'siyu-x-q',
    Queue: 'http://q/siyu-x-q',
    Api: 'http://127.0.0.1:1',
    Joined: 'a-us-east-1-7',
    Sub: 'aws/arn:aws:sqs:us-east-1:000000000000:siyu-x-q/siyu-x-T/${kept}',
    SubWith: 'http://q/siyu-x-q',
    Picked: 'b',
    Nested: [{ deep: 'siyu-x' }],
    Parameter: 'given',
  });
});

test.each([
  ['a type', { B: { Type: 'AWS::S3::Bucket' } }, 'does not know AWS::S3::Bucket (B)'],
  [
    'an intrinsic',
    { Q: queue({ DelaySeconds: { 'Fn::If': ['x', 1, 2] } }) },
    'Q.DelaySeconds: the local run does not know Fn::If',
  ],
  [
    'an attribute',
    { Q: queue({ Tags: { 'Fn::GetAtt': ['Q', 'Colour'] } }) },
    "does not know AWS::SQS::Queue's Colour",
  ],
  ['a resource', { Q: queue({ Tags: { Ref: 'Nobody' } }) }, 'refers to Nobody'],
  ['a condition', { Q: { ...queue(), Condition: 'Sometimes' } }, 'does not know conditions'],
  [
    'a name that is its own',
    { Q: queue({ QueueName: { 'Fn::GetAtt': ['Q', 'QueueName'] } }) },
    'refers to itself',
  ],
])('%s that the run does not know stops it', (_, resources, says) => {
  expect(() => read(resources)).toThrow(says);
});

const planWith = (change: (resources: ReturnType<typeof smallTemplate>['Resources']) => object) =>
  planOf(readTemplate({ Resources: change(smallTemplate().Resources) }, place), '/nowhere');

test.each([
  [
    'streams',
    (it) => ({
      ...it,
      Table: { ...it.Table, Properties: { ...it.Table.Properties, StreamSpecification: {} } },
    }),
    'has no streams',
  ],
  [
    'filters of messages',
    (it) => ({
      ...it,
      Source: { ...it.Source, Properties: { ...it.Source.Properties, FilterCriteria: {} } },
    }),
    'FilterCriteria',
  ],
  [
    'authorizers',
    (it) => ({
      ...it,
      Send: { ...it.Send, Properties: { ...it.Send.Properties, AuthorizationType: 'JWT' } },
    }),
    'no authorizers',
  ],
  [
    'stages by name',
    (it) => ({ ...it, Stage: { ...it.Stage, Properties: { StageName: 'prod' } } }),
    'stand in every path',
  ],
  ['FIFO queues', (it) => ({ ...it, Dead: { ...it.Dead, Properties: { FifoQueue: true } } }), 'FifoQueue'],
  [
    'functions without a bundle to be found',
    (it) => ({ ...it, Door: { ...it.Door, Metadata: {} } }),
    'aws:asset:path',
  ],
] satisfies [string, Parameters<typeof planWith>[0], string][])(
  '%s would behave otherwise on AWS, and stop the run',
  (_, change, says) => {
    expect(() => planWith(change)).toThrow(says);
  },
);

test('what guards and watches needs nothing, whatever it says', () => {
  expect(read({ R: { Type: 'AWS::IAM::Role', Properties: { X: { 'Fn::ImportValue': 'y' } } } })).toEqual([]);
});
