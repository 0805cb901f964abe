// What others have published of the channels (vectors, samples), and what it asks of every channel alike.
import { expect } from 'vitest';
import { z } from 'zod';
import { wechatDecrypt, wechatEncrypt, wechatSignature } from '../../lib/channels/wechat-crypto.ts';
import type { Event, Source } from '../../lib/events/event.ts';
import { eventId } from '../../lib/events/id.ts';
import { type aCapture, hasShared, NOW, sharedText } from './captured.ts';

type Captured = Pick<ReturnType<typeof aCapture>, 'events' | 'faults' | 'facts'>;
type Reply = Awaited<ReturnType<ReturnType<typeof aCapture>['send']>>;

export const texts = z.record(z.string(), z.string());

const vector = z.object({
  id: z.string(),
  kind: z.string(),
  inputs: z.record(z.string(), z.unknown()),
  expected: z.record(z.string(), z.unknown()),
});
export type Vector = z.infer<typeof vector>;

/**
 * The published vectors of one file that are of these kinds; none where they are not here.
 *
 * @throws Error for a kind of which there is none: its tests would pass by not being there
 */
export function vectorsOf(file: string, ...kinds: readonly string[]): readonly Vector[] {
  if (!hasShared) return [];
  const { vectors } = z
    .object({ vectors: z.array(vector) })
    .parse(JSON.parse(sharedText(`vectors/${file}.json`)));
  const missing = kinds.filter((it) => !vectors.some(({ kind }) => kind === it));
  if (missing.length > 0) throw new Error(`vectors/${file}.json has no ${missing.join(', ')}`);
  return vectors.filter(({ kind }) => kinds.includes(kind));
}

const sample = z.object({
  file: z.string(),
  channel: z.string(),
  vendor_event: z.string(),
  layer: z.string(),
  canonical: z.array(z.string()),
  identities: z.array(z.object({ kind: z.string(), scope: z.string(), value: z.string() })),
  dedupe_parts: z.array(z.string()),
  occurred_at: z.string().nullable(),
});
export type Sample = z.infer<typeof sample>;

/**
 * What the published samples of a channel have to become; none where they are not here.
 *
 * @throws Error for a channel that has none
 */
export function samplesOf(channel: string): readonly Sample[] {
  if (!hasShared) return [];
  const { samples } = z
    .object({ samples: z.array(sample) })
    .parse(JSON.parse(sharedText('samples/manifest.json')));
  const ours = samples.filter((it) => it.channel === channel);
  if (ours.length === 0) throw new Error(`samples/manifest.json has nothing of ${channel}`);
  return ours;
}

/** No fault, the types (of events, then of notices), and the people and the time of each event are as published. */
export function expectMeant(
  it: Sample,
  { events, faults, facts }: Captured,
  over: { at?: string; people?: 'exactly' | 'among others' } = {},
) {
  expect(faults()).toEqual([]);
  const told = facts.flatMap((fact) => (fact.what === 'notice' ? [fact.type] : []));
  expect([...events().map(({ type }) => type), ...told]).toEqual(it.canonical);
  const people = over.people === 'among others' ? expect.arrayContaining(it.identities) : it.identities;
  for (const event of events()) {
    expect(event.identifiers).toEqual(people);
    expect(event.occurredAt).toBe(over.at ?? it.occurred_at);
  }
}

/** Each event has the id that is made of the published parts, or of what `keyOf` makes of them. */
export function expectIds(
  it: Sample,
  { events }: Pick<Captured, 'events'>,
  source: Source,
  keyOf: (event: Event, index: number) => readonly string[] = () => it.dedupe_parts,
) {
  expect(events().map(({ id }) => id)).toEqual(
    events().map((event, index) => eventId(source, keyOf(event, index))),
  );
}

/** The key of the first event, and that of the others with their place behind it. */
export const numbered = (it: Sample) => (_: Event, index: number) =>
  index === 0 ? it.dedupe_parts : [...it.dedupe_parts, String(index)];

const request = z.object({
  method: z.enum(['GET', 'POST']),
  query: texts.default({}),
  headers: texts,
  body: z.string(),
});

/** A published request as it comes to our address, what the account holds, and the time in ms: ours where none is published. */
export function httpCase<Config>({ inputs }: Vector, path: string, config: z.ZodType<Config>) {
  const published = z.object({ now: z.number().default(NOW / 1000), config, request }).parse(inputs);
  const { method, query, headers, body } = published.request;
  const rawQuery = new URLSearchParams(query).toString();
  return {
    now: published.now * 1000,
    config: published.config,
    sent: { method, path, rawQuery, headers, body },
  };
}

const answer = z
  .strictObject({ status: z.number(), body: z.string().optional(), json: z.json().optional() })
  .default({ status: 200 });

/** The reply is the published one; whatever is refused is refused with `refusal`, for the published reason alone. */
export function expectAnswered({ expected }: Vector, reply: Reply, { facts }: Captured, refusal = 401) {
  if (!z.boolean().parse(expected.accept)) {
    expect(reply.statusCode).toBe(refusal);
    expect(facts).toMatchObject([{ what: 'refused', reason: expected.reason }]);
    return;
  }
  const { status, body, json } = answer.parse(expected.reply);
  expect(reply.statusCode).toBe(status);
  expect(facts.filter((fact) => 'reason' in fact)).toEqual([]);
  if (body !== undefined) expect(reply.body).toBe(body);
  if (json !== undefined) expect(JSON.parse(reply.body ?? '')).toEqual(json);
}

/** A signature of safe mode, and of what is tried without a ciphertext: it holds, and not for another nonce. */
export function expectSigned({ inputs, expected }: Vector) {
  const { token = '', timestamp = '', nonce = '', encrypt } = texts.parse(inputs);
  const parts = [token, timestamp, ...(encrypt ? [encrypt] : [])];
  expect(wechatSignature(...parts, nonce)).toBe(expected.signature);
  expect(wechatSignature(...parts, `${nonce}0`)).not.toBe(expected.signature);
}

/** A ciphertext of safe mode: it opens with its key, and not with another. */
export function expectOpened({ inputs, expected }: Vector) {
  const { encoding_aes_key: key = '', encrypt = '', receive_id } = texts.parse(inputs);
  const plain = wechatDecrypt(key, encrypt);
  const hope = z
    .union([z.object({ message: z.string() }), z.object({ message_contains: z.array(z.string()).min(1) })])
    .parse(expected);
  if ('message' in hope) expect(plain).toEqual({ message: hope.message, receiveId: receive_id });
  else for (const part of hope.message_contains) expect(plain?.message).toContain(part);
  expect(wechatDecrypt(key.replace(/^./, 'z'), encrypt)?.message).not.toBe(plain?.message);
}

/** A message of safe mode: it is sealed to the same bytes, and another is not. */
export function expectSealed({ inputs, expected }: Vector) {
  const { encoding_aes_key = '', random = '', message = '', receive_id = '' } = texts.parse(inputs);
  const seal = (it: string) => wechatEncrypt(encoding_aes_key, it, receive_id, Buffer.from(random));
  expect(seal(message)).toBe(expected.encrypt);
  expect(seal(`${message}!`)).not.toBe(expected.encrypt);
}

/** What a hostile sample comes to: one fault, no event, and nothing on what all objects share. */
export function expectHarmless({ events, faults }: Captured) {
  expect(events()).toEqual([]);
  expect(faults()).toHaveLength(1);
  const inherited: string[] = [];
  for (const name in {}) inherited.push(name);
  expect(inherited).toEqual([]);
}
