// Scope: the way over HTTP, against a server that fails as brands and networks do.
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, test } from 'vitest';
import { NotNowError, paced, sender } from '../../lib/import/send.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const NOW = Date.parse('2026-11-11T00:00:00Z');
let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

interface Got {
  readonly path: string | undefined;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Answers request by request; a number is a status, 0 a line that breaks. */
async function brandThat(
  ...answers: (number | { status: number; body: unknown; headers?: Record<string, string> })[]
) {
  const got: Got[] = [];
  const listener: RequestListener = async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request)).toString();
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, it]) => [name, String(it)]),
    );
    got.push({ path: request.url, headers, body });
    const answer = answers[got.length - 1] ?? 200;
    if (answer === 0) return void request.socket.destroy();
    const {
      status,
      body: words,
      headers: more = {},
    } = typeof answer === 'number' ? { status: answer, body: { accepted: 1, faults: [] } } : answer;
    response.writeHead(status, more).end(JSON.stringify(words));
  };
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const waits: number[] = [];
  const lines: string[] = [];
  const send = sender(
    { url: `http://127.0.0.1:${port}/stage`, account: 'crm', secret },
    { now: () => NOW, sleep: async (ms) => void waits.push(ms), fetch, tell: (line) => lines.push(line) },
  );
  return { send, got, waits, lines };
}

test('a batch is signed as Standard Webhooks says, and its id is its own', async () => {
  const { send, got } = await brandThat();
  expect(await send(['{"a":1}', '{"b":2}'])).toEqual([]);
  const [first] = got;
  expect(first?.path).toBe('/stage/webhooks/generic/crm');
  expect(JSON.parse(first?.body ?? '')).toEqual({ batch: [{ a: 1 }, { b: 2 }] });
  const { 'webhook-id': id = '', 'webhook-signature': signature } = first?.headers ?? {};
  expect(new Webhook(secret).sign(id, new Date(NOW), first?.body ?? '')).toBe(signature);
  expect(id).toMatch(/^imp_[\w-]{22}$/);
});

test('a brand that is busy or away is asked again, later and later', async () => {
  const { send, got, waits, lines } = await brandThat(
    503,
    0,
    { status: 429, body: {}, headers: { 'retry-after': '7' } },
    500,
  );
  expect(await send(['{}'])).toEqual([]);
  expect(waits).toEqual([1000, 2000, 7000, 8000]);
  expect(lines).toHaveLength(4);
  expect(new Set(got.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
});

test('after eight tries it ends, to go on another time', async () => {
  const { send, waits } = await brandThat(...Array.from({ length: 8 }, () => 503));
  await expect(send(['{}'])).rejects.toThrow(NotNowError);
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
});

describe('what trying again cannot mend ends at once', () => {
  test.each([
    [
      { status: 401, body: { error: { reason: 'unauthorized', message: 'not signed' } } },
      /401 not signed.*secret/,
    ],
    [404, /404.*account/],
    [{ status: 200, body: 'hello' }, /are not Siyu's/],
  ])('%j', async (answer, words) => {
    const { send, got } = await brandThat(answer);
    await expect(send(['{}'])).rejects.toThrow(words);
    expect(got).toHaveLength(1);
  });
});

test('what is too large is halved until it fits, and one event that never fits is a fault of its own', async () => {
  const large = { status: 413, body: { error: { reason: 'too_large', message: 'at most 256 KB' } } };
  const fault = {
    status: 200,
    body: { accepted: 0, faults: [{ index: 0, reason: 'bad_time', message: 'no' }] },
  };
  // [a b c] → [a b] → [a] [b], then [c]
  const { send, got } = await brandThat(large, large, 200, large, fault);
  expect(await send(['"a"', '"b"', '"c"'])).toEqual([
    { index: 1, reason: 'too_large', message: 'at most 256 KB' },
    { index: 2, reason: 'bad_time', message: 'no' },
  ]);
  expect(got.map(({ body }) => body)).toEqual([
    '{"batch":["a","b","c"]}',
    '{"batch":["a","b"]}',
    '{"batch":["a"]}',
    '{"batch":["b"]}',
    '{"batch":["c"]}',
  ]);
});

test('a rate holds on the average, however long each request takes', async () => {
  let now = 0;
  const times: number[] = [];
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
  const send = async () => {
    times.push(now);
    now += 700;
    return [];
  };
  const slow = paced(send, 100, clock);
  for (let i = 0; i < 4; i++) await slow(Array.from({ length: 200 }, () => '{}'));
  expect(times).toEqual([0, 2000, 4000, 6000]);
});
