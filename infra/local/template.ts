// A synthesised CloudFormation template → its resources with every reference resolved, for the local run.
import { z } from 'zod';

const resource = z.looseObject({
  Type: z.string(),
  Condition: z.string().optional(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  Metadata: z.record(z.string(), z.unknown()).default({}),
});

const template = z.looseObject({
  Parameters: z.record(z.string(), z.looseObject({ Type: z.string(), Default: z.unknown() })).default({}),
  Resources: z.record(z.string(), resource),
});

/** What CloudFormation would know about where it deploys to. */
export interface Place {
  readonly stack: string;
  readonly region: string;
  readonly account: string;
  /** Where the HTTP API answers, without a slash at the end. */
  readonly apiUrl: string;
  /** The URL of the queue of that name. */
  readonly queueUrl: (name: string) => string;
}

/** A resource whose properties hold no reference any more. */
export interface Resource {
  readonly id: string;
  readonly type: string;
  /** The physical name, as given or as the stack would make one. */
  readonly name: string;
  readonly arn: string;
  readonly properties: Record<string, unknown>;
  readonly metadata: Record<string, unknown>;
}

interface Kind {
  /** The property that holds the physical name. */
  readonly nameIn?: string;
  readonly arn: (name: string, place: Place) => string;
  /** What `Ref` gives; the name unless said otherwise. */
  readonly ref?: (name: string, place: Place) => string;
  /** What `Fn::GetAtt` gives, besides `Arn`. */
  readonly attributes?: Record<string, (name: string, place: Place) => string>;
}

const arnOf =
  (service: string, before = '') =>
  (name: string, { region, account }: Place) =>
    `arn:aws:${service}:${region}:${account}:${before}${name}`;

const tableKind: Kind = { nameIn: 'TableName', arn: arnOf('dynamodb', 'table/') };

/** The types that the run gives life to. */
const kinds: Record<string, Kind> = {
  'AWS::DynamoDB::Table': tableKind,
  'AWS::DynamoDB::GlobalTable': tableKind,
  'AWS::SQS::Queue': {
    nameIn: 'QueueName',
    arn: arnOf('sqs'),
    ref: (name, place) => place.queueUrl(name),
    attributes: { QueueName: (name) => name, QueueUrl: (name, place) => place.queueUrl(name) },
  },
  'AWS::Lambda::Function': { nameIn: 'FunctionName', arn: arnOf('lambda', 'function:') },
  'AWS::Lambda::EventSourceMapping': { arn: arnOf('lambda', 'event-source-mapping:') },
  'AWS::SecretsManager::Secret': {
    nameIn: 'Name',
    arn: arnOf('secretsmanager', 'secret:'),
    ref: arnOf('secretsmanager', 'secret:'),
  },
  'AWS::Scheduler::Schedule': { nameIn: 'Name', arn: arnOf('scheduler', 'schedule/default/') },
  'AWS::ApiGatewayV2::Api': {
    arn: arnOf('apigateway', '/apis/'),
    ref: () => 'local',
    attributes: { ApiId: () => 'local', ApiEndpoint: (_, place) => place.apiUrl },
  },
  'AWS::ApiGatewayV2::Integration': { arn: arnOf('apigateway', 'integrations/') },
  'AWS::ApiGatewayV2::Route': { arn: arnOf('apigateway', 'routes/') },
  'AWS::ApiGatewayV2::Stage': { nameIn: 'StageName', arn: arnOf('apigateway', 'stages/') },
};

/**
 * The types that need nothing here: they guard, watch or allow what the others do. Their properties are not looked
 * at, so whatever intrinsics they use need not be known.
 */
const inert = new Set([
  'AWS::ApiGateway::Account',
  'AWS::CDK::Metadata',
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::CompositeAlarm',
  'AWS::CloudWatch::Dashboard',
  'AWS::IAM::ManagedPolicy',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::KMS::Alias',
  'AWS::KMS::Key',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::Permission',
  'AWS::Logs::LogGroup',
  'AWS::Logs::MetricFilter',
  'AWS::SNS::Topic',
  'AWS::SNS::TopicPolicy',
  'AWS::SQS::QueuePolicy',
  'AWS::Scheduler::ScheduleGroup',
  'AWS::SecretsManager::ResourcePolicy',
]);

/** The longest name that a queue may have, the shortest of all limits. */
const NAME_LENGTH = 80;

/**
 * Reads a template and resolves `Ref`, `Fn::GetAtt`, `Fn::Join`, `Fn::Sub`, `Fn::Select`, `Fn::Split` and pseudo
 * parameters in every resource that the run gives life to.
 *
 * @throws if the template has a type, an intrinsic, a condition or a reference that the run does not know: a run
 *   that skipped it would not be what deploys
 */
export function readTemplate(json: unknown, place: Place): Resource[] {
  const { Resources, Parameters } = template.parse(json);
  const unknown = Object.entries(Resources).filter(([, { Type }]) => !kinds[Type] && !inert.has(Type));
  if (unknown.length > 0)
    throw new Error(
      `the local run does not know ${unknown.map(([id, { Type }]) => `${Type} (${id})`).join(', ')}: ` +
        'teach it in infra/local/template.ts, or list the type there as one that needs nothing',
    );

  const naming = new Set<string>();
  const nameOf = (id: string): string => {
    const { Type, Properties } = Resources[id]!;
    const property = kinds[Type]?.nameIn;
    const given = property === undefined ? undefined : Properties[property];
    if (given === undefined) return `${place.stack}-${id}`.slice(0, NAME_LENGTH);
    if (naming.has(id)) throw new Error(`${id}: its name refers to itself`);
    naming.add(id);
    const name = z.string().parse(resolve(given, `${id}.${property}`));
    naming.delete(id);
    return name;
  };
  // What needs nothing has an address all the same: a function may name its role, a schedule its group.
  const kindOf = (id: string): Kind => kinds[Resources[id]!.Type] ?? { arn: arnOf('inert') };

  const pseudo: Record<string, unknown> = {
    'AWS::AccountId': place.account,
    'AWS::NoValue': undefined,
    'AWS::Partition': 'aws',
    'AWS::Region': place.region,
    'AWS::StackId': `arn:aws:cloudformation:${place.region}:${place.account}:stack/${place.stack}/local`,
    'AWS::StackName': place.stack,
    'AWS::URLSuffix': 'amazonaws.com',
  };

  function ref(target: string, at: string): unknown {
    if (Object.hasOwn(pseudo, target)) return pseudo[target];
    if (Resources[target]) {
      const name = nameOf(target);
      return kindOf(target).ref?.(name, place) ?? name;
    }
    const parameter = Parameters[target];
    if (parameter && !parameter.Type.startsWith('AWS::SSM') && parameter.Default !== undefined)
      return parameter.Default;
    throw new Error(`${at}: refers to ${target}, which the template does not say`);
  }

  function attribute(target: string, name: string, at: string): string {
    if (!Resources[target]) throw new Error(`${at}: refers to ${target}, which the template does not have`);
    const kind = kindOf(target);
    const give = name === 'Arn' ? kind.arn : kind.attributes?.[name];
    if (!give) throw new Error(`${at}: the local run does not know ${Resources[target].Type}'s ${name}`);
    return give(nameOf(target), place);
  }

  const pair = z.tuple([z.string(), z.string()]);
  const intrinsics: Record<string, (argument: unknown, at: string) => unknown> = {
    Ref: (argument, at) => ref(z.string().parse(argument), at),
    'Fn::GetAtt': (argument, at) => {
      const [target, name] =
        typeof argument === 'string'
          ? [argument.slice(0, argument.indexOf('.')), argument.slice(argument.indexOf('.') + 1)]
          : pair.parse(argument);
      return attribute(target, name, at);
    },
    'Fn::Join': (argument, at) => {
      const [separator, list] = z.tuple([z.string(), z.unknown()]).parse(argument);
      return z
        .array(z.union([z.string(), z.number()]))
        .parse(resolve(list, at))
        .join(separator);
    },
    'Fn::Split': (argument, at) => {
      const [separator, text] = z.tuple([z.string(), z.unknown()]).parse(argument);
      return z.string().parse(resolve(text, at)).split(separator);
    },
    'Fn::Select': (argument, at) => {
      const [index, list] = z.tuple([z.coerce.number(), z.unknown()]).parse(argument);
      const chosen = z.array(z.unknown()).parse(resolve(list, at))[index];
      if (chosen === undefined) throw new Error(`${at}: Fn::Select finds nothing at ${index}`);
      return chosen;
    },
    'Fn::Sub': (argument, at) => {
      const [text, values] =
        typeof argument === 'string'
          ? [argument, {}]
          : z.tuple([z.string(), z.record(z.string(), z.unknown())]).parse(argument);
      return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
        if (literal) return `\${${name}}`;
        if (Object.hasOwn(values, name)) return String(resolve(values[name], at));
        const [target = '', ...rest] = name.split('.');
        return String(rest.length > 0 ? attribute(target, rest.join('.'), at) : ref(name, at));
      });
    },
  };

  function resolve(value: unknown, at: string): unknown {
    if (Array.isArray(value))
      return value.map((entry, i) => resolve(entry, `${at}[${i}]`)).filter((entry) => entry !== undefined);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [[name, argument] = ['', undefined]] = entries;
    if (entries.length === 1 && (name === 'Ref' || name.startsWith('Fn::') || name === 'Condition')) {
      const intrinsic = intrinsics[name];
      if (!intrinsic) throw new Error(`${at}: the local run does not know ${name}`);
      return intrinsic(argument, at);
    }
    return Object.fromEntries(
      entries
        .map(([key, entry]) => [key, resolve(entry, `${at}.${key}`)] as const)
        .filter(([, entry]) => entry !== undefined),
    );
  }

  return Object.entries(Resources)
    .filter(([, { Type }]) => !inert.has(Type))
    .map(([id, { Type, Condition, Properties, Metadata }]) => {
      if (Condition !== undefined) throw new Error(`${id}: the local run does not know conditions`);
      const properties = z.record(z.string(), z.unknown()).parse(resolve(Properties, id));
      const name = nameOf(id);
      return { id, type: Type, name, arn: kindOf(id).arn(name, place), properties, metadata: Metadata };
    });
}
