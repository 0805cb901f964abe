// Scope: one running brand with an account at every vendor. The vendors' own clients fire at it over HTTP, everything
// twice, and what they sent is read back as anybody would read it: in the profiles, once.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { sign } from '@octokit/webhooks-methods';
import RudderAnalytics from '@rudderstack/rudder-sdk-node';
import { Analytics } from '@segment/analytics-node';
import { PostHog } from 'posthog-node';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import WechatCrypto from 'wechat-crypto';
import { z } from 'zod';
import { type Run, startRun } from '../../infra/local/brand-run.ts';
import type { SentRequest } from '../../lib/channels/sign.ts';
import { identifier } from '../../lib/events/event.ts';
import { SECOND } from '../../lib/platform/clock.ts';
import { teahouse } from '../channels/captured.ts';
import { brandOfAll, type Seed, seeds, senders } from '../channels/seeds.ts';
import { metaSecret } from '../channels/vendors/meta.ts';
import { posthogKeys } from '../channels/vendors/posthog.ts';
import { rudderKeys } from '../channels/vendors/rudderstack.ts';
import { sensorsTokens } from '../channels/vendors/sensors.ts';
import { wecomSenders } from '../channels/vendors/wecom.ts';
import { type Visitor, visitorOf } from './visitor.ts';

const SDKS = ['segment', 'rudderstack', 'posthog', 'sensors'];
const vendors = [...Map.groupBy(seeds, ({ channel }) => channel)].filter(
  ([channel]) => !SDKS.includes(channel),
);

let run: Run;
let visitor: Visitor;
/** Messages that were not taken, and how they were answered. */
const refused: string[] = [];

beforeAll(async () => {
  const held = Object.values(senders).flatMap(({ secrets }) => Object.entries(secrets));
  run = await startRun({
    brand: { ...brandOfAll().brand, local: { secrets: Object.fromEntries(held), keys: {} } },
  });
  visitor = visitorOf(run);
  for (const [, own] of vendors) await sayTwice(own);
  await visitor.settled();
});
afterAll(() => run?.stop());

const journalAnswer = z.object({
  events: z.array(z.object({ id: z.string(), type: z.string(), source: z.object({ channel: z.string() }) })),
});

/** The journal of whoever has the identifier; empty where nobody has. */
async function journalOf(kind: string, value: string, scope?: string) {
  const query = new URLSearchParams({ limit: '500', ...(scope !== undefined && { scope }) });
  const { status, text } = await visitor.get(
    `/profiles/${kind}/${encodeURIComponent(value)}/events?${query}`,
  );
  if (status === 404) return [];
  expect([status, text]).toEqual([200, text]);
  return journalAnswer.parse(JSON.parse(text)).events;
}

/** What a pair of `events/` says that its request becomes. */
const made = z.object({
  events: z.array(z.object({ id: z.string(), type: z.string(), identifiers: z.array(identifier) })),
});
const madeOf = ({ name }: Seed) =>
  made.parse(JSON.parse(readFileSync(new URL(`../../events/${name}.events.json`, import.meta.url), 'utf8')))
    .events;

/** Signed by the package that the vendor, or whoever has its scheme, publishes; else by its own few lines. */
async function signed(seed: Seed, now: number): Promise<SentRequest> {
  const { channel, name, account, about, message } = seed;
  const request = senders[channel]?.sign({ account, about, message, now, nonce: name });
  if (!request) throw new Error(`nobody plays ${channel}`);
  if (channel === 'meta')
    return {
      ...request,
      headers: { ...request.headers, 'x-hub-signature-256': await sign(metaSecret.appSecret, request.body) },
    };
  if (channel !== 'generic') return request;
  const id = seed.request.headers['webhook-id'] ?? '';
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now / SECOND)),
    'webhook-signature': new Webhook(teahouse.whsec).sign(id, new Date(now), request.body),
  };
  return { ...request, headers };
}

/** All of a vendor's messages, and all of them again. */
async function sayTwice(own: readonly Seed[]): Promise<void> {
  const now = Date.now();
  for (const attempt of [1, 2])
    for (const [i, seed] of own.entries()) {
      // A second of its own for each: some vendors sign no more than that.
      const request = await signed(seed, now - (2 * i + attempt) * SECOND);
      const { status, text } = await visitor.send(request);
      if (status >= 300) refused.push(`${seed.name}: ${status} ${text}`);
    }
}

test('every message of every vendor is taken, both times', () => {
  expect(refused).toEqual([]);
});

/** Who has an identifier has one journal, whichever of many messages names them. */
const read = new Map<string, ReturnType<typeof journalOf>>();
function readOnce({ kind, scope, value }: z.infer<typeof identifier>) {
  const key = JSON.stringify([kind, scope, value]);
  const found = read.get(key) ?? journalOf(kind, value, scope);
  read.set(key, found);
  return found;
}

test.each(vendors)('%s: each of its messages, sent twice, is in the profiles once', async (_channel, own) => {
  const wanted = new Map(own.flatMap(madeOf).map((it) => [it.id, it]));
  const lost: string[] = [];
  for (const { id, type, identifiers } of wanted.values()) {
    const found: number[] = [];
    for (const who of identifiers)
      found.push((await readOnce(who)).filter((event) => event.id === id).length);
    if (Math.max(0, ...found) !== 1)
      lost.push(`${type} of ${identifiers.map(({ kind }) => kind)}: ${found} times`);
  }
  expect(lost).toEqual([]);
});

/** Of what is in somebody's journal, what came by one channel: types, oldest first. */
const typesBy = async (channel: string, kind: string, value: string) =>
  (await journalOf(kind, value))
    .filter(({ source }) => source.channel === channel)
    .map(({ type }) => type)
    .sort();

test('wecom: what the older wechat-crypto package seals is in the profile once, however often it is sealed', async () => {
  const { token, encodingAesKey, receiveId } = wecomSenders.main;
  const client = new WechatCrypto(token, encodingAesKey, receiveId);
  const timestamp = String(Math.floor(Date.now() / SECOND));
  const said = `<xml><ToUserName><![CDATA[${receiveId}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName><CreateTime>${timestamp}</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[change_external_contact]]></Event><ChangeType><![CDATA[add_external_contact]]></ChangeType><UserID><![CDATA[lin]]></UserID><ExternalUserID><![CDATA[wmOlderClient0001]]></ExternalUserID></xml>`;
  for (const nonce of ['a', 'b']) {
    const sealed = client.encrypt(said);
    const query = { msg_signature: client.getSignature(timestamp, nonce, sealed), timestamp, nonce };
    const { status } = await visitor.send({
      method: 'POST',
      path: '/webhooks/wecom/main',
      rawQuery: new URLSearchParams(query).toString(),
      headers: { 'content-type': 'text/xml' },
      body: `<xml><Encrypt><![CDATA[${sealed}]]></Encrypt></xml>`,
    });
    expect(status).toBe(200);
  }
  await visitor.settled();
  expect(await typesBy('wecom', 'wecom_external_userid', 'wmOlderClient0001')).toEqual(['contact_added']);
});

const paid = (order: string) => ({ order_id: order, total: 268, currency: 'CNY' });

/** The request that a client makes, taken on its way and sent once more, as a proxy does that heard no answer. */
async function twice(fire: () => Promise<void>): Promise<void> {
  const original = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    if (request.method === 'POST') await original(request.clone());
    return original(request);
  };
  try {
    await fire();
  } finally {
    globalThis.fetch = original;
  }
  await visitor.settled();
}

test("segment: its SDK's batch, delivered twice, is in the profile once", async () => {
  await twice(async () => {
    const client = new Analytics({ writeKey: teahouse.serverKey, host: run.url });
    client.identify({ userId: 'SEG-1', traits: { city: '上海' } });
    client.track({ userId: 'SEG-1', event: 'Order Completed', properties: paid('SEG-ORDER') });
    await client.closeAndFlush();
  });
  expect(await typesBy('segment', 'member_id', 'SEG-1')).toEqual(['identity_linked', 'order_paid']);
});

test("rudderstack: its SDK's batch is in the profile once, though it was sent again after it was taken", async () => {
  const client = new RudderAnalytics(rudderKeys.server ?? '', { dataPlaneUrl: run.url, flushInterval: 20 });
  const order = {
    userId: 'RUD-1',
    event: 'Order Completed',
    messageId: 'rudder-message-1',
    originalTimestamp: new Date(run.clock.now() - SECOND),
    properties: paid('RUD-ORDER'),
  };
  for (const _attempt of [1, 2]) client.track(order);
  await client.flush();
  await visitor.settled();
  expect(await typesBy('rudderstack', 'member_id', 'RUD-1')).toEqual(['order_paid']);
});

test("posthog: its SDK's batch, delivered twice, is in the profile once", async () => {
  await twice(async () => {
    const client = new PostHog(posthogKeys.server ?? '', { host: run.url, flushAt: 100, disableGeoip: true });
    client.identify({ distinctId: 'PH-1', properties: { $set: { level: 'gold' } } });
    client.capture({ distinctId: 'PH-1', event: 'Order Completed', properties: paid('PH-ORDER') });
    await client.shutdown();
  });
  expect(await typesBy('posthog', 'member_id', 'PH-1')).toEqual(['identity_linked', 'order_paid']);
});

/** Of the real client, what is called here: it has no types of its own. */
interface SensorsClient {
  submitTo(options: { url: string; gzip: boolean }, batch: { count: number }): void;
  trackSignup(id: string, originalId: string, properties: object): void;
  track(id: string, event: string, properties: object): void;
}
const SensorsAnalytics: new () => SensorsClient = createRequire(import.meta.url)('sa-sdk-node');

test("sensors: its SDK's batch, which is sent once and never again, is in the profile", async () => {
  const client = new SensorsAnalytics();
  const url = `${run.url}/sa?project=qinghe&token=${sensorsTokens.server}`;
  client.submitTo({ url, gzip: true }, { count: 2 });
  client.trackSignup('SA-1', 'sa-cookie-1', {});
  client.track('SA-1', 'order_completed', { ...paid('SA-ORDER'), $is_login_id: true });
  await expect
    .poll(() => typesBy('sensors', 'member_id', 'SA-1'), { timeout: 10_000 })
    .toEqual(['identity_linked', 'order_paid']);
});
