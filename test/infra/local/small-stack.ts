import { join } from 'node:path';
import { type Stack, type StackOptions, startStack } from '../../../infra/local/run.ts';

const fn = (name: string, variables: Record<string, unknown>, timeout = 3) => ({
  Type: 'AWS::Lambda::Function',
  Metadata: { 'aws:asset:path': name },
  Properties: {
    Handler: 'index.handler',
    MemorySize: 512,
    Timeout: timeout,
    Environment: { Variables: variables },
  },
});
const route = (key: string) => ({
  Type: 'AWS::ApiGatewayV2::Route',
  Properties: {
    ApiId: { Ref: 'Api' },
    RouteKey: key,
    Target: { 'Fn::Join': ['', ['integrations/', { Ref: 'Door1' }]] },
  },
});

/** A stack with one of everything: a door, a queue with dead letters, a clock, a table with a due index, a secret. */
export const smallTemplate = () => ({
  Resources: {
    Table: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        AttributeDefinitions: ['pk', 'sk', 'w', 'due'].map((AttributeName) => ({
          AttributeName,
          AttributeType: 'S',
        })),
        GlobalSecondaryIndexes: [
          {
            IndexName: 'due',
            KeySchema: [
              { AttributeName: 'w', KeyType: 'HASH' },
              { AttributeName: 'due', KeyType: 'RANGE' },
            ],
            Projection: { ProjectionType: 'KEYS_ONLY' },
          },
        ],
      },
    },
    Dead: { Type: 'AWS::SQS::Queue', Properties: { MessageRetentionPeriod: 1_209_600 } },
    Queue: {
      Type: 'AWS::SQS::Queue',
      Properties: {
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the template's own
        QueueName: { 'Fn::Sub': '${AWS::StackName}-messages' },
        VisibilityTimeout: 60,
        RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] }, maxReceiveCount: 2 },
      },
    },
    Key: {
      Type: 'AWS::SecretsManager::Secret',
      Properties: {
        Name: 'siyu/small/identity',
        GenerateSecretString: {
          SecretStringTemplate: '{}',
          GenerateStringKey: 'key',
          PasswordLength: 64,
          ExcludePunctuation: true,
        },
      },
    },
    Partner: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'siyu/small/partner' } },
    DoorRole: { Type: 'AWS::IAM::Role', Properties: { Whatever: { 'Fn::ImportValue': 'not looked at' } } },
    Door: fn('door', { QUEUE_URL: { Ref: 'Queue' }, API: { 'Fn::GetAtt': ['Api', 'ApiEndpoint'] } }, 1),
    Taker: fn('taker', { TABLE_NAME: { Ref: 'Table' } }),
    Waker: fn('waker', { TABLE_NAME: { Ref: 'Table' } }),
    Source: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        BatchSize: 20,
        MaximumBatchingWindowInSeconds: 1,
        EventSourceArn: { 'Fn::GetAtt': ['Queue', 'Arn'] },
        FunctionName: { Ref: 'Taker' },
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      },
    },
    Clock: {
      Type: 'AWS::Scheduler::Schedule',
      Properties: {
        ScheduleExpression: 'rate(1 minute)',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: { Arn: { 'Fn::GetAtt': ['Waker', 'Arn'] }, RoleArn: { 'Fn::GetAtt': ['DoorRole', 'Arn'] } },
      },
    },
    Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { Name: 'small', ProtocolType: 'HTTP' } },
    Stage: { Type: 'AWS::ApiGatewayV2::Stage', Properties: { ApiId: { Ref: 'Api' }, StageName: '$default' } },
    Door1: {
      Type: 'AWS::ApiGatewayV2::Integration',
      Properties: {
        ApiId: { Ref: 'Api' },
        IntegrationType: 'AWS_PROXY',
        IntegrationUri: { 'Fn::GetAtt': ['Door', 'Arn'] },
        PayloadFormatVersion: '2.0',
      },
    },
    Send: route('POST /send'),
    Show: route('ANY /show/{what}'),
  },
});

/** Starts the small stack, or what `change` makes of it, on any free port. */
export async function startSmall(
  options: Partial<StackOptions> = {},
  change: (template: ReturnType<typeof smallTemplate>) => unknown = (it) => it,
): Promise<Stack> {
  return startStack({
    template: change(smallTemplate()),
    assembly: join(import.meta.dirname, 'handlers'),
    stack: 'small',
    ...options,
  });
}

/** The rows of a partition, sort key first. */
export async function rowsOf(stack: Stack, pk: string) {
  const rows = [];
  for await (const row of stack.table().query(pk)) rows.push(row);
  return rows;
}
