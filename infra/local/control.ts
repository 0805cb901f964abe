// /_local: what exists only in the local run and in no template.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { DAY, toIso } from '../../lib/platform/clock.ts';
import { NotIdleError } from './activity.ts';
import { lengthOf } from './clock.ts';
import { bodyOf } from './listen.ts';
import type { Stack } from './run.ts';

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const order = z.union(
  [
    z.strictObject({ to: z.iso.datetime({ offset: true }) }),
    z.strictObject({ advance: z.union([z.string(), z.number()]) }),
  ],
  {
    error:
      'expected {"to": "2026-11-11T00:00:00+08:00"} or {"advance": "31d" | "36h" | "90m" | milliseconds}',
  },
);

/** The instant that the order means. @throws RangeError if it says none */
function instantOf(text: string, now: number): number {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new RangeError('the body is not JSON');
  }
  const said = order.safeParse(parsed);
  if (!said.success) throw new RangeError(z.prettifyError(said.error));
  if ('to' in said.data) return Date.parse(said.data.to);
  const length = lengthOf(said.data.advance);
  if (length === undefined || length > 3660 * DAY)
    throw new RangeError(
      `${said.data.advance} is no length of time such as 31d, 36h, 90m, or a number of milliseconds`,
    );
  return now + length;
}

/** Answers what begins with /_local. @returns whether the request was one of these */
export function localRoutes(stack: Stack) {
  const routes: Record<string, (url: URL, body: string) => Promise<Answer> | Answer> = {
    'GET /_local/ledger': (url) => {
      const body = stack.ledger();
      if (url.searchParams.get('reset') === '1') stack.resetLedger();
      return { status: 200, body };
    },
    'GET /_local/clock': () => ({ status: 200, body: { now: toIso(stack.clock.now()) } }),
    'POST /_local/clock': async (_, body) => {
      try {
        return { status: 200, body: await stack.clock.walkTo(instantOf(body, stack.clock.now())) };
      } catch (error) {
        if (error instanceof RangeError) return { status: 400, body: { error: error.message } };
        throw error;
      }
    },
    'GET /_local/idle': async (url) => {
      const seconds = Number(url.searchParams.get('timeout') ?? 60);
      return { status: 200, body: await stack.idle((Number.isFinite(seconds) ? seconds : 60) * 1000) };
    },
    'GET /_local/digest': async () => {
      const { digestTable } = await import('../../lib/profile/digest.ts');
      return { status: 200, body: await digestTable(stack.rows()) };
    },
  };

  return async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    const url = new URL(request.url ?? '/', stack.url);
    if (url.pathname !== '/_local' && !url.pathname.startsWith('/_local/')) return false;
    const route = routes[`${request.method} ${url.pathname}`];
    let answer: Answer = { status: 404, body: { error: `the run knows ${Object.keys(routes).join(', ')}` } };
    try {
      const body = String((await bodyOf(request, 64 * 1024)) ?? '');
      if (route) answer = await route(url, body);
    } catch (error) {
      answer =
        error instanceof NotIdleError
          ? { status: 503, body: error.activity }
          : { status: 500, body: { error: String(error) } };
    }
    response
      .writeHead(answer.status, { 'content-type': 'application/json' })
      .end(`${JSON.stringify(answer.body, null, 2)}\n`);
    return true;
  };
}
