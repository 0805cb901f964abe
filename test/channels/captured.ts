import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { type CaptureFact, capture } from '../../lib/capture/capture.ts';
import { openNonces } from '../../lib/capture/nonces.ts';
import { stopsAt } from '../../lib/capture/routes.ts';
import type { SentRequest } from '../../lib/channels/sign.ts';
import { type Event, eventsMessage, type Fault, type Tally } from '../../lib/events/event.ts';
import { type Brand, type BrandInput, brand } from '../../lib/platform/brand.ts';
import { httpHandler } from '../../lib/platform/http.ts';

/** The official account, till and apps of a tea house. */
export const teahouse = {
  appId: 'wxqh0000teahouse1',
  token: 'QhTeaToken01',
  encodingAesKey: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG',
  whsec: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  webKey: 'a_public_write_key',
  serverKey: 'a_secret_write_key',
};

export const oa = {
  account: 'main',
  appId: teahouse.appId,
  token: teahouse.token,
  encodingAesKey: teahouse.encodingAesKey,
};

/** 2025-10-09T08:53:22Z, two seconds after the samples. */
export const NOW = 1_760_000_002_000;

const scopes = { member_id: 'brand:qinghe', wechat_unionid: 'wechat_open:qinghe' };

export const aBrand = (over: Partial<BrandInput> = {}): Brand =>
  brand.parse({
    name: 'qinghe',
    title: { zh: '青禾茶舍', en: 'Qinghe Tea House' },
    timezone: 'Asia/Shanghai',
    locale: 'zh-CN',
    currency: 'CNY',
    channels: {
      'wechat-oa': {
        main: { appId: teahouse.appId, unionScope: 'wechat_open:qinghe', secret: 'oa' },
        plain: { appId: teahouse.appId, secret: 'oa', plain: true },
      },
      generic: { pos: { secret: 'pos', scopes }, bare: { secret: 'pos' } },
      segment: { web: { secret: 'web' }, server: { secret: 'server', server: true } },
    },
    ...over,
  });

const secrets: Record<string, unknown> = {
  'siyu/qinghe/oa': { token: teahouse.token, encodingAesKey: teahouse.encodingAesKey },
  'siyu/qinghe/pos': { keys: [teahouse.whsec] },
  'siyu/qinghe/web': { writeKey: teahouse.webKey },
  'siyu/qinghe/server': { writeKey: teahouse.serverKey },
};

export interface World {
  now: number;
  /** What the queue does with the next messages; absent: it takes them. */
  queueFails?: boolean;
}

/** Capture behind the same handler that Lambda calls; the queue is a list. */
export function aCapture(over: { brand?: Brand; secrets?: Record<string, unknown>; now?: number } = {}) {
  const world: World = { now: over.now ?? NOW };
  const bodies: string[] = [];
  const tallies: string[] = [];
  const hints: string[] = [];
  const facts: CaptureFact[] = [];
  const held = { ...secrets, ...over.secrets };
  const handler = httpHandler(
    () => ({
      brand: over.brand ?? aBrand(),
      secrets: { get: async (name: string) => held[name] },
      queue: {
        send: async (sent: readonly string[]) => {
          if (world.queueFails) throw new Error('SQS is down');
          for (const body of sent) (bringsSomething(body) ? bodies : tallies).push(body);
        },
      },
      hints: { send: async (sent: readonly string[]) => void hints.push(...sent) },
      now: () => world.now,
      nonces: openNonces(),
      tell: (fact: CaptureFact) => {
        facts.push(fact);
      },
    }),
    capture,
  );
  const messages = () => bodies.map((body) => eventsMessage.parse(JSON.parse(body)));
  return {
    world,
    bodies,
    /** What was announced and has to be asked for: messages of the `hints` queue. */
    hints,
    /** What was counted beside events and faults: refusals, notices, what was ignored. */
    tallies: (): Tally[] =>
      [...bodies, ...tallies].flatMap((body) => eventsMessage.parse(JSON.parse(body)).tally ?? []),
    facts,
    events: (): Event[] => messages().flatMap((message) => message.events),
    faults: (): Fault[] => messages().flatMap((message) => message.faults),
    send: (request: SentRequest | RawRequest) => handler(toLambda(request), {} as Context),
  };
}

/** A message that is there for the sake of its counts alone is put aside. */
const bringsSomething = (body: string): boolean => {
  const { events, faults } = eventsMessage.parse(JSON.parse(body));
  return events.length + faults.length > 0;
};

export interface RawRequest extends Omit<SentRequest, 'method' | 'body'> {
  readonly method: string;
  readonly body: string | Buffer;
}

/** A request as the HTTP API hands it to Lambda, payload format 2.0. */
export function toLambda({
  method,
  path,
  rawQuery,
  headers,
  body,
}: SentRequest | RawRequest): APIGatewayProxyEventV2 {
  const [, first, second = '', third = ''] = path.split('/');
  const isWebhook = first === 'webhooks';
  const [stop] = stopsAt(path);
  const pathParameters = isWebhook ? { channel: second, account: third } : { ...stop?.params };
  return {
    version: '2.0',
    routeKey: `${method} ${isWebhook ? '/webhooks/{channel}/{account}' : (stop?.path ?? path)}`,
    rawPath: path,
    rawQueryString: rawQuery,
    headers: { ...headers },
    pathParameters,
    requestContext: {
      accountId: '000000000000',
      apiId: 'api',
      domainName: 'localhost',
      domainPrefix: 'localhost',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: '' },
      requestId: 'request',
      routeKey: '$default',
      stage: '$default',
      time: '',
      timeEpoch: 0,
    },
    body: typeof body === 'string' ? body : body.toString('base64'),
    isBase64Encoded: typeof body !== 'string',
  };
}

/** Capture behind a port, for clients that speak HTTP only. */
export async function listening(send: ReturnType<typeof aCapture>['send']) {
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const [path = '', rawQuery = ''] = (request.url ?? '').split('?');
    const headers = Object.fromEntries(
      Object.entries(request.headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, [value].flat().join(',')]],
      ),
    );
    const reply = await send({
      method: request.method ?? '',
      path,
      rawQuery,
      headers,
      body: Buffer.concat(parts),
    });
    const { statusCode = 500, headers: replied = {}, body } = reply;
    response.writeHead(
      statusCode,
      Object.fromEntries(Object.entries(replied).map(([k, v]) => [k, String(v)])),
    );
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, close: () => new Promise((done) => server.close(done)) };
}

/** Published rules, vectors and samples, where they lie beside the repository. */
const shared = new URL('../../../shared/channels/', import.meta.url);
export const hasShared = existsSync(shared);
export const without = hasShared ? '' : ' (skipped: ../shared is not here)';
export const sharedText = (path: string): string => readFileSync(new URL(path, shared), 'utf8');
