// Scope: PostHog's forms of one request, its questions, its real client; what each event means is in events/posthog.
import { gzipSync } from 'node:zlib';
import { PostHog } from 'posthog-node';
import { describe, expect, test } from 'vitest';
import { HOUR } from '../../lib/platform/clock.ts';
import { aBrand, aCapture, listening, type RawRequest } from './captured.ts';
import { posthog, posthogKeys } from './vendors/posthog.ts';

const { web = '', server = '' } = posthogKeys;
const brand = aBrand({ channels: { posthog: posthog.accounts } });
const secrets = Object.fromEntries(
  Object.entries(posthog.secrets).map(([name, held]) => [`siyu/qinghe/${name}`, held]),
);
const captured = () => aCapture({ brand, secrets });

const at = '2025-10-09T08:53:20.000Z';
const visitor = '01998c1f-2a00-7c3e-9f00-5f1e7c6b8a01';
const event = {
  uuid: 'u-1',
  event: 'tea_tasted',
  distinct_id: 'M1',
  timestamp: at,
  properties: { note: '>>>>>' },
};
const keyed = JSON.stringify({ api_key: web, batch: [event] });
const ask = (path: string, body: string | Buffer = '', rawQuery = '', type = 'text/plain'): RawRequest => ({
  method: 'POST',
  path,
  rawQuery,
  headers: { 'content-type': type },
  body,
});
const form = 'application/x-www-form-urlencoded';
const base64 = (of: string | Buffer) => Buffer.from(of).toString('base64');

describe('PostHog', () => {
  test('the real client’s events arrive once, though we failed at first', async () => {
    const { send, events, faults, world } = captured();
    world.now = Date.now();
    let requests = 0;
    const { url, close } = await listening(async (request) => {
      world.queueFails = request.path === '/batch/' && requests++ === 0;
      return send(request);
    });
    const client = new PostHog(server, { host: url, flushAt: 100, fetchRetryDelay: 20, disableGeoip: true });
    client.identify({
      distinctId: 'M1',
      properties: { $set: { level: 'gold' }, $set_once: { store: 's-21' } },
    });
    client.alias({ distinctId: 'M1', alias: visitor });
    client.capture({
      distinctId: 'M1',
      event: 'Order Completed',
      properties: { order_id: 'o1', total: 268, currency: 'CNY' },
    });
    client.groupIdentify({ groupType: 'store', groupKey: 's-21', properties: { name: 'x' } });
    await client.shutdown();
    await close();
    expect(requests).toBeGreaterThan(1);
    expect(faults()).toEqual([]);
    expect(events()).toMatchObject([
      {
        type: 'identity_linked',
        identifiers: [{ kind: 'member_id', value: 'M1' }],
        traits: { level: 'gold' },
        traitsOnce: { store: 's-21' },
      },
      {
        type: 'identity_linked',
        identifiers: [
          { kind: 'member_id', value: 'M1' },
          { kind: 'anonymous_id', value: visitor },
        ],
      },
      {
        type: 'order_paid',
        properties: { order_id: 'o1', paid_amount: 26800, currency: 'CNY' },
        context: { verified: 'signed', timeSource: 'sender' },
      },
    ]);
  });

  test('the real client asks for flags and is told that there are none', async () => {
    const { send } = captured();
    const { url, close } = await listening(send);
    const client = new PostHog(web, { host: url });
    expect(await client.getAllFlags('M1')).toEqual({});
    await client.shutdown();
    await close();
  });

  test.each<[string, RawRequest]>([
    ['JSON', ask('/batch', keyed)],
    ['a path that ends in a slash', ask('/batch/', keyed)],
    ['one event', ask('/capture', JSON.stringify({ api_key: web, ...event }))],
    ['one event under the newest path', ask('/i/v0/e/', JSON.stringify({ ...event, token: web }))],
    ['gzip that nothing announces', ask('/e/', gzipSync(keyed))],
    ['gzip-js as it is announced', ask('/i/v0/e', gzipSync(keyed), 'compression=gzip-js&ver=1.449.2')],
    ['gzip labelled as a form', ask('/batch/', gzipSync(keyed), '', form)],
    ['base64 in a form', ask('/e', `data=${encodeURIComponent(base64(keyed))}`, 'compression=base64', form)],
    ['base64 whose + was not escaped', ask('/e', `data=${base64(`${keyed}`)}`, '', form)],
    ['zipped base64 in a form', ask('/e', `data=${encodeURIComponent(base64(gzipSync(keyed)))}`, '', form)],
    ['JSON in a form', ask('/capture/', `data=${encodeURIComponent(keyed)}`, '', form)],
    [
      'a picture’s address',
      { ...ask('/e/', '', `data=${encodeURIComponent(base64(keyed))}&ip=1`), method: 'GET' },
    ],
    [
      'the key with each event',
      ask(
        '/e/',
        JSON.stringify([
          { ...event, properties: { token: web, cup: 1 } },
          { ...event, uuid: 'u-2' },
        ]),
      ),
    ],
  ])('%s is read', async (_, request) => {
    const { send, events, faults, bodies } = captured();
    expect(await send(request)).toMatchObject({ statusCode: 200, body: '{"status":1}' });
    expect(faults()).toEqual([]);
    expect(events()[0]).toMatchObject({ type: 'tea_tasted', source: { channel: 'posthog', account: 'web' } });
    expect(bodies.join()).not.toContain(web);
  });

  test.each<[string, string]>([
    ['in the body', JSON.stringify({ api_key: 'phc_nobodys', batch: [event] })],
    ['no key at all', JSON.stringify({ batch: [event] })],
    ['no JSON', '{"api_key":'],
    ['a key that is an object', JSON.stringify({ api_key: { toString: web } })],
  ])('a key that is not ours is refused: %s', async (_, body) => {
    const { send, bodies } = captured();
    expect((await send(ask('/batch/', body))).statusCode).toBe(401);
    expect(bodies).toEqual([]);
  });

  test.each<[string, string | Buffer]>([
    ['gzip that was cut', gzipSync(keyed).subarray(0, 40)],
    ['cut JSON', '{"batch":['],
    ['a number', '7'],
    ['nothing that is an event', '{"hello":1}'],
  ])('under a good key nothing is refused: %s is kept as a fault', async (_, body) => {
    const { send, faults } = captured();
    expect((await send(ask('/e/', body, `token=${web}`))).statusCode).toBe(200);
    expect(faults()).toMatchObject([{ reason: 'undecodable' }]);
  });

  test('a retry, sent at another time, is the same event and the same fault', async () => {
    const { send, events, faults, world } = captured();
    const retried = { event: 'x y', properties: { distinct_id: visitor, token: web } };
    const bad = { event: '领券', properties: { distinct_id: visitor } };
    await send(
      ask(
        '/e/',
        JSON.stringify([
          { ...retried, timestamp: at, offset: 10 },
          { ...bad, timestamp: at },
        ]),
      ),
    );
    world.now += HOUR;
    await send(
      ask(
        '/e/',
        JSON.stringify([
          { ...retried, timestamp: at, offset: 3_600_010 },
          { ...bad, timestamp: at },
        ]),
        'retry_count=1',
      ),
    );
    expect(new Set(events().map(({ id }) => id)).size).toBe(1);
    expect(new Set(faults().map(({ id }) => id)).size).toBe(1);
    expect(events()).toHaveLength(2);
  });

  test.each(['/flags', '/flags/', '/decide', '/decide/'])('%s is answered: no flag is set', async (path) => {
    const { send, bodies } = captured();
    const reply = await send(ask(path, JSON.stringify({ token: web, distinct_id: visitor }), 'v=2'));
    expect(reply.statusCode).toBe(200);
    expect(JSON.parse(reply.body ?? '')).toMatchObject({
      flags: {},
      featureFlags: {},
      sessionRecording: false,
    });
    expect((await send(ask(path, JSON.stringify({ token: 'phc_nobodys' })))).statusCode).toBe(401);
    expect(bodies).toEqual([]);
  });

  test('what the browser asks before it starts is answered, under a good key only', async () => {
    const { send } = captured();
    const get = (path: string): RawRequest => ({ method: 'GET', path, rawQuery: '', headers: {}, body: '' });
    const asked = await send(get(`/array/${web}/config`));
    expect(JSON.parse(asked.body ?? '')).toMatchObject({ hasFeatureFlags: false, sessionRecording: false });
    const script = await send(get(`/array/${web}/config.js`));
    const window: Record<string, unknown> = {};
    new Function('window', script.body ?? '')(window);
    expect(window._POSTHOG_REMOTE_CONFIG).toMatchObject({
      [web]: { config: { token: web, surveys: false } },
    });
    expect((await send(get('/array/phc_nobodys/config.js'))).statusCode).toBe(401);
    expect((await send(get(`/array/${web}/other`))).statusCode).toBe(404);
  });

  test.each(['/batch/', '/e/', '/i/v0/e', '/flags/'])('any site may send to %s', async (path) => {
    const { send } = captured();
    const preflight = await send({ ...ask(path), method: 'OPTIONS' });
    expect(preflight).toMatchObject({ statusCode: 204, headers: { 'access-control-allow-origin': '*' } });
  });

  test('a bomb is not unpacked', async () => {
    const { send } = captured();
    expect((await send(ask('/e/', gzipSync('x'.repeat(9_000_000))))).statusCode).toBe(413);
  });

  test('a visitor’s id that was made up stays one, also where the SDK does not say what it is', async () => {
    const { send, events } = captured();
    const capture = (distinct_id: string, properties: object) =>
      send(
        ask(
          '/capture/',
          JSON.stringify({ api_key: web, event: 'x', distinct_id, timestamp: at, properties }),
        ),
      );
    await capture(visitor, {});
    await capture('M1', {});
    await capture('device-7', { $device_id: 'device-7' });
    await capture(visitor, { $is_identified: true });
    expect(events().map(({ identifiers: [one] }) => [one?.kind, one?.value])).toEqual([
      ['anonymous_id', visitor],
      ['member_id', 'M1'],
      ['anonymous_id', 'device-7'],
      ['member_id', visitor],
    ]);
  });

  test('a key that was replaced is good while it is held', async () => {
    const held = {
      ...secrets,
      'siyu/qinghe/posthog-web': { projectApiKey: 'phc_the_new_one', previous: [web] },
    };
    const { send } = aCapture({ brand, secrets: held });
    expect((await send(ask('/batch/', keyed))).statusCode).toBe(200);
    expect((await send(ask('/batch/', keyed.replace(web, 'phc_the_new_one')))).statusCode).toBe(200);
    expect((await send(ask('/batch/', keyed.replace(web, 'phc_another_one')))).statusCode).toBe(401);
  });
});
