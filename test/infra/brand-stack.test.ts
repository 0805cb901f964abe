// Scope: the synthesised template. What CloudFormation makes of it is AWS's; what runs in it is tested elsewhere.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { loadBrand } from '../../infra/brands/load.ts';
import { aStack, emptyBundles, functionNames, functionOf } from './a-stack.ts';

const root = resolve(import.meta.dirname, '../..');
let demo: ReturnType<typeof aStack>;
beforeAll(() => {
  demo = aStack('demo');
});

const NIGHTLY = 'cron(0 3 * * ? *)';

const properties = (type: string) => demo.ofType(type).map(([, { Properties }]) => Properties);

describe('the table', () => {
  test('can be restored to any second, forgets what is told to expire, is encrypted, and outlives its stack', () => {
    const [[, table]] = demo.ofType('AWS::DynamoDB::GlobalTable') as [
      [string, (typeof demo.resources)[string]],
    ];
    expect(table).toMatchObject({
      DeletionPolicy: 'Retain',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
        SSESpecification: { SSEEnabled: true },
        Replicas: [
          {
            DeletionProtectionEnabled: true,
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          },
        ],
      },
    });
    expect(demo.stack.terminationProtection).toBe(true);
  });

  test('of keys is encrypted and outlives its stack as well, and is in no backup', () => {
    const [, table] =
      demo.ofType('AWS::DynamoDB::GlobalTable').find(([id]) => id.startsWith('DataKeys')) ?? [];
    expect(table).toMatchObject({
      DeletionPolicy: 'Retain',
      Properties: { SSESpecification: { SSEEnabled: true }, Replicas: [{ DeletionProtectionEnabled: true }] },
    });
    expect(JSON.stringify(table)).not.toMatch(/PointInTimeRecovery|StreamSpecification|Kinesis/);
  });

  test('knows who is due next, by keys alone', () => {
    const [table] = properties('AWS::DynamoDB::GlobalTable');
    expect(table.GlobalSecondaryIndexes).toEqual([
      {
        IndexName: 'due',
        KeySchema: [
          { AttributeName: 'w', KeyType: 'HASH' },
          { AttributeName: 'due', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
    ]);
  });

  test('of a stack to try things with goes when the stack goes', () => {
    const trial = aStack('demo', { keepData: false });
    for (const type of ['AWS::DynamoDB::GlobalTable', 'AWS::SecretsManager::Secret'])
      for (const [, { DeletionPolicy }] of trial.ofType(type)) expect(DeletionPolicy).toBe('Delete');
    expect(trial.stack.terminationProtection).toBe(false);
  });
});

describe('queues', () => {
  const queues = () => demo.ofType('AWS::SQS::Queue');
  const working = () => queues().filter(([, { Properties }]) => Properties.RedrivePolicy);

  test('each has a dead-letter queue that keeps ten days longer than it does', () => {
    expect(working()).toHaveLength(6);
    const dead = new Map(queues().filter(([, { Properties }]) => !Properties.RedrivePolicy));
    for (const [, { Properties }] of working()) {
      const letters = dead.get(Properties.RedrivePolicy.deadLetterTargetArn['Fn::GetAtt'][0]);
      expect(letters?.Properties.MessageRetentionPeriod - Properties.MessageRetentionPeriod).toBe(864_000);
      expect(Properties.RedrivePolicy.maxReceiveCount).toBe(5);
    }
    expect(dead.size).toBe(working().length);
  });

  test('hide a message six times as long as its function may take, and bring back only what failed', () => {
    for (const source of properties('AWS::Lambda::EventSourceMapping')) {
      const queue = demo.resources[source.EventSourceArn['Fn::GetAtt'][0]];
      const fn = demo.resources[source.FunctionName.Ref];
      expect(queue?.Properties.VisibilityTimeout).toBe(6 * fn?.Properties.Timeout);
      expect(source.FunctionResponseTypes).toEqual(['ReportBatchItemFailures']);
    }
  });

  test('are encrypted, and refuse what does not come by TLS', () => {
    for (const [, { Properties }] of queues()) expect(Properties.SqsManagedSseEnabled).toBe(true);
    const policies = properties('AWS::SQS::QueuePolicy');
    expect(policies).toHaveLength(queues().length);
    for (const { PolicyDocument } of policies)
      expect(PolicyDocument.Statement).toMatchObject([
        { Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
      ]);
  });

  test('events wait at most a second to fill a batch of a hundred', () => {
    const [events] = properties('AWS::Lambda::EventSourceMapping').filter(
      ({ FunctionName }) => functionOf(FunctionName.Ref) === 'profile',
    );
    expect(events).toMatchObject({ BatchSize: 100, MaximumBatchingWindowInSeconds: 1 });
  });
});

describe('functions', () => {
  const functions = () => demo.ofType('AWS::Lambda::Function');

  test('are those of functions/, on Node 24 and arm64, traced, with a log that ends', () => {
    expect(
      functions()
        .map(([id]) => functionOf(id))
        .sort(),
    ).toEqual(functionNames);
    for (const [, { Properties }] of functions()) {
      expect(Properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        TracingConfig: { Mode: 'Active' },
      });
      const log = demo.resources[Properties.LoggingConfig.LogGroup.Ref];
      expect(log?.Properties.RetentionInDays).toBe(demo.brand.retention.logDays);
    }
  });

  test('that send themselves the rest of their work are not stopped for it after sixteen calls', () => {
    const allowed = functions().filter(([, { Properties }]) => Properties.RecursiveLoop === 'Allow');
    expect(allowed.map(([id]) => functionOf(id)).sort()).toEqual(['attribution', 'models', 'survey', 'tags']);
  });

  test('each file of functions/ is deployed', () => {
    const files = readdirSync(join(root, 'functions')).map((file) => file.replace(/\.ts$/, ''));
    // Those are for brands with an account that pulls or asks: their tests deploy them.
    expect(files.filter((file) => !functionNames.includes(file))).toEqual(['fetch', 'pull']);
  });

  test.each(functionNames)('%s is given exactly the variables that it reads', async (name) => {
    const file = join(root, 'functions', `${name}.ts`);
    if (!existsSync(file)) return expect.fail(`functions/${name}.ts is missing`);
    const { env } = await import(file);
    const [set] = functions().filter(([id]) => functionOf(id) === name);
    const always = Object.entries(env.shape).filter(([, it]) => !(it instanceof z.ZodOptional));
    expect(Object.keys(set?.[1].Properties.Environment?.Variables ?? {}).sort()).toEqual(
      always.map(([variable]) => variable).sort(),
    );
  });

  test('a missing bundle is named, not deployed without', () => {
    expect(() => aStack('demo', { code: emptyBundles(['capture']) })).toThrow(
      /functions\/attribution\.ts is missing/,
    );
  });

  test('a tick comes every minute, once', () => {
    const clocks = properties('AWS::Scheduler::Schedule');
    const [clock, ...others] = clocks.filter(
      ({ ScheduleExpression }) => ScheduleExpression === 'rate(1 minute)',
    );
    expect(others).toEqual([]);
    expect(clock).toMatchObject({
      ScheduleExpression: 'rate(1 minute)',
      Target: { RetryPolicy: { MaximumRetryAttempts: 0 } },
    });
    expect(functionOf(clock.Target.Arn['Fn::GetAtt'][0])).toBe('tags');
  });

  test('other settings of attribution are taken over within minutes, though no order comes', () => {
    const clocks = properties('AWS::Scheduler::Schedule');
    const [clock] = clocks.filter(({ ScheduleExpression }) => ScheduleExpression === 'rate(5 minutes)');
    expect(functionOf(clock.Target.Arn['Fn::GetAtt'][0])).toBe('attribution');
  });

  test('models are learned at three by the brand’s clock, where the brand names some', () => {
    expect(properties('AWS::Scheduler::Schedule').map((it) => it.ScheduleExpression)).not.toContain(NIGHTLY);
    const brand = loadBrand('demo');
    const models = { ...brand.models, nightly: ['markov' as const] };
    const { ofType } = aStack('demo', { brand: { ...brand, models } });
    const clocks = ofType('AWS::Scheduler::Schedule').map(([, { Properties }]) => Properties);
    const [clock] = clocks.filter(({ ScheduleExpression }) => ScheduleExpression === NIGHTLY);
    expect(clock.ScheduleExpressionTimezone).toBe('Asia/Shanghai');
    expect(functionOf(clock.Target.Arn['Fn::GetAtt'][0])).toBe('models');
  });
});

describe('permissions', () => {
  /** What a function may do: `verb on resource`, for everything but its own log and traces, and the keys of rows. */
  const mayDo = () => permissions((verb) => !/^(logs|xray):| on DataKeys$/.test(verb));
  function permissions(isMeant: (verb: string) => boolean): Record<string, string[]> {
    const may: Record<string, string[]> = {};
    for (const [id, { Properties }] of demo.ofType('AWS::IAM::Policy')) {
      const verbs = Properties.PolicyDocument.Statement.flatMap(({ Action, Resource, Effect }: Statement) => {
        expect(Effect).toBe('Allow');
        return [Action].flat().flatMap((verb) => [Resource].flat().map((on) => `${verb} on ${nameOf(on)}`));
      });
      may[id.includes('Clock') ? `the clock of ${functionOf(id)}` : functionOf(id)] = verbs
        .filter(isMeant)
        .sort();
    }
    return may;
  }
  interface Statement {
    readonly Effect: string;
    readonly Action: string | string[];
    readonly Resource: unknown;
  }
  // biome-ignore lint/suspicious/noExplicitAny: an ARN in a template is a string or an intrinsic function
  function nameOf(arn: any): string {
    if (typeof arn === 'string') return arn;
    if (arn['Fn::Join']) return arn['Fn::Join'][1].map(nameOf).join('');
    const id: string = arn.Ref ?? arn['Fn::GetAtt'][0];
    const secret = demo.resources[id]?.Properties.Name;
    return secret ?? id.replace(/(Queue|Function)?[0-9A-F]{8}$/, '');
  }

  test('are these, and no others', () => {
    const table = (verbs: string[]) => verbs.map((verb) => `dynamodb:${verb} on DataTable`);
    const take = (queue: string) =>
      ['DeleteMessage', 'GetQueueAttributes', 'ReceiveMessage'].map((verb) => `sqs:${verb} on ${queue}`);
    const send = (queue: string) => `sqs:SendMessage on ${queue}`;
    const secret = (name: string) => `secretsmanager:GetSecretValue on siyu/demo/${name}`;
    const readWrite = table(['GetItem', 'PutItem', 'Query']);
    const sweptQueues = [
      ...['AttributionConversions', 'ModelsWork', 'ProfileEvents', 'SurveySurveys', 'TagsRecompute'],
    ];
    expect(mayDo()).toEqual({
      capture: [
        ...['generic-crm', 'generic-pos', 'segment-server', 'segment-web', 'wechat-oa-main'].map(secret),
        send('ProfileEvents'),
      ],
      profile: [
        ...table(['DeleteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem']),
        secret('identity'),
        ...take('ProfileEvents'),
        send('AttributionConversions'),
      ],
      attribution: [
        ...table(['GetItem', 'PutItem', 'Query', 'Scan']),
        ...take('AttributionConversions'),
        send('AttributionConversions'),
      ],
      tags: [
        ...table(['DeleteItem', 'GetItem', 'PutItem', 'Query']),
        'dynamodb:Query on DataTable/index/due',
        ...table(['Scan']),
        ...take('TagsRecompute'),
        ...['AttributionConversions', 'SurveySurveys', 'TagsRecompute'].map(send),
      ],
      survey: [
        ...table(['GetItem', 'PutItem', 'Query', 'Scan']),
        ...take('SurveySurveys'),
        ...['SurveySurveys', 'TagsRecompute'].map(send),
      ],
      explain: [...readWrite, secret('identity')], // likewise
      lineage: [...readWrite, secret('identity')], // likewise
      models: [...table(['GetItem', 'PutItem', 'Query', 'Scan']), ...take('ModelsWork'), send('ModelsWork')],
      query: [...table(['GetItem', 'PutItem', 'Query']), secret('identity')], // PutItem: the audit log alone
      identity: [...readWrite, secret('identity'), send('ProfileEvents')], // likewise
      preview: [...readWrite, secret('identity')], // likewise
      privacy: [...readWrite, secret('identity')],
      requests: [...readWrite, secret('identity'), send('ErasureErasures'), send('ProfileEvents')],
      access: [...readWrite, secret('identity')], // PutItem: the audit log alone
      archive: [...readWrite, secret('identity')], // PutItem: the audit log alone
      erasure: [
        ...table(['DeleteItem', 'GetItem', 'PutItem', 'Query']),
        secret('identity'),
        ...take('ErasureErasures'),
        send('AttributionConversions'),
      ],
      sums: [
        ...table(['DeleteItem', 'GetItem', 'PutItem', 'Query']),
        ...['ModelsWork', 'SurveySurveys'].map(send),
      ],
      sweep: [
        ...[...readWrite, secret('identity')],
        ...[
          'sqs:GetQueueAttributes on ProfileEvents',
          ...sweptQueues
            .map((it) => `${it}DeadLetters`)
            .flatMap((it) => [`sqs:ChangeMessageVisibility on ${it}`, ...take(it), send(it)]),
        ].sort(),
      ],
      rules: [...readWrite, secret('identity'), send('SurveySurveys'), send('TagsRecompute')],
      quarantine: [...readWrite, send('ProfileEvents')],
      'the clock of privacy': ['lambda:InvokeFunction on Privacy'],
      'the clock of erasure': ['lambda:InvokeFunction on Erasure'],
      'the clock of sweep': ['lambda:InvokeFunction on Sweep'],
      'the clock of sums': ['lambda:InvokeFunction on Sums'],
      'the clock of tags': ['lambda:InvokeFunction on Tags'],
      'the clock of attribution': ['lambda:InvokeFunction on Attribution'],
    });
  });

  test('read keys, and put them where rows are put; nobody may list, remove or back them up', () => {
    const ofKeys = permissions((verb) => / on DataKeys$/.test(verb));
    const get = 'dynamodb:GetItem on DataKeys';
    for (const [name, verbs] of Object.entries(ofKeys)) {
      const touches = mayDo()[name]?.includes('dynamodb:GetItem on DataTable');
      expect(verbs, name).toEqual(expect.arrayContaining(touches ? [get] : []));
      expect(
        verbs.filter((verb) => verb !== get && verb !== 'dynamodb:PutItem on DataKeys'),
        name,
      ).toEqual([]);
    }
    for (const name of ['profile', 'tags', 'erasure'])
      expect(ofKeys[name]).toEqual([get, 'dynamodb:PutItem on DataKeys']);
    for (const name of ['query', 'archive']) expect(ofKeys[name]).toEqual([get]);
  });

  test('are named verbs, never a wildcard, and no managed policy adds to them', () => {
    for (const { PolicyDocument } of properties('AWS::IAM::Policy'))
      for (const { Action } of PolicyDocument.Statement)
        for (const verb of [Action].flat()) expect(verb).not.toContain('*');
    for (const role of properties('AWS::IAM::Role')) expect(role.ManagedPolicyArns).toBeUndefined();
  });

  test('what answers people may neither delete nor scan', () => {
    for (const name of ['capture', 'query', 'rules', 'quarantine'])
      expect(mayDo()[name]?.filter((verb) => /Delete|Scan|Update|Batch/.test(verb))).toEqual([]);
  });
});

describe('secrets', () => {
  test('the key of personal identifiers is made by AWS; those of channels are made empty', () => {
    const secrets = Object.fromEntries(
      properties('AWS::SecretsManager::Secret').map(({ Name, GenerateSecretString }) => [
        Name,
        GenerateSecretString,
      ]),
    );
    expect(secrets).toMatchObject({
      'siyu/demo/identity': { SecretStringTemplate: '{}', GenerateStringKey: 'key', PasswordLength: 64 },
    });
    expect(Object.keys(secrets)).toHaveLength(6);
    expect(Object.values(secrets).filter(Boolean)).toHaveLength(1);
    const text = JSON.stringify(demo.template.toJSON());
    expect(['"SecretString":', 'whsec_', 'development_'].filter((word) => text.includes(word))).toEqual([]);
  });
});

describe('alarms', () => {
  test('stand on every queue, every dead-letter queue, every function and the API', () => {
    const watched = properties('AWS::CloudWatch::Alarm').map(({ MetricName }) => MetricName);
    const count = (name: string) => watched.filter((metric) => metric === name).length;
    expect({
      late: count('ApproximateAgeOfOldestMessage'),
      dead: count('ApproximateNumberOfMessagesVisible'),
      errors: count('Errors'),
      throttles: count('Throttles'),
      api: count('5xx'),
    }).toEqual({ late: 6, dead: 6, errors: functionNames.length, throttles: functionNames.length, api: 1 });
  });

  test('each names a heading of docs/deploy.md that says what to do', () => {
    const headings = [...readFileSync(join(root, 'docs/deploy.md'), 'utf8').matchAll(/^#+ (.+)$/gm)].map(
      ([, heading]) =>
        heading
          ?.toLowerCase()
          .replace(/[^\w\s-]/g, '')
          .replaceAll(' ', '-'),
    );
    for (const { AlarmDescription } of properties('AWS::CloudWatch::Alarm')) {
      const anchor = /^demo: .+ Runbook: docs\/deploy\.md#([\w-]+)$/.exec(AlarmDescription)?.[1];
      expect(headings).toContain(anchor);
    }
  });

  test('tell the topic that was named', () => {
    const topic = 'arn:aws:sns:eu-west-1:123456789012:night-shift';
    const { ofType } = aStack('demo', { alarmTopicArn: topic });
    for (const [, { Properties }] of ofType('AWS::CloudWatch::Alarm'))
      expect(Properties.AlarmActions).toEqual([topic]);
  });
});

test('two brands share no name', () => {
  const names = (brand: string) => {
    const { stack, resources } = aStack(brand);
    const given = Object.values(resources).flatMap(({ Type, Properties }) =>
      Object.entries(Properties)
        // Within its role, its API, its metric's namespace: these name nothing that another brand could meet.
        .filter(([name]) => /Name$/.test(name) && !/^(Policy|Stage|Metric)Name$/.test(name))
        .filter(([, value]) => typeof value === 'string')
        .map(([, value]) => `${Type} ${value}`),
    );
    return [`stack ${stack.stackName}`, ...given];
  };
  const [demo, edu] = [names('demo'), names('demo-edu')];
  expect(demo).toContain('AWS::ApiGatewayV2::Api siyu-demo');
  expect(demo.filter((name) => edu.includes(name))).toEqual([]);
});
