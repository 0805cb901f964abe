import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { sendGeneric } from '../../lib/channels/sign.ts';
import { ed25519Holds, hmacSha256 } from '../../lib/channels/verify.ts';
import { eventId } from '../../lib/events/id.ts';
import { HOUR } from '../../lib/platform/clock.ts';
import { MESSAGE_BYTES } from '../../lib/platform/sqs.ts';
import { aCapture, hasShared, listening, NOW, sharedText, teahouse, without } from './captured.ts';
import { expectAnswered, expectHarmless, httpCase, samplesOf, texts, vectorsOf } from './published.ts';

const pos = (body: unknown, id = 'msg_1', account = 'pos') =>
  sendGeneric(account, typeof body === 'string' ? body : JSON.stringify(body), teahouse.whsec, id, NOW);
const replyOf = (reply: { body?: string }) => JSON.parse(reply.body ?? '');
const source = { channel: 'generic', account: 'pos' };
const paid = { order_id: 'o1', amount: 26800, currency: 'CNY', member_id: 'M1' };

describe('a till that signs as Standard Webhooks says', () => {
  test('an order is paid, in minor units, by a member', async () => {
    const { send, events } = aCapture();
    const reply = await send(pos({ type: 'order.paid', timestamp: '2025-10-09T16:53:20+08:00', data: paid }));
    expect(reply.statusCode).toBe(200);
    expect(replyOf(reply)).toEqual({ accepted: 1, faults: [] });
    expect(events()).toEqual([
      {
        id: eventId(source, ['msg_1']),
        type: 'order_paid',
        occurredAt: '2025-10-09T08:53:20.000Z',
        receivedAt: '2025-10-09T08:53:22.000Z',
        source,
        identifiers: [{ kind: 'member_id', scope: 'brand:qinghe', value: 'M1' }],
        properties: { order_id: 'o1', paid_amount: 26800, currency: 'CNY' },
        context: { timeSource: 'sender', verified: 'signed' },
      },
    ]);
  });

  test('the real client is understood over HTTP, and its signature covers each byte', async () => {
    const { send, events } = aCapture();
    const { url, close } = await listening(send);
    const body = JSON.stringify({ type: 'order.paid', timestamp: new Date(NOW).toISOString(), data: paid });
    const at = new Date(NOW);
    const headers = {
      'webhook-id': 'msg_real',
      'webhook-timestamp': String(NOW / 1000),
      'webhook-signature': new Webhook(teahouse.whsec).sign('msg_real', at, body),
    };
    const post = (sent: string) =>
      fetch(`${url}/webhooks/generic/pos`, { method: 'POST', headers, body: sent });
    expect((await post(body)).status).toBe(200);
    expect((await post(body.replace('26800', '1'))).status).toBe(401);
    await close();
    expect(events().map((event) => event.properties.paid_amount)).toEqual([26800]);
  });

  test('one bad row does not stop the others, and is named by its place', async () => {
    const { send, events, faults } = aCapture();
    const rows = [
      { type: 'order.paid', data: { ...paid, event_id: 'a' } },
      { type: 'order.paid', data: { order_id: 'o2', member_id: 'M1', currency: 'CNY', event_id: 'b' } },
      { type: 'page_viewed', data: { url: '/x' } },
      'not an event',
      { type: 'order.paid', data: { ...paid, event_id: 'c', amount: 19.9 } },
      { type: 'Order Paid', data: paid },
      { type: 'visit', timestamp: 'yesterday', data: { member_id: 'M1' } },
      { type: 'visit', data: { phone: '138****8000' } },
      { type: 'visit', data: { member_id: 'M1', note: 'x'.repeat(80_000) } },
    ];
    const reply = await send(pos(rows));
    expect(events().map((event) => event.id)).toEqual([eventId(source, ['a'])]);
    const told: { index: number; reason: string }[] = replyOf(reply).faults;
    expect(told.map(({ index, reason }) => [index, reason])).toEqual([
      [1, 'missing_property'],
      [2, 'no_identifier'],
      [3, 'bad_shape'],
      [4, 'bad_property'],
      [5, 'bad_type'],
      [6, 'bad_time'],
      [7, 'bad_identifier'],
      [8, 'too_large'],
    ]);
    expect(faults()).toHaveLength(8);
    expect(JSON.stringify(told)).not.toContain('138');
  });

  test('what is older than the brand keeps is a fault that says so, but for what was said of consent', async () => {
    const { send, events, faults } = aCapture();
    const data = { member_id: 'M1' };
    const reply = await send(
      pos([
        { type: 'visit', timestamp: '2015-05-01T00:00:00Z', data },
        { type: 'consent_withdrawn', timestamp: '2015-05-01T00:00:00Z', data: { ...data, purpose: 'all' } },
      ]),
    );
    expect(replyOf(reply).faults).toMatchObject([{ index: 0, reason: 'expired' }]);
    expect(faults()).toMatchObject([{ message: expect.stringContaining('1095 days') }]);
    expect(events().map(({ type }) => type)).toEqual(['consent_withdrawn']);
  });

  test('our own form is taken as it stands', async () => {
    const { send, events } = aCapture();
    await send(
      pos({
        batch: [
          {
            type: 'course_enrolled',
            id: 'e1',
            timestamp: 1760000000,
            identifiers: [
              { kind: 'customer_id', value: 7 },
              { kind: 'phone', value: '138 0013 8000' },
            ],
            properties: { course_id: 12, nested: { a: [1, null] } },
            traits: { city: '上海', email: 'A@B.cn' },
            context: { campaign: { channel: 'douyin', name: 'autumn' }, session: 's1' },
          },
        ],
      }),
    );
    expect(events()).toMatchObject([
      {
        id: eventId(source, ['e1']),
        occurredAt: '2025-10-09T08:53:20.000Z',
        identifiers: [
          { kind: 'customer_id', scope: 'qinghe', value: '7' },
          { kind: 'phone', scope: 'e164', value: '+8613800138000' },
          { kind: 'unverified_email', scope: 'rfc5322', value: 'a@b.cn' },
        ],
        properties: { course_id: '12', nested: { a: [1, null] } },
        traits: { city: '上海' },
        context: { campaign: { channel: 'douyin', name: 'autumn' }, session: 's1' },
      },
    ]);
    expect(JSON.stringify(events()[0]?.traits)).not.toContain('A@B');
  });

  test('a row without an id has that of its request and its place, whichever retry brings it', async () => {
    const { send, events } = aCapture();
    const rows = [1, 2].map((n) => ({ type: 'visit', timestamp: 1760000000, data: { member_id: `M${n}` } }));
    await send(pos(rows, 'msg_b'));
    await send(pos(rows, 'msg_b'));
    const ids = events().map((event) => event.id);
    expect(ids.slice(0, 2)).toEqual([eventId(source, ['msg_b', '0']), eventId(source, ['msg_b', '1'])]);
    expect(ids.slice(2)).toEqual(ids.slice(0, 2));
  });

  test('without a time, the signed time of the attempt stands in and says so', async () => {
    const { send, events, world } = aCapture();
    world.now = NOW + 60_000;
    await send(pos({ type: 'visit', data: { member_id: 'M1' } }));
    expect(events()[0]).toMatchObject({
      occurredAt: '2025-10-09T08:53:22.000Z',
      context: { timeSource: 'received' },
    });
  });

  test('a clock that runs ahead is not believed', async () => {
    const { send, events } = aCapture();
    await send(
      pos({ type: 'visit', timestamp: new Date(NOW + HOUR).toISOString(), data: { member_id: 'M1' } }),
    );
    expect(events()[0]).toMatchObject({
      occurredAt: new Date(NOW).toISOString(),
      context: { timeSource: 'received' },
    });
  });

  test('501 rows are too many, 300 KB too much: nothing of either is taken', async () => {
    const { send, bodies } = aCapture();
    const row = { type: 'visit', data: { member_id: 'M1' } };
    expect((await send(pos(Array(501).fill(row)))).statusCode).toBe(413);
    expect((await send(pos(`"${'x'.repeat(300_000)}"`))).statusCode).toBe(413);
    expect(bodies).toEqual([]);
  });

  test('500 rows of half a kilobyte are few messages, each small enough for the queue', async () => {
    const { send, bodies, events } = aCapture();
    const rows = Array.from({ length: 500 }, (_, n) => ({
      type: 'visit',
      data: { member_id: `M${n}`, note: '汉'.repeat(100) },
    }));
    expect(replyOf(await send(pos(rows))).accepted).toBe(500);
    expect(events()).toHaveLength(500);
    expect(bodies).toHaveLength(20); // 25 in each: every one may be another person's
    expect(Math.max(...bodies.map((body) => Buffer.byteLength(body)))).toBeLessThanOrEqual(MESSAGE_BYTES);
  });

  test('what is signed and no JSON is kept for a person to look at, and answered', async () => {
    const { send, faults } = aCapture();
    const reply = await send(pos('{"type":'));
    expect(reply.statusCode).toBe(200);
    expect(faults()).toMatchObject([{ reason: 'undecodable', body: { text: '{"type":' } }]);
  });

  test('an id that contains a full stop is no id', async () => {
    const { send, facts } = aCapture();
    expect((await send(pos({ type: 'visit', data: { member_id: 'M1' } }, 'a.b'))).statusCode).toBe(401);
    expect(facts).toMatchObject([{ reason: 'bad_message_id' }]);
  });

  test('an account that the brand does not have is not found', async () => {
    const { send } = aCapture();
    expect((await send(pos({}, 'm', 'nobody'))).statusCode).toBe(404);
    expect((await send({ ...pos({}), path: '/webhooks/constructor/pos' })).statusCode).toBe(404);
    expect((await send({ ...pos({}), path: '/webhooks/generic/__proto__' })).statusCode).toBe(404);
  });

  test('if the queue cannot take it, the sender is asked to send again', async () => {
    const { send, world, events } = aCapture();
    world.queueFails = true;
    const request = pos({ type: 'visit', data: { member_id: 'M1' } });
    const reply = await send(request);
    expect(reply.statusCode).toBe(500);
    expect(reply.body).not.toContain('SQS');
    world.queueFails = false;
    expect((await send(request)).statusCode).toBe(200);
    expect(events()).toHaveLength(1);
  });

  test('names that reach a prototype are dropped, and nothing is polluted', async () => {
    const { send, events } = aCapture();
    await send(
      pos(
        '{"type":"visit","data":{"member_id":"M1","__proto__":{"isAdmin":true},"a":{"\\u005f_proto__":{"x":1},"constructor":{"y":1}}}}',
      ),
    );
    expect(events()[0]?.properties).toEqual({ a: {} });
    expect(({} as Record<string, unknown>).isAdmin).toBeUndefined();
  });

  test('a long integer keeps its digits and a short one stays a number', async () => {
    const { send, events } = aCapture();
    await send(
      pos(
        '{"type":"visit","data":{"member_id":4705288465508532862,"shop_id":77,"long":1234567890123456789,"n":12,"f":0.30000000000000004,"e":1e3}}',
      ),
    );
    expect(events()[0]).toMatchObject({
      identifiers: [{ value: '4705288465508532862' }],
      properties: { shop_id: '77', long: '1234567890123456789', n: 12, f: 0.30000000000000004, e: 1000 },
    });
  });

  test('whatever JSON is signed, each row becomes an event or a fault', async () => {
    const { send, events, faults } = aCapture();
    let rows = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue({ maxDepth: 4 }), { minLength: 1, maxLength: 8 }),
        fc.uuid(),
        async (batch, id) => {
          const reply = await send(pos(JSON.stringify(batch), id));
          expect(reply.statusCode).toBe(200);
          rows += batch.length;
          expect(events().length + faults().length).toBe(rows);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe.skipIf(!hasShared)(`published vectors of Standard Webhooks${without}`, () => {
  test.each(vectorsOf('standard-webhooks', 'hmac'))(
    '$id: the digest holds, and not with another key',
    ({ inputs, expected }) => {
      const { key_b64 = '', data = '' } = texts.parse(inputs);
      const digest = (key: string) => hmacSha256(Buffer.from(key, 'base64'), data, 'base64');
      expect(digest(key_b64)).toBe(expected.digest);
      expect(digest(`A${key_b64.slice(1)}`)).not.toBe(expected.digest);
    },
  );

  test.each(vectorsOf('standard-webhooks', 'ed25519_verify'))(
    '$id: an asymmetric signature opens the same door',
    async ({ inputs }) => {
      const { public_key_b64 = '', message = '', signature_b64 = '' } = texts.parse(inputs);
      expect(ed25519Holds(Buffer.from(public_key_b64, 'base64'), message, signature_b64)).toBe(true);
      expect(ed25519Holds(Buffer.from(public_key_b64, 'base64'), `${message} `, signature_b64)).toBe(false);
      const [id = '', seconds = ''] = message.split('.');
      const { send, events } = aCapture({
        now: Number(seconds) * 1000,
        secrets: { 'siyu/qinghe/pos': { keys: [`whpk_${public_key_b64}`] } },
      });
      const body = message.slice(id.length + seconds.length + 2);
      const headers = {
        'webhook-id': id,
        'webhook-timestamp': seconds,
        'webhook-signature': `v1a,${signature_b64}`,
      };
      const request = { method: 'POST', path: '/webhooks/generic/pos', rawQuery: '', headers, body };
      expect((await send(request)).statusCode).toBe(200);
      expect((await send({ ...request, body: `${body} ` })).statusCode).toBe(401);
      expect(events()).toMatchObject([{ type: 'order_paid', properties: { paid_amount: 26800 } }]);
    },
  );

  test.each(vectorsOf('standard-webhooks', 'http_case'))(
    '$id: is taken or refused as published',
    async (it) => {
      const config = z.object({ secrets: z.array(z.string()) });
      const { now, sent, config: held } = httpCase(it, '/webhooks/generic/pos', config);
      const captured = aCapture({ now, secrets: { 'siyu/qinghe/pos': { keys: held.secrets } } });
      expectAnswered(it, await captured.send(sent), captured);
      expect(captured.events()).toHaveLength(it.expected.accept ? 1 : 0);
      const late = aCapture({ now: now + HOUR });
      expect((await late.send(sent)).statusCode).toBe(401);
    },
  );
});

describe.skipIf(!hasShared)(`published samples of the generic channel${without}`, () => {
  test.each(samplesOf('generic'))('$file means $canonical', async (it) => {
    const { send, events, faults } = aCapture();
    await send(pos(sharedText(`samples/${it.file}`), 'msg_s'));
    expect(faults()).toEqual([]);
    expect([...new Set(events().map((event) => event.type))]).toEqual(it.canonical);
    expect(events()[0]?.id).toBe(eventId(source, ['msg_s']));
    for (const event of events()) {
      const kinds = (a: { kind: string }, b: { kind: string }) => (a.kind < b.kind ? -1 : 1);
      expect(event.identifiers.toSorted(kinds)).toEqual(it.identities.toSorted(kinds));
      expect(event.occurredAt).toBe(it.occurred_at);
      expect(JSON.stringify([event.properties, event.traits])).not.toContain('13800138000');
    }
  });

  test('each tag of an imported contact is an event, its level and consent are traits', async () => {
    const { send, events } = aCapture();
    await send(pos(sharedText('samples/generic/crm_import_contact.json')));
    expect(events().map(({ properties }) => properties.tag_id ?? properties.member_id)).toEqual([
      'M00012345',
      '茶友',
      '静安店',
    ]);
    expect(events()[0]?.traits).toMatchObject({ level: 'gold', consent: { sms: true, phone: false } });
  });

  test('the campaign of a lead is in its context', async () => {
    const { send, events } = aCapture();
    await send(pos(sharedText('samples/generic/form_lead.json')));
    expect(events()[0]).toMatchObject({
      properties: { form_id: 'f-autumn', click_id: 'dyclk_1' },
      traits: { name: '林小姐' },
      context: { campaign: { source: 'douyin', name: 'autumn' } },
    });
  });

  test.each(['proto.json', 'deep_json.json'])('%s is neutralised', async (file) => {
    const captured = aCapture();
    expect((await captured.send(pos(sharedText(`samples/hostile/${file}`)))).statusCode).toBe(200);
    expectHarmless(captured);
  });
});
