import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { RejectedError } from '../../lib/platform/errors.ts';
import {
  type HttpReply,
  type HttpRequest,
  httpHandler,
  json,
  parsed,
  parseQuery,
} from '../../lib/platform/http.ts';
import { toLambda } from '../channels/captured.ts';

const call = async (on: (request: HttpRequest) => HttpReply, event: Partial<APIGatewayProxyEventV2> = {}) => {
  const request = {
    method: 'POST',
    path: '/webhooks/a/b',
    rawQuery: 'x=1&x=2&y=%2B+',
    headers: { 'X-Up': 'v' },
    body: 'é',
  };
  return httpHandler(() => undefined, on)({ ...toLambda(request), ...event }, {} as Context);
};

describe('an HTTP handler', () => {
  test('sees raw bytes, lower-case headers, and a query decoded once', async () => {
    let seen: HttpRequest | undefined;
    await call((request) => {
      seen = request;
      return { status: 204 };
    });
    expect(seen).toMatchObject({
      method: 'POST',
      params: { channel: 'a', account: 'b' },
      query: { x: '1', y: '+ ' },
      headers: { 'x-up': 'v' },
      body: Buffer.from('é'),
    });
  });

  test('decodes a binary body before anything looks at it', async () => {
    const bytes = Buffer.from([0x1f, 0x8b, 0xff]);
    let seen: Buffer | undefined;
    await call(
      (request) => {
        seen = request.body;
        return { status: 200 };
      },
      { body: bytes.toString('base64'), isBase64Encoded: true },
    );
    expect(seen).toEqual(bytes);
  });

  test('opens its dependencies once, on the first request', async () => {
    const open = vi.fn(() => ({}));
    const handler = httpHandler(open, () => ({ status: 200 }));
    expect(open).not.toHaveBeenCalled();
    const event = toLambda({ method: 'GET', path: '/v1/x', rawQuery: '', headers: {}, body: '' });
    await handler(event, {} as Context);
    await handler(event, {} as Context);
    expect(open).toHaveBeenCalledOnce();
  });

  test('answers a refusal with its status and reason', async () => {
    const reply = await call(() => {
      throw new RejectedError('too_large', 'at most 1 KB', 413);
    });
    expect(reply.statusCode).toBe(413);
    expect(JSON.parse(reply.body ?? '')).toEqual({ error: { reason: 'too_large', message: 'at most 1 KB' } });
  });

  test('answers what has the wrong form with the paths', async () => {
    const reply = await call(() => json(200, parsed(z.object({ limit: z.number() }), { limit: 'x' })));
    expect(reply.statusCode).toBe(400);
    expect(reply.body).toContain('limit: ');
  });

  test('does not blame the caller for a stored row that cannot be read', async () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const reply = await call(() => json(200, z.object({ v: z.number() }).parse({ v: 'x' })));
    write.mockRestore();
    expect(reply.statusCode).toBe(500);
  });

  test('says nothing of its own failures, and logs no word that may be a customer’s', async () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const reply = await call(() => {
      throw new Error('customer 13800138000');
    });
    const lines = write.mock.calls.map(([line]) => String(line));
    write.mockRestore();
    expect(reply.statusCode).toBe(500);
    expect(reply.body).not.toContain('138');
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain('138');
    expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'error', name: 'Error' });
  });

  test('lets no browser guess a type', async () => {
    const replies = await Promise.all([call(() => json(200, {})), call(() => ({ status: 404 }))]);
    for (const reply of replies) expect(reply.headers).toMatchObject({ 'x-content-type-options': 'nosniff' });
  });
});

test('a query cannot name a prototype', () => {
  expect(parseQuery('__proto__=1').x).toBeUndefined();
  expect(Object.getPrototypeOf(parseQuery('a=1'))).toBeNull();
});
