// Scope: Meta's webhooks (WhatsApp, leads), from the request to the queue. GitHub's library signs: the scheme is the same.
import { sign, verify } from '@octokit/webhooks-methods';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { hmacSha256 } from '../../lib/channels/verify.ts';
import { eventId } from '../../lib/events/id.ts';
import { DAY } from '../../lib/platform/clock.ts';
import { hasShared, NOW, sharedText, without } from './captured.ts';
import { aPlayed, reasons } from './played.ts';
import {
  expectAnswered,
  expectHarmless,
  expectIds,
  expectMeant,
  httpCase,
  samplesOf,
  texts,
  vectorsOf,
} from './published.ts';
import { escaped, metaSecret, metaVendor, signMeta } from './vendors/meta.ts';

const source = { channel: 'meta', account: 'main' };

const aPage = (over: { secret?: unknown; now?: number } = {}) =>
  aPlayed('meta', metaVendor, { secrets: { meta: over.secret ?? metaSecret }, now: over.now });

const WABA = '102290129340398';
const whatsapp = (value: object, waba = WABA, field = 'messages') => ({
  object: 'whatsapp_business_account',
  entry: [{ id: waba, changes: [{ field, value: { metadata: { phone_number_id: '1' }, ...value } }] }],
});
const read = { id: 'wamid.1', status: 'read', timestamp: '1760000000', recipient_id: '8613800138000' };
const said = {
  id: 'wamid.2',
  from: '8613800138000',
  timestamp: '1760000000',
  type: 'text',
  text: { body: '你好 😀' },
};
const text = (value: unknown) => escaped(JSON.stringify(value));
const one = text(whatsapp({ statuses: [read] }));

describe('the address that Meta tries', () => {
  const get = (query: Record<string, string>) => ({
    method: 'GET',
    path: '/webhooks/meta/main',
    rawQuery: new URLSearchParams(query).toString(),
    headers: {},
    body: '',
  });
  const asked = {
    'hub.mode': 'subscribe',
    'hub.verify_token': metaSecret.verifyToken,
    'hub.challenge': '1158201444',
  };

  test('is answered with the challenge, as text', async () => {
    const { send, bodies } = aPage();
    const reply = await send(get(asked));
    expect(reply).toMatchObject({ statusCode: 200, body: '1158201444' });
    expect(reply.headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8' });
    expect(bodies).toEqual([]);
  });

  test('is refused for another token, another mode, or a challenge that could be markup', async () => {
    const { send, facts } = aPage();
    for (const over of [
      { 'hub.verify_token': 'guessed' },
      { 'hub.mode': 'unsubscribe' },
      { 'hub.challenge': '<script>' },
    ]) {
      const reply = await send(get({ ...asked, ...over }));
      expect(reply.statusCode).toBe(403);
      expect(reply.body).not.toContain('script');
    }
    expect((await send(get({}))).statusCode).toBe(403);
    expect(reasons(facts)).toEqual([
      'bad_verification_token',
      'bad_verification_token',
      'bad_challenge',
      'bad_verification_token',
    ]);
  });

  test('either token is taken while both are held', async () => {
    const fresh = { ...metaSecret, verifyToken: 'fresh', previous: { verifyToken: metaSecret.verifyToken } };
    const { send } = aPage({ secret: fresh });
    for (const token of ['fresh', metaSecret.verifyToken])
      expect((await send(get({ ...asked, 'hub.verify_token': token }))).statusCode).toBe(200);
  });
});

describe('the signature', () => {
  test('is the one that GitHub’s library makes and takes', async () => {
    const signature = await sign(metaSecret.appSecret, one);
    expect(signMeta(one).headers['x-hub-signature-256']).toBe(signature);
    expect(await verify(metaSecret.appSecret, one, signature)).toBe(true);
    const { send, events } = aPage();
    const request = { ...signMeta(one), headers: { 'x-hub-signature-256': signature } };
    expect(await send(request)).toMatchObject({ statusCode: 200, body: '' });
    expect(events()).toHaveLength(1);
  });

  test('is over raw bytes: the same JSON written otherwise, or another secret, is refused 403 in the same words', async () => {
    const { send, facts, bodies } = aPage();
    const escapedText = text(whatsapp({ messages: [said] }));
    const good = signMeta(escapedText);
    const replies = [
      await send({ ...good, body: JSON.stringify(JSON.parse(escapedText)) }),
      await send(signMeta(one, 'main', `${metaSecret.appSecret}0`)),
      await send({ ...good, headers: {} }),
      await send({
        ...good,
        headers: {
          'x-hub-signature-256': `${good.headers['x-hub-signature-256']}`.replace('sha256=', 'sha1='),
        },
      }),
    ];
    expect(replies.map((reply) => reply.statusCode)).toEqual([403, 403, 403, 403]);
    expect(new Set(replies.map((reply) => reply.body)).size).toBe(1);
    expect(reasons(facts)).toEqual(Array(4).fill('bad_signature'));
    expect(bodies).toEqual([]);
  });

  test('either secret is taken while both are held', async () => {
    const fresh = { ...metaSecret, appSecret: 'fresh', previous: { appSecret: metaSecret.appSecret } };
    const { send } = aPage({ secret: fresh });
    for (const secret of ['fresh', metaSecret.appSecret])
      expect((await send(signMeta(one, 'main', secret))).statusCode).toBe(200);
    const over = aPage({ secret: { ...metaSecret, appSecret: 'fresh' } });
    expect((await over.send(signMeta(one))).statusCode).toBe(403);
  });

  test('other refusals keep their status', async () => {
    const { send } = aPage();
    expect((await send({ ...signMeta(one), path: '/webhooks/meta/nobody' })).statusCode).toBe(404);
    expect((await send({ ...signMeta(one), method: 'PUT' })).statusCode).toBe(405);
    expect((await send(signMeta('x'.repeat(3 * 1024 * 1024 + 1)))).statusCode).toBe(413);
  });
});

describe('what Meta’s changes mean', () => {
  test('a week later, as Meta may try again, it is the same event', async () => {
    const { send, events, world } = aPage();
    await send(signMeta(one));
    world.now += 7 * DAY;
    await send(signMeta(one));
    expect(events().map(({ id, occurredAt }) => [id, occurredAt])).toEqual(
      Array(2).fill([eventId(source, ['wamid.1', 'read']), '2025-10-09T08:53:20.000Z']),
    );
  });

  test('the four statuses of one message are four events, in whatever order they come', async () => {
    const { send, events } = aPage();
    const statuses = ['read', 'sent', 'failed', 'delivered'].map((status) => ({ ...read, status }));
    await send(signMeta(text(whatsapp({ statuses }))));
    expect(events().map(({ type, properties }) => [type, properties.message_id])).toEqual([
      ['message_read', 'wamid.1'],
      ['message_sent', 'wamid.1'],
      ['message_failed', 'wamid.1'],
      ['message_delivered', 'wamid.1'],
    ]);
    expect(new Set(events().map(({ id }) => id)).size).toBe(4);
    expect(events()[1]?.properties.template_id).toBe('unknown');
    expect(events()[2]?.properties.reason).toBe('unknown');
  });

  test('in a group each reader is one', async () => {
    const { send, events } = aPage();
    const inGroup = { ...read, recipient_type: 'group', recipient_id: 'Y2FwaV9ncm91cDox' };
    const statuses = ['8613800138000', '8613900139000'].map((it) => ({
      ...inGroup,
      recipient_participant_id: it,
    }));
    await send(signMeta(text(whatsapp({ statuses }))));
    expect(events().map(({ identifiers }) => identifiers[0]?.value)).toEqual([
      '+8613800138000',
      '+8613900139000',
    ]);
    expect(new Set(events().map(({ id }) => id)).size).toBe(2);
  });

  test('what a customer writes is kept only where the account says so', async () => {
    const { send, events } = aPage();
    for (const account of ['main', 'any'])
      await send(signMeta(text(whatsapp({ messages: [said] })), account));
    expect(events()[0]?.properties).toEqual({
      message_id: 'wamid.2',
      message_type: 'text',
      phone_number_id: '1',
    });
    expect(events()[1]?.properties.content).toBe('你好 😀');
  });

  test('a lead names nobody: its id stands for the person, until somebody tells who it was', async () => {
    const { send, events } = aPage();
    const value = { leadgen_id: '9007199254740995123', form_id: '5', created_time: 1_760_000_000 };
    const body = { object: 'page', entry: [{ id: '153125381133', changes: [{ field: 'leadgen', value }] }] };
    const digits = text(body).replace('"9007199254740995123"', '9007199254740995123');
    await send(signMeta(digits));
    expect(events()).toMatchObject([
      {
        id: eventId(source, ['leadgen', '9007199254740995123']),
        identifiers: [{ kind: 'lead_id', scope: 'meta:153125381133', value: '9007199254740995123' }],
        properties: { lead_id: '9007199254740995123', form_id: '5' },
      },
    ]);
  });

  test('a delivery for other accounts alone is refused; beside ours they are left out and counted', async () => {
    const { send, events, facts } = aPage();
    const foreign = whatsapp({ statuses: [{ ...read, id: 'wamid.9' }] }, '999');
    expect((await send(signMeta(text(foreign)))).statusCode).toBe(403);
    const mixed = { ...foreign, entry: [...foreign.entry, ...whatsapp({ statuses: [read] }).entry] };
    expect((await send(signMeta(text(mixed)))).statusCode).toBe(200);
    expect(events().map(({ properties }) => properties.message_id)).toEqual(['wamid.1']);
    expect(reasons(facts)).toEqual(['shop_mismatch', 'ignored']);
    expect((await send(signMeta(text(foreign), 'any'))).statusCode).toBe(200);
  });

  test('one that is broken keeps no other back', async () => {
    const { send, events, faults } = aPage();
    const statuses = [1, { ...read, id: undefined }, { ...read, recipient_id: 'nobody' }, read];
    const reply = await send(signMeta(text(whatsapp({ statuses }))));
    expect(reply.statusCode).toBe(200);
    expect(events()).toHaveLength(1);
    expect(faults().map(({ reason }) => reason)).toEqual(['bad_shape', 'bad_shape', 'no_identifier']);
  });

  test('fields, statuses and messages that nobody knows are acknowledged and counted', async () => {
    const { send, bodies, facts } = aPage();
    const entries = [
      whatsapp({ event: 'APPROVED' }, WABA, 'message_template_status_update'),
      whatsapp({ statuses: [{ ...read, status: 'toString' }] }),
      whatsapp({ messages: [{ ...said, type: 'system' }] }),
      whatsapp({ errors: [{ code: 1 }] }),
      { object: 'page', entry: [{ id: '153125381133', messaging: [{}] }] },
      { object: '__proto__', entry: [] },
    ];
    for (const entry of entries) expect((await send(signMeta(text(entry)))).statusCode).toBe(200);
    expect(bodies).toEqual([]);
    expect(facts.map((fact) => 'name' in fact && fact.name)).toEqual([
      'whatsapp_business_account/message_template_status_update',
      'whatsapp_business_account/messages/statuses/toString',
      'whatsapp_business_account/messages/messages/system',
      'whatsapp_business_account/messages/errors',
      'page/messaging',
    ]);
  });

  test('a thousand changes are taken and one more is not', async () => {
    const { send, events } = aPage();
    const many = (count: number) =>
      text(whatsapp({ statuses: Array.from({ length: count }, (_, i) => ({ ...read, id: `wamid.${i}` })) }));
    expect((await send(signMeta(many(1001)))).statusCode).toBe(413);
    expect((await send(signMeta(many(1000)))).statusCode).toBe(200);
    expect(events()).toHaveLength(1000);
  });
});

test.each([
  ['[]', 'bad_shape'],
  ['null', 'bad_shape'],
  ['{"object":"page"}', 'bad_shape'],
  ['{"object":"page","entry":{"0":1}}', 'bad_shape'],
  ['{"object":"page","entry":[', 'undecodable'],
  ['{"object":"whatever","entry":[5]}', 'bad_shape'],
  ['{"object":"page","entry":[{"id":"153125381133","changes":["x"]}]}', 'bad_shape'],
  [
    '{"object":"page","entry":[{"id":"153125381133","changes":[{"field":"leadgen","value":[]}]}]}',
    'bad_shape',
  ],
  [
    `{"object":"whatsapp_business_account","entry":[{"id":"${WABA}","changes":[{"field":"messages","value":{"statuses":{}}}]}]}`,
    'bad_shape',
  ],
  [
    `{"object":"whatsapp_business_account","entry":[{"id":"${WABA}","changes":[{"field":"messages","value":{"messages":[{"id":"w","type":"text"}]}}]}]}`,
    'no_identifier',
  ],
])('signed and broken, %s goes to quarantine', async (body, reason) => {
  const { send, faults, events } = aPage();
  expect((await send(signMeta(body))).statusCode).toBe(200);
  expect(events()).toEqual([]);
  expect(faults()).toMatchObject([{ reason }]);
});

const held = z.object({ app_secret: z.string(), verify_token: z.string() });

describe.skipIf(!hasShared)(`published vectors of Meta${without}`, () => {
  test.each(vectorsOf('meta', 'hmac'))('$id: is signed so', async ({ inputs, expected }) => {
    const { key = '', data = '' } = texts.parse(inputs);
    expect(hmacSha256(Buffer.from(key), data, 'hex')).toBe(expected.digest);
    const headers = { 'x-hub-signature-256': `sha256=${expected.digest}` };
    const sent = { method: 'POST', path: '/webhooks/meta/any', rawQuery: '', headers, body: data };
    const at = (appSecret: string) => aPage({ secret: { appSecret, verifyToken: 'v' } });
    expect((await at(key).send(sent)).statusCode).toBe(200);
    expect((await at(`${key}0`).send(sent)).statusCode).toBe(403);
    expect((await at(key).send({ ...sent, body: `${data} ` })).statusCode).toBe(403);
  });

  test.each(vectorsOf('meta', 'http_case'))('$id: is taken or refused as published', async (it) => {
    const { config, sent } = httpCase(it, '/webhooks/meta/any', held);
    const at = (appSecret: string, verifyToken: string) => aPage({ secret: { appSecret, verifyToken } });
    const captured = at(config.app_secret, config.verify_token);
    expectAnswered(it, await captured.send(sent), captured, 403);
    expect((await at(`${config.app_secret}0`, `${config.verify_token}0`).send(sent)).statusCode).toBe(403);
  });

  test('the message that was re-serialised is taken as Meta writes it', async () => {
    const it = vectorsOf('meta', 'http_case').find(({ id }) => id === 'whatsapp-message-reserialised');
    const { config, sent: published } = httpCase(it!, '/webhooks/meta/any', held);
    const sent = { ...published, body: escaped(published.body) };
    const { send, events } = aPage({ secret: { appSecret: config.app_secret, verifyToken: 'v' } });
    expect((await send(sent)).statusCode).toBe(200);
    expect(events()).toMatchObject([{ type: 'message_received', properties: { content: '你好 😀' } }]);
  });
});

describe.skipIf(!hasShared)(`published samples of Meta${without}`, () => {
  test.each(samplesOf('meta'))('$file means $canonical', async (it) => {
    const captured = aPage({ now: NOW + 10_000 });
    expect((await captured.send(signMeta(sharedText(`samples/${it.file}`)))).statusCode).toBe(200);
    expectMeant(it, captured, { people: 'among others' });
    expectIds(it, captured, source);
  });

  test.each(['proto.json', 'deep_json.json'])('hostile %s is neutralised', async (file) => {
    const captured = aPage();
    expect((await captured.send(signMeta(sharedText(`samples/hostile/${file}`)))).statusCode).toBe(200);
    expectHarmless(captured);
  });
});
