// Scope: what RudderStack has that Segment has not; the calls themselves are in segment.test.ts and the pairs.
import { gzipSync } from 'node:zlib';
import RudderAnalytics from '@rudderstack/rudder-sdk-node';
import { describe, expect, test } from 'vitest';
import { channels } from '../../lib/channels/registry.ts';
import { sendTracking } from '../../lib/channels/sign.ts';
import { aBrand, aCapture, listening, teahouse } from './captured.ts';
import { rudderKeys, rudderstack } from './vendors/rudderstack.ts';

const { web = '', server = '' } = rudderKeys;

const brand = aBrand({
  channels: {
    rudderstack: rudderstack.accounts,
    segment: { web: { secret: 'web' }, server: { secret: 'server', server: true } },
  },
});
const secrets = Object.fromEntries(
  Object.entries(rudderstack.secrets).map(([name, held]) => [`siyu/qinghe/${name}`, held]),
);
const captured = () => aCapture({ brand, secrets });
const track = (event: string, id: string) =>
  JSON.stringify({ event, userId: 'M1', messageId: id, originalTimestamp: '2025-10-09T08:53:20.000Z' });

describe('RudderStack', () => {
  test('the real client’s batch, zipped under a form’s content type, arrives once though we failed at first', async () => {
    const { send, events, faults, world } = captured();
    world.now = Date.now();
    let requests = 0;
    const { url, close } = await listening(async (request) => {
      requests++;
      world.queueFails = requests === 1;
      expect(request.headers['content-type']).toContain('application/x-www-form-urlencoded');
      return send(request);
    });
    const client = new RudderAnalytics(server, { dataPlaneUrl: url, logLevel: 'silly', flushInterval: 20 });
    client.identify({ userId: 'M1', traits: { city: '上海' } });
    client.track({
      userId: 'M1',
      event: 'Order Completed',
      properties: { order_id: 'o1', total: 268, currency: 'CNY' },
    });
    await client.flush();
    await close();
    expect(requests).toBeGreaterThan(1);
    expect(faults()).toEqual([]);
    expect(events()).toMatchObject([
      {
        type: 'identity_linked',
        source: { channel: 'rudderstack', account: 'server' },
        identifiers: [{ kind: 'member_id', value: 'M1' }],
        properties: { link_source: 'rudderstack' },
        traits: { city: '上海' },
      },
      {
        type: 'order_paid',
        properties: { order_id: 'o1', paid_amount: 26800 },
        context: { verified: 'signed' },
      },
    ]);
  });

  test('one path serves two vendors: whose it is, the key says', async () => {
    const { send, events } = captured();
    expect((await send(sendTracking('track', track('a', '1'), web))).statusCode).toBe(200);
    expect((await send(sendTracking('track', track('b', '2'), teahouse.webKey))).statusCode).toBe(200);
    expect((await send(sendTracking('track', track('c', '3'), 'nobodys_key'))).statusCode).toBe(401);
    expect(events().map(({ type, source }) => [type, source.channel, source.account])).toEqual([
      ['a', 'rudderstack', 'web'],
      ['b', 'segment', 'web'],
    ]);
  });

  test('a key that was replaced is good while it is held, and not a day longer', async () => {
    const both = { 'siyu/qinghe/rudder-web': { writeKey: 'the_new_write_key', previous: web } };
    const rotated = aCapture({ brand, secrets: { ...secrets, ...both } });
    expect((await rotated.send(sendTracking('track', track('a', '1'), web))).statusCode).toBe(200);
    expect((await rotated.send(sendTracking('track', track('b', '2'), 'the_new_write_key'))).statusCode).toBe(
      200,
    );
    const alone = { 'siyu/qinghe/rudder-web': { writeKey: 'the_new_write_key' } };
    const after = aCapture({ brand, secrets: { ...secrets, ...alone } });
    expect((await after.send(sendTracking('track', track('a', '1'), web))).statusCode).toBe(401);
  });

  test('a batch of 1.2 MB with events of 40 KB is taken whole, and what is too long for an event is a fault', async () => {
    const { send, events, faults } = captured();
    const batch = Array.from({ length: 30 }, (_, i) => ({
      type: 'track',
      event: 'note',
      userId: 'M1',
      messageId: `m${i}`,
      properties: { note: 'x'.repeat(i === 7 ? 100_000 : 40_000) },
    }));
    const body = Buffer.from(JSON.stringify({ batch }));
    const { statusCode } = await send({ ...sendTracking('batch', '', server), body });
    expect([statusCode, events().length]).toEqual([200, 29]);
    expect(faults()).toMatchObject([{ reason: 'too_large', body: { gzip: expect.any(String) } }]);
  });

  test('what is too long even to be kept does not take its batch with it: its beginning is kept', async () => {
    const { send, events, faults } = captured();
    // Nothing that can be compressed.
    let state = 1;
    const noise = Array.from({ length: 400_000 }, () => {
      state = (state * 48_271) % 2_147_483_647;
      return String.fromCharCode(33 + (state % 90));
    }).join('');
    const call = { type: 'track', event: 'note', userId: 'M1', messageId: 'm' };
    const batch = [
      { ...call, properties: { noise } },
      { ...call, messageId: 'n' },
    ];
    const body = gzipSync(JSON.stringify({ batch }));
    expect((await send({ ...sendTracking('batch', '', server), body })).statusCode).toBe(200);
    expect(events()).toHaveLength(1);
    const [fault] = faults();
    expect(fault).toMatchObject({ reason: 'too_large', body: { bytes: expect.any(Number) } });
    const account = { id: 'server', settings: rudderstack.accounts.server, home: { ...brand } };
    expect(() => fault && channels.rudderstack.replay(fault, account)).toThrow('only its beginning was kept');
  });

  test('the secret’s key is in nothing that is kept', async () => {
    const { send, bodies } = captured();
    const body = JSON.stringify({ batch: [{ type: 'dance', writeKey: web }], writeKey: web });
    await send({ method: 'POST', path: '/beacon/v1/batch', rawQuery: `writeKey=${web}`, headers: {}, body });
    expect(bodies.join()).toContain('dance');
    expect(bodies.join()).not.toContain(web);
  });
});
