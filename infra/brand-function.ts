import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  Function as Lambda,
  RecursiveLoop,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Brand } from '../lib/platform/brand.ts';
import { type Alarms, FIVE_MINUTES } from './alarms.ts';

/** What all constructs of one brand share. */
export interface BrandContext {
  readonly brand: Brand;
  /** The folder of the brand's bundles, one folder a function (`stageBrand`). */
  readonly code: string;
  readonly alarms: Alarms;
  /** Whether what cannot be made again (table, secrets) outlives the stack. */
  readonly keepData: boolean;
}

export interface BrandFunctionProps {
  readonly context: BrandContext;
  /** The file in functions/, without its ending. */
  readonly name: string;
  /** What it does, as the console shows it. */
  readonly does: string;
  /** CPU comes with memory: 1,769 MB are one core. */
  readonly memoryMb: number;
  readonly timeout: Duration;
  /** It sends itself what one call cannot finish. Lambda takes that for an accident and stops it after 16 calls, unless told. */
  readonly sendsItself?: boolean;
}

/**
 * A function of the brand: its bundle on Node 24 and arm64, a role that may write its own log and its own traces and
 * nothing else, a log that ends, and alarms on its errors and throttles.
 */
export class BrandFunction extends Construct {
  readonly function: Lambda;

  constructor(scope: Construct, id: string, props: BrandFunctionProps) {
    super(scope, id);
    const { brand, code, alarms } = props.context;
    const dir = join(code, props.name);
    if (!existsSync(join(dir, 'index.mjs')))
      throw new Error(
        `${dir} holds no bundle: functions/${props.name}.ts is missing, or was not built and staged`,
      );

    const logGroup = new LogGroup(this, 'Log', {
      retention: brand.retention.logDays,
      removalPolicy: RemovalPolicy.DESTROY, // nothing in it is the only copy; kept, it would outlive its retention
    });
    // A role of our own: the managed one would let the function create and write every log of the account.
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);

    this.function = new Lambda(this, 'Function', {
      description: `${brand.name}: ${props.does}`,
      code: Code.fromAsset(dir),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: props.memoryMb,
      timeout: props.timeout,
      tracing: Tracing.ACTIVE,
      ...(props.sendsItself && { recursiveLoop: RecursiveLoop.ALLOW }),
      logGroup,
      role,
    });
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'xray:PutTraceSegments and xray:PutTelemetryRecords know no resources; nothing else is granted on *.',
    });

    alarms.on(`${id}Errors`, {
      metric: this.function.metricErrors({ period: FIVE_MINUTES }),
      threshold: 1,
      points: [2, 3],
      means: `the function ${props.name} keeps failing.`,
      runbook: 'a-function-fails',
    });
    alarms.on(`${id}Throttles`, {
      metric: this.function.metricThrottles({ period: FIVE_MINUTES }),
      threshold: 1,
      points: [2, 3],
      means: `the function ${props.name} is refused concurrency.`,
      runbook: 'a-function-is-throttled',
    });
  }
}
