// The one port of a run: the routes of the template, and /_local for what exists only here.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  BODY_LIMIT,
  EVENT_LIMIT,
  eventOf,
  gatewayReply,
  type Match,
  matchRoute,
  replyOf,
  type WireReply,
} from './api-event.ts';
import type { VirtualClock } from './clock.ts';
import type { Functions } from './functions.ts';
import type { Ledger } from './ledger.ts';
import { bodyOf } from './listen.ts';
import type { RoutePlan } from './plan.ts';

export interface HttpPlace {
  readonly functions: Functions;
  readonly routes: readonly RoutePlan[];
  readonly clock: VirtualClock;
  readonly ledger: Pick<Ledger, 'http'>;
}

export interface Gateway {
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
  inFlight(): number;
}

/** API Gateway: finds the route, calls its function, and answers as the function says. */
export function openGateway({ functions, routes, clock, ledger }: HttpPlace): Gateway {
  let inFlight = 0;

  async function replyTo(request: IncomingMessage, match: Match, body: Buffer): Promise<WireReply> {
    const event = eventOf(
      {
        method: request.method ?? 'GET',
        target: request.url ?? '/',
        rawHeaders: request.rawHeaders,
        body,
        sourceIp: request.socket.remoteAddress?.replace(/^::ffff:/, '') ?? '127.0.0.1',
      },
      match,
      clock.now(),
      randomUUID(),
    );
    if ((event.body?.length ?? 0) > EVENT_LIMIT) return gatewayReply(413, 'Request Entity Too Large');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((done) => {
      timer = setTimeout(() => done('late'), match.route.timeoutMs);
    });
    const result = await Promise.race([functions.invoke(match.route.functionArn, event), late]);
    clearTimeout(timer);
    if (result === 'late') return gatewayReply(503, 'Service Unavailable');
    return result.ok ? replyOf(result.value) : gatewayReply(500, 'Internal Server Error');
  }

  return {
    inFlight: () => inFlight,
    async answer(request, response) {
      const path = (request.url ?? '/').split('?')[0] ?? '/';
      const match = matchRoute(routes, request.method ?? 'GET', path);
      if (!match) {
        request.resume();
        return send(response, gatewayReply(404, 'Not Found'), request.method);
      }
      inFlight += 1;
      try {
        const body = await bodyOf(request, BODY_LIMIT);
        const reply = body
          ? await replyTo(request, match, body)
          : gatewayReply(413, 'Request Entity Too Large');
        ledger.http(
          functions.nameOf(match.route.functionArn),
          reply.status,
          body?.length ?? BODY_LIMIT,
          reply.body.length,
        );
        send(response, reply, request.method, body === undefined);
      } finally {
        inFlight -= 1;
      }
    },
  };
}

function send(response: ServerResponse, reply: WireReply, method = 'GET', close = false): void {
  const { status, headers, cookies, body } = reply;
  response.writeHead(status, {
    ...headers,
    ...(cookies.length > 0 && { 'set-cookie': [...cookies] }),
    ...(close && { connection: 'close' }),
    'content-length': body.length,
  });
  response.end(method === 'HEAD' ? undefined : body);
}
