// Scope: the API in the template: which function answers what.
import { describe, expect, test } from 'vitest';
import { aStack, functionOf } from './a-stack.ts';

const demo = aStack('demo');
const properties = (type: string) => demo.ofType(type).map(([, { Properties }]) => Properties);

describe('the API', () => {
  /** Route → the function that answers it. */
  function routes(): Record<string, string> {
    return Object.fromEntries(
      properties('AWS::ApiGatewayV2::Route').map(({ RouteKey, Target }) => {
        const integration = demo.resources[Target['Fn::Join'][1][1].Ref];
        return [RouteKey, functionOf(integration?.Properties.IntegrationUri['Fn::GetAtt'][0])];
      }),
    );
  }

  /** Paths of SDKs: a path that ends in a slash is a route to what follows it, for API Gateway takes no other. */
  function sdkRoutes(): Record<string, string> {
    const posted = ['/batch', '/capture', '/e', '/i/v0/e', '/flags', '/decide'];
    const routes = [
      ...posted.flatMap((path) => [`POST ${path}`, `POST ${path}/{slash+}`]),
      ...['GET /e', 'GET /e/{slash+}', 'POST /beacon/v1/batch', 'GET /v1/projects/{key}/settings'],
      ...['GET /array/{key}/config', 'GET /array/{key}/config.js'],
      ...['/sa', '/sa.gif', '/debug'].flatMap((path) => [`GET ${path}`, `POST ${path}`]),
    ];
    const asked = routes.map((route) => route.replace(/^\w+/, 'OPTIONS'));
    return Object.fromEntries([...routes, ...asked].map((route) => [route, 'capture']));
  }

  test('has these routes, and no default one', () => {
    expect(routes()).toEqual({
      'GET /webhooks/{channel}/{account}': 'capture',
      'POST /webhooks/{channel}/{account}': 'capture',
      'POST /v1/{call}': 'capture',
      'OPTIONS /v1/{call}': 'capture',
      ...sdkRoutes(),
      'GET /healthz': 'query',
      'GET /openapi.json': 'query',
      'GET /profiles/{kind}/{value}': 'query',
      'GET /profiles/{kind}/{value}/events': 'query',
      'GET /profiles/{kind}/{value}/conversions': 'query',
      'GET /profiles/{kind}/{value}/tags/{tag}/explain': 'explain',
      'GET /profiles/{kind}/{value}/value': 'explain',
      'GET /lineage/tags/{tag}': 'lineage',
      'GET /lineage/reports/{report}': 'lineage',
      'GET /tags': 'query',
      'GET /tags/{tag}/profiles': 'query',
      'GET /conversions/{id}': 'query',
      'GET /attribution': 'models',
      'GET /models': 'models',
      'POST /models/{model}': 'models',
      'GET /models/{model}/{version}': 'models',
      'GET /spend': 'models',
      'PUT /spend': 'models',
      'GET /channels': 'query',
      'GET /profiles/{kind}/{value}/identity': 'identity',
      'GET /profiles/{kind}/{value}/consent': 'identity',
      'PUT /profiles/{kind}/{value}/consent': 'identity',
      'POST /identity/preview': 'preview',
      'POST /identity/join': 'identity',
      'POST /identity/release': 'identity',
      'POST /identity/undo': 'identity',
      'GET /reviews': 'identity',
      'POST /reviews/{id}': 'identity',
      'GET /groups': 'privacy',
      'GET /groups/attribution': 'models',
      'GET /audit': 'privacy',
      'GET /audit/verify': 'privacy',
      'POST /exports': 'privacy',
      'GET /exports/{id}': 'privacy',
      'POST /exports/{id}/approve': 'privacy',
      'GET /exports/{id}/profiles': 'privacy',
      'GET /privacy/requests': 'requests',
      'POST /privacy/requests': 'requests',
      'GET /privacy/requests/{id}': 'requests',
      'GET /privacy/requests/{id}/archive': 'archive',
      'GET /privacy/requests/{id}/page': 'archive',
      'GET /privacy/requests/{id}/access': 'access',
      'GET /privacy/requests/{id}/access/page': 'access',
      'GET /rules': 'rules',
      'GET /rules/{tag}': 'rules',
      'PUT /rules/{tag}': 'rules',
      'POST /rules/{tag}/check': 'rules',
      'POST /rules/{tag}/rollback': 'rules',
      'GET /backfill': 'rules',
      'GET /backfill/{id}': 'rules',
      'POST /effect': 'rules',
      'GET /effect/{id}': 'rules',
      'POST /tags/{tag}/effect': 'rules',
      'GET /tags/{tag}/effect/{id}': 'rules',
      'POST /rules/{tag}/forecast': 'rules',
      'GET /rules/{tag}/forecast/{id}': 'rules',
      'POST /rfm': 'rules',
      'GET /rfm/quintiles': 'rules',
      'POST /rfm/quintiles': 'rules',
      'GET /rfm/{id}': 'rules',
      'GET /quarantine': 'quarantine',
      'POST /quarantine/{id}/replay': 'quarantine',
    });
  });

  test('bears a flood, and its log names nobody: no path, no query, no address', () => {
    const [stage] = properties('AWS::ApiGatewayV2::Stage');
    expect(stage.DefaultRouteSettings).toEqual({ ThrottlingBurstLimit: 4000, ThrottlingRateLimit: 2000 });
    expect(stage.AccessLogSettings.Format).toContain('$context.routeKey');
    expect(stage.AccessLogSettings.Format).not.toMatch(/path|query|identity|sourceIp/i);
  });
});
