// What the resources of a template ask of the run: tables, queues, functions and what sets them off.
import { basename, resolve } from 'node:path';
import { z } from 'zod';
import type { Resource } from './template.ts';

const keySchema = z
  .array(z.strictObject({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }))
  .min(1);
const index = z.looseObject({
  IndexName: z.string(),
  KeySchema: keySchema,
  Projection: z.looseObject({
    ProjectionType: z.enum(['ALL', 'KEYS_ONLY', 'INCLUDE']),
    NonKeyAttributes: z.array(z.string()).optional(),
  }),
});
const table = z.looseObject({
  KeySchema: keySchema,
  AttributeDefinitions: z.array(
    z.strictObject({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) }),
  ),
  GlobalSecondaryIndexes: z.array(index).default([]),
  LocalSecondaryIndexes: z.undefined({ error: 'the local run counts no local index' }).optional(),
  TimeToLiveSpecification: z
    .looseObject({ AttributeName: z.string().optional(), Enabled: z.boolean() })
    .optional(),
  StreamSpecification: z.undefined({ error: 'the embedded DynamoDB has no streams' }).optional(),
});
const queue = z.strictObject({
  QueueName: z.string().optional(),
  VisibilityTimeout: z.int().min(0).default(30),
  DelaySeconds: z.int().min(0).default(0),
  MessageRetentionPeriod: z.int().default(345_600),
  MaximumMessageSize: z.int().optional(),
  ReceiveMessageWaitTimeSeconds: z.int().optional(),
  RedrivePolicy: z
    .looseObject({ deadLetterTargetArn: z.string(), maxReceiveCount: z.coerce.number() })
    .optional(),
  RedriveAllowPolicy: z.unknown().optional(),
  KmsMasterKeyId: z.unknown().optional(),
  KmsDataKeyReusePeriodSeconds: z.unknown().optional(),
  SqsManagedSseEnabled: z.unknown().optional(),
  Tags: z.unknown().optional(),
});
const lambda = z.looseObject({
  Handler: z.string(),
  Timeout: z.int().default(3),
  MemorySize: z.int().default(128),
  Environment: z
    .strictObject({ Variables: z.record(z.string(), z.coerce.string()).default({}) })
    .default({ Variables: {} }),
});
const mapping = z.strictObject({
  EventSourceArn: z.string(),
  FunctionName: z.string(),
  BatchSize: z.int().min(1).max(10_000).default(10),
  MaximumBatchingWindowInSeconds: z.int().min(0).max(300).default(0),
  FunctionResponseTypes: z.array(z.literal('ReportBatchItemFailures')).default([]),
  Enabled: z.boolean().default(true),
  ScalingConfig: z.unknown().optional(), // one batch at a time runs here, which is within any limit
  ProvisionedPollerConfig: z.unknown().optional(),
  MetricsConfig: z.unknown().optional(),
  Tags: z.unknown().optional(),
});
const route = z.looseObject({
  RouteKey: z.string(),
  Target: z.string(),
  AuthorizationType: z.literal('NONE', { error: 'the local run knows no authorizers' }).default('NONE'),
});
const integration = z.looseObject({
  IntegrationType: z.literal('AWS_PROXY'),
  IntegrationUri: z.string(),
  PayloadFormatVersion: z.literal('2.0'),
  TimeoutInMillis: z.int().max(30_000).default(30_000),
});
const stage = z.looseObject({
  StageName: z.literal('$default', { error: 'a stage of another name would stand in every path' }),
});
const api = z.looseObject({
  ProtocolType: z.literal('HTTP'),
  CorsConfiguration: z.undefined({ error: 'the local run answers no preflight by itself' }).optional(),
});
const schedule = z.looseObject({
  ScheduleExpression: z.string(),
  ScheduleExpressionTimezone: z.string().default('UTC'),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  Target: z.looseObject({ Arn: z.string(), Input: z.string().optional() }),
});
const secret = z.looseObject({
  SecretString: z.string().optional(),
  GenerateSecretString: z
    .strictObject({
      SecretStringTemplate: z.string().optional(),
      GenerateStringKey: z.string().optional(),
      PasswordLength: z.int().min(1).max(4096).default(32),
      ExcludeCharacters: z.string().default(''),
      ExcludeLowercase: z.boolean().default(false),
      ExcludeNumbers: z.boolean().default(false),
      ExcludePunctuation: z.boolean().default(false),
      ExcludeUppercase: z.boolean().default(false),
      IncludeSpace: z.boolean().default(false),
      RequireEachIncludedType: z.boolean().default(true),
    })
    .optional(),
});

export interface IndexPlan {
  readonly name: string;
  readonly hash: string;
  readonly range?: string;
  /** The attributes that an entry holds; undefined: all of them. */
  readonly attributes?: readonly string[];
}
export interface TablePlan {
  readonly name: string;
  readonly hash: string;
  readonly range?: string;
  readonly types: Readonly<Record<string, 'S' | 'N' | 'B'>>;
  readonly indexes: readonly IndexPlan[];
  /** The attribute that says when a row expires, in seconds since 1970. */
  readonly expires?: string;
}
export interface QueuePlan {
  readonly name: string;
  readonly arn: string;
  readonly visibilityMs: number;
  readonly delayMs: number;
  readonly retentionMs: number;
  readonly redrive?: { readonly to: string; readonly after: number };
}
export interface FunctionPlan {
  /** The short name: that of its bundle, as in functions/. */
  readonly name: string;
  readonly functionName: string;
  readonly arn: string;
  /** The bundle's folder and the handler in it, as `file.export`. */
  readonly directory: string;
  readonly handler: string;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
}
export interface RoutePlan {
  /** `*` is every method. */
  readonly method: string;
  readonly path: string;
  readonly key: string;
  readonly functionArn: string;
  readonly timeoutMs: number;
}
export interface SourcePlan {
  readonly queueArn: string;
  readonly functionArn: string;
  readonly batchSize: number;
  readonly windowMs: number;
  readonly reportsFailures: boolean;
}
export interface SchedulePlan {
  readonly name: string;
  readonly arn: string;
  readonly expression: string;
  readonly timezone: string;
  readonly functionArn: string;
  readonly input?: string;
}
export interface SecretPlan {
  readonly name: string;
  readonly arn: string;
  readonly text?: string;
  readonly generate?: z.infer<typeof secret>['GenerateSecretString'];
}
export interface Plan {
  readonly tables: readonly TablePlan[];
  readonly queues: readonly QueuePlan[];
  readonly functions: readonly FunctionPlan[];
  readonly routes: readonly RoutePlan[];
  readonly sources: readonly SourcePlan[];
  readonly schedules: readonly SchedulePlan[];
  readonly secrets: readonly SecretPlan[];
}

/**
 * Makes the plan of a run. Behaviour that the run could not keep (streams, authorizers, filters, aliases) is an
 * error here and not a surprise later.
 *
 * @param assembly the folder that the template's asset paths are relative to
 */
export function planOf(resources: readonly Resource[], assembly: string): Plan {
  const of = <Shape extends z.ZodType>(types: string[], shape: Shape) =>
    resources
      .filter(({ type }) => types.includes(type))
      .map((resource) => {
        const parsed = shape.safeParse(resource.properties);
        if (!parsed.success)
          throw new Error(`${resource.id} (${resource.type}): ${z.prettifyError(parsed.error)}`);
        return { ...resource, properties: parsed.data };
      });

  of(['AWS::ApiGatewayV2::Api'], api);
  of(['AWS::ApiGatewayV2::Stage'], stage);
  const integrations = new Map(
    of(['AWS::ApiGatewayV2::Integration'], integration).map(({ name, properties }) => [name, properties]),
  );
  const functions = of(['AWS::Lambda::Function'], lambda).map(
    ({ id, name, arn, properties, metadata }): FunctionPlan => {
      const asset = z.string().safeParse(metadata['aws:asset:path']);
      if (!asset.success)
        throw new Error(`${id}: no aws:asset:path; synthesise with aws:cdk:enable-asset-metadata set`);
      const directory = resolve(assembly, asset.data);
      return {
        name: shortName(directory, name),
        functionName: name,
        arn,
        directory,
        handler: properties.Handler,
        timeoutMs: properties.Timeout * 1000,
        memoryMb: properties.MemorySize,
        environment: properties.Environment.Variables,
      };
    },
  );
  const functionArn = (named: string, by: string): string => {
    const found = functions.find(
      ({ arn, functionName }) => [arn, functionName].includes(named) || named.includes(`${arn}/`),
    );
    if (!found) throw new Error(`${by}: its function ${named} is not in the template`);
    return found.arn;
  };

  return {
    functions,
    tables: of(['AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable'], table).map(tablePlan),
    queues: of(['AWS::SQS::Queue'], queue).map(({ name, arn, properties }) => ({
      name,
      arn,
      visibilityMs: properties.VisibilityTimeout * 1000,
      delayMs: properties.DelaySeconds * 1000,
      retentionMs: properties.MessageRetentionPeriod * 1000,
      redrive: properties.RedrivePolicy && {
        to: properties.RedrivePolicy.deadLetterTargetArn,
        after: properties.RedrivePolicy.maxReceiveCount,
      },
    })),
    routes: of(['AWS::ApiGatewayV2::Route'], route).map(({ id, properties }) => {
      const target = integrations.get(properties.Target.replace(/^integrations\//, ''));
      if (!target) throw new Error(`${id}: its target ${properties.Target} is not an integration`);
      const [method, path] = /^(\S+) (\/\S*)$/.exec(properties.RouteKey)?.slice(1) ?? [];
      if (properties.RouteKey !== '$default' && (!method || !path))
        throw new Error(`${id}: the route key ${properties.RouteKey} is not a method and a path`);
      return {
        method: method === undefined || method === 'ANY' ? '*' : method,
        path: path ?? '/{proxy+}',
        key: properties.RouteKey,
        functionArn: functionArn(target.IntegrationUri, id),
        timeoutMs: target.TimeoutInMillis,
      };
    }),
    sources: of(['AWS::Lambda::EventSourceMapping'], mapping)
      .filter(({ properties }) => properties.Enabled)
      .map(({ id, properties }) => ({
        queueArn: properties.EventSourceArn,
        functionArn: functionArn(properties.FunctionName, id),
        batchSize: properties.BatchSize,
        windowMs: properties.MaximumBatchingWindowInSeconds * 1000,
        reportsFailures: properties.FunctionResponseTypes.length > 0,
      })),
    schedules: of(['AWS::Scheduler::Schedule'], schedule)
      .filter(({ properties }) => properties.State === 'ENABLED')
      .map(({ id, name, arn, properties }) => ({
        name,
        arn,
        expression: properties.ScheduleExpression,
        timezone: properties.ScheduleExpressionTimezone,
        functionArn: functionArn(properties.Target.Arn, id),
        input: properties.Target.Input,
      })),
    secrets: of(['AWS::SecretsManager::Secret'], secret).map(({ name, arn, properties }) => ({
      name,
      arn,
      text: properties.SecretString,
      generate: properties.GenerateSecretString,
    })),
  };
}

/** A staged asset's folder is called by its digest; then the physical name has to do. */
function shortName(directory: string, functionName: string): string {
  const folder = basename(directory);
  return folder.startsWith('asset.') ? functionName : folder;
}

function tablePlan({ name, properties }: { name: string; properties: z.infer<typeof table> }): TablePlan {
  const main = keysOf(properties.KeySchema);
  return {
    name,
    ...main,
    expires: properties.TimeToLiveSpecification?.Enabled
      ? properties.TimeToLiveSpecification.AttributeName
      : undefined,
    types: Object.fromEntries(
      properties.AttributeDefinitions.map(({ AttributeName, AttributeType }) => [
        AttributeName,
        AttributeType,
      ]),
    ),
    indexes: properties.GlobalSecondaryIndexes.map(({ IndexName, KeySchema, Projection }) => {
      const own = keysOf(KeySchema);
      const held = [main.hash, main.range, own.hash, own.range, ...(Projection.NonKeyAttributes ?? [])];
      return {
        name: IndexName,
        ...own,
        attributes:
          Projection.ProjectionType === 'ALL'
            ? undefined
            : [...new Set(held.filter((it) => it !== undefined))],
      };
    }),
  };
}

function keysOf(schema: z.infer<typeof keySchema>): { hash: string; range?: string } {
  const named = (kind: string) => schema.find(({ KeyType }) => KeyType === kind)?.AttributeName;
  return { hash: named('HASH') ?? schema[0]!.AttributeName, range: named('RANGE') };
}
