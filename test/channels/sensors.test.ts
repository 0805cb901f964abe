// Scope: the forms of one request of Sensors, its check sum, its real client; what each record means is in
// events/sensors.
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { channels } from '../../lib/channels/registry.ts';
import { HOUR } from '../../lib/platform/clock.ts';
import { aBrand, aCapture, listening, type RawRequest } from './captured.ts';
import { hashCode, sensors, sensorsTokens } from './vendors/sensors.ts';

/** Of the real client, what is called here: it has no types of its own. */
interface Client {
  submitTo(options: { url: string; gzip: boolean }, batch: { count: number }): void;
  trackSignup(id: string, originalId: string, properties: object): void;
  track(id: string, event: string, properties: object): void;
  profileSet(id: string, properties: object): void;
  profileSetOnce(id: string, properties: object): void;
}
const SensorsAnalytics: new () => Client = createRequire(import.meta.url)('sa-sdk-node');

const { web = '', server = '' } = sensorsTokens;
const brand = aBrand({ channels: { sensors: sensors.accounts } });
const secrets = Object.fromEntries(
  Object.entries(sensors.secrets).map(([name, held]) => [`siyu/qinghe/${name}`, held]),
);
const captured = () => aCapture({ brand, secrets });

const time = 1_760_000_000_000;
const record = {
  type: 'track',
  event: 'tea_tasted',
  time,
  distinct_id: 'c-1',
  properties: { note: '>>>>>' },
};
const packed = (of: unknown) => Buffer.from(JSON.stringify(of)).toString('base64');
const zipped = (of: unknown) => gzipSync(JSON.stringify(of)).toString('base64');
const post = (path: string, form: Record<string, string>, token = web): RawRequest => ({
  method: 'POST',
  path,
  rawQuery: `project=qinghe&token=${token}`,
  headers: { 'content-type': 'text/plain;charset=UTF-8' },
  body: new URLSearchParams(form).toString(),
});
const get = (path: string, query: Record<string, string>): RawRequest => ({
  method: 'GET',
  path,
  rawQuery: new URLSearchParams({ token: web, ...query }).toString(),
  headers: {},
  body: '',
});

describe('Sensors', () => {
  test('the real client’s records arrive, and once though they are sent again', async () => {
    const { send, events, faults, world } = captured();
    world.now = Date.now();
    let requests = 0;
    const { url, close } = await listening(async (request) => {
      requests++;
      await send(request);
      return send(request); // what a proxy does that had no answer in time
    });
    const client = new SensorsAnalytics();
    client.submitTo({ url: `${url}/sa?project=qinghe&token=${server}`, gzip: true }, { count: 4 });
    client.trackSignup('M1', 'c-1', {});
    client.track('M1', 'order_completed', {
      order_id: 'o1',
      total: 268,
      currency: 'CNY',
      $is_login_id: true,
    });
    client.profileSet('M1', { city: '上海' });
    client.profileSetOnce('M1', { store: 's-21' });
    await expect.poll(() => requests).toBe(1);
    await expect.poll(() => events().length).toBe(8);
    await close();
    expect(faults()).toEqual([]);
    expect(new Set(events().map(({ id }) => id)).size).toBe(4);
    expect(events().slice(0, 4)).toMatchObject([
      {
        type: 'identity_linked',
        identifiers: [
          { kind: 'member_id', value: 'M1' },
          { kind: 'anonymous_id', value: 'M1' },
          { kind: 'anonymous_id', value: 'c-1' },
        ],
      },
      {
        type: 'order_paid',
        properties: { order_id: 'o1', paid_amount: 26800 },
        context: { verified: 'signed' },
      },
      { type: 'profile_updated', traits: { city: '上海' } },
      { type: 'profile_updated', traitsOnce: { store: 's-21' } },
    ]);
  });

  test.each<[string, RawRequest]>([
    ['a list', post('/sa', { data_list: packed([record]), gzip: '0' })],
    ['a zipped list', post('/sa', { data_list: zipped([record]), gzip: '1' })],
    ['a zipped list that says it is none', post('/sa', { data_list: zipped([record]), gzip: '0' })],
    ['one record', post('/sa.gif', { data: packed(record) })],
    ['base64 whose + was not escaped', { ...post('/sa', {}), body: `data=${packed(record)}` }],
    ['a body that is zipped as a whole', { ...post('/sa', {}), body: gzipSync(`data=${packed(record)}`) }],
    ['a picture’s address', get('/sa.gif', { data: packed(record), ext: `crc=${hashCode(packed(record))}` })],
    ['an address without .gif', get('/sa', { data: packed(record) })],
    ['the check sum beside it', post('/sa', { data: packed(record), crc: String(hashCode(packed(record))) })],
    ['debug mode', post('/debug', { data: packed(record) })],
    ['the token in the form', { ...post('/sa', { data: packed(record), token: web }), rawQuery: '' }],
  ])('%s is read', async (_, request) => {
    const { send, events, faults, bodies } = captured();
    expect((await send(request)).statusCode).toBe(200);
    expect(faults()).toEqual([]);
    expect(events()).toMatchObject([
      { type: 'tea_tasted', occurredAt: '2025-10-09T08:53:20.000Z', source: { channel: 'sensors' } },
    ]);
    expect(bodies.join()).not.toContain(web);
  });

  test.each<[string, Record<string, string>]>([
    ['a check sum that is another', { data: packed(record), crc: '7' }],
    ['one that stands in ext', { data: packed(record), ext: 'crc=7' }],
    ['base64 that was cut', { data: packed(record).slice(0, 40) }],
    ['gzip that was cut', { data_list: zipped([record]).slice(0, 40) }],
    ['nothing', {}],
    ['what the SDK encrypted', { data: packed({ ekey: 'x', pkv: 1, payloads: ['y'] }) }],
  ])('%s is kept as a fault, and answered as if it were read', async (_, form) => {
    const { send, events, faults, bodies } = captured();
    expect((await send(post('/sa', form))).statusCode).toBe(200);
    expect(events()).toEqual([]);
    expect(faults()).toMatchObject([{ reason: 'undecodable' }]);
    expect(bodies.join()).not.toContain(web);
    const [fault] = faults();
    const account = { id: 'web', settings: sensors.accounts.web, home: { ...brand } };
    expect(fault && channels.sensors.replay(fault, account).faults).toEqual(faults());
  });

  test('a body that begins like gzip and is none is kept as a fault', async () => {
    const { send, faults } = captured();
    const cut = gzipSync(`data=${packed(record)}`).subarray(0, 40);
    expect((await send({ ...post('/sa', {}), body: cut })).statusCode).toBe(200);
    const kept = cut.toString('base64').slice(0, 10);
    expect(faults()).toMatchObject([
      { reason: 'undecodable', body: { text: expect.stringContaining(kept) } },
    ]);
  });

  test('a token that is not ours is refused, whatever it brings', async () => {
    const { send, bodies } = captured();
    expect((await send(post('/sa', { data: packed(record) }, 'nobodys_token'))).statusCode).toBe(401);
    expect((await send({ ...post('/sa', { data: packed(record) }), rawQuery: '' })).statusCode).toBe(401);
    expect(bodies).toEqual([]);
  });

  test('an address with a project and no token is that account’s, whose token is the project’s name', async () => {
    const held = { ...secrets, 'siyu/qinghe/sensors-web': { token: 'production' } };
    const { send, events } = aCapture({ brand, secrets: held });
    await send({ ...post('/sa', { data: packed(record) }), rawQuery: 'project=production' });
    expect(events()).toHaveLength(1);
  });

  test('a token that was replaced is good while it is held', async () => {
    const held = { ...secrets, 'siyu/qinghe/sensors-web': { token: 'the_new_token', previous: web } };
    const { send } = aCapture({ brand, secrets: held });
    expect((await send(post('/sa', { data: packed(record) }))).statusCode).toBe(200);
    expect((await send(post('/sa', { data: packed(record) }, 'the_new_token'))).statusCode).toBe(200);
    expect((await send(post('/sa', { data: packed(record) }, 'another_token'))).statusCode).toBe(401);
  });

  test('a retry, flushed at another time, is the same event and the same fault', async () => {
    const { send, events, faults, world } = captured();
    const bad = { ...record, type: 'dance' };
    for (const flushed of [1, 2]) {
      const list = [record, bad].map((it) => ({ ...it, _flush_time: time + flushed }));
      await send(post('/sa', { data_list: packed(list) }));
      world.now += HOUR;
    }
    expect(events()).toHaveLength(2);
    expect(new Set(events().map(({ id }) => id)).size).toBe(1);
    expect(new Set(faults().map(({ id }) => id)).size).toBe(1);
  });

  test('a picture is answered with a picture, and no byte of it is lost on its way through text', async () => {
    const { send } = captured();
    const { headers, body = '' } = await send(get('/sa.gif', { data: packed(record) }));
    expect(headers).toMatchObject({ 'content-type': 'image/gif', 'access-control-allow-origin': '*' });
    expect(Buffer.from(body, 'utf8').toString('hex')).toBe(
      '474946383961010001000000002c00000000010001000002024401003b',
    );
  });

  test('a dry run is answered and keeps nothing', async () => {
    const { send, bodies } = captured();
    const dry = post('/debug', { data: packed(record) });
    const reply = await send({ ...dry, headers: { ...dry.headers, 'Dry-Run': 'true' } });
    expect(reply).toMatchObject({ statusCode: 200, body: '{}' });
    expect(bodies).toEqual([]);
  });

  test('a page on any site may send, and may say that it is a dry run', async () => {
    const { send } = captured();
    expect(await send({ ...get('/debug', {}), method: 'OPTIONS' })).toMatchObject({
      statusCode: 204,
      headers: {
        'access-control-allow-origin': '*',
        'access-control-allow-headers': expect.stringContaining('dry-run'),
      },
    });
  });

  test.each([
    ['an array in an array', [[record]]],
    ['properties that are none', { ...record, properties: [1] }],
    ['identities that are none', { ...record, identities: 'x' }],
    ['an id that is an object', { ...record, distinct_id: { a: 1 } }],
    ['a type of the prototype', { ...record, type: 'constructor' }],
  ])('%s: a fault or an event, and never a crash', async (_, said) => {
    const { send, events, faults } = captured();
    expect((await send(post('/sa', { data_list: packed([said]) }))).statusCode).toBe(200);
    expect(events().length + faults().length).toBe(1);
  });

  test('an id beyond 2^53 keeps its digits', async () => {
    const { send, events } = captured();
    const text = JSON.stringify([record]).replace('"c-1"', '9007199254740993');
    await send(post('/sa', { data_list: Buffer.from(text).toString('base64') }));
    expect(events()[0]?.identifiers[0]?.value).toBe('9007199254740993');
  });
});
