import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { FIVE_MINUTES } from './alarms.ts';
import type { BrandContext, BrandFunction } from './brand-function.ts';

export interface ApiProps {
  readonly context: BrandContext;
}

/** Paths and the methods that they answer to. */
export type Routes = Readonly<Record<`/${string}`, readonly ('GET' | 'POST' | 'PUT' | 'OPTIONS')[]>>;

/** The brand's one door: an HTTP API, which costs less than a third of a REST API. */
export class Api extends Construct {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  private readonly api: HttpApi;

  constructor(scope: Construct, id: string, { context }: ApiProps) {
    super(scope, id);
    const { brand, alarms } = context;
    this.api = new HttpApi(this, 'Http', { apiName: `siyu-${brand.name}`, createDefaultStage: false });
    const log = new LogGroup(this, 'AccessLog', {
      // Deliveries to this prefix share one policy of the account; elsewhere each adds to one that may not grow.
      logGroupName: `/aws/vendedlogs/siyu/${brand.name}/api`,
      retention: brand.retention.logDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      // A flood is answered with 429, which senders retry, before it becomes a bill: 2,000 a second are about $20 an hour.
      throttle: { rateLimit: 2_000, burstLimit: 4_000 },
      accessLogSettings: {
        destination: new LogGroupLogDestination(log),
        // The route and not the path, no query and no address: all three hold what points to a person.
        format: AccessLogFormat.custom(
          JSON.stringify({
            at: '$context.requestTime',
            request: '$context.requestId',
            route: '$context.routeKey',
            status: '$context.status',
            ms: '$context.responseLatency',
            functionMs: '$context.integrationLatency',
            bytes: '$context.responseLength',
            error: '$context.error.message',
            functionError: '$context.integrationErrorMessage',
          }),
        ),
      },
    });
    this.url = this.api.apiEndpoint;

    alarms.on('Api5xx', {
      metric: stage.metricServerError({ period: FIVE_MINUTES, statistic: 'Sum' }),
      threshold: 1,
      points: [2, 3],
      means: 'senders and people are answered with 5xx; senders will retry, people will not.',
      runbook: 'the-api-answers-5xx',
    });
  }

  /**
   * Lets `fn` answer these routes, and API Gateway call it.
   *
   * @param auth how the function tells who asks: the reason why API Gateway itself does not
   */
  letAnswer(fn: BrandFunction, auth: string, routes: Routes): void {
    const integration = new HttpLambdaIntegration(`${fn.node.id}Integration`, fn.function, {
      scopePermissionToRoute: false, // one permission a function: one a route would come near the policy's 20 KB
    });
    for (const [path, verbs] of Object.entries(routes)) {
      const methods = verbs.map((verb) => HttpMethod[verb]);
      for (const route of this.api.addRoutes({ path, methods, integration }))
        Validations.of(route).acknowledge({ id: 'AwsSolutions-APIG4', reason: auth });
    }
  }
}
