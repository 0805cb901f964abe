import { z } from 'zod';
import type { Draft, DraftContext } from '../events/draft.ts';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import type { DraftIdentifier } from '../events/identifiers.ts';
import { standardType } from '../events/standard.ts';
import { instantOf } from '../events/time.ts';
import { DAY } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { json } from '../platform/http.ts';
import { type Account, channel, type Envelope, keyed, type Place, type Reading } from './channel.ts';
import { campaignOf, campaignOfUrl, fieldsOf, textOf } from './context.ts';
import { flatProperties, flatTypes, typeOnWire } from './generic-types.ts';
import { isRecord, readJson } from './json.ts';
import { withoutPersonal } from './personal.ts';
import { ed25519Holds, hmacSha256, sameSecret, signedTime, unauthentic } from './verify.ts';

type Fields = Record<string, Json>;

/** How many events one request may carry. */
const BATCH = 500;

const settings = z.strictObject({
  secret: z.string().min(1),
  /** Kind of identifier → the scope that this sender's values are unique in, where it is not the kind's own. */
  scopes: z.record(z.string(), z.string().min(1).max(128)).default({}),
  /** The sender's name of an event → ours, for names that are no snake_case. */
  types: z.record(z.string(), z.string()).default({}),
});
type Settings = z.infer<typeof settings>;

const bytesAfter = (prefix: string, key: string) => Buffer.from(key.slice(prefix.length), 'base64');

const key = z.string().refine(
  (text) => {
    if (text.startsWith('whpk_')) return bytesAfter('whpk_', text).length === 32;
    const { length } = bytesAfter('whsec_', text);
    return text.startsWith('whsec_') && length >= 24 && length <= 64;
  },
  { error: 'whsec_ and the base64 of 24 to 64 bytes, or whpk_ and that of an Ed25519 public key' },
);

/** All keys that are live: put the new one first, take the old one out when every sender has changed. */
const secret = z.object({ keys: z.array(key).min(1).max(8) });
type Secret = z.infer<typeof secret>;

/**
 * Our own way in for tills, shops, CRM systems and back ends: JSON signed as Standard Webhooks 1.0 says
 * (standardwebhooks.com), single events or batches of at most 500.
 */
export const generic = channel<Settings, Secret>({
  name: 'generic',
  settings,
  secret,
  maxBytes: 256 * 1024,

  verify(request, account, now) {
    const id = request.headers['webhook-id'] ?? '';
    const timestamp = request.headers['webhook-timestamp'] ?? '';
    // A full stop would let id, time and body change places under one signature.
    if (!/^[^.\s]{1,128}$/.test(id))
      unauthentic('bad_message_id', 'webhook-id: 1 to 128 characters without "."');
    const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), request.body]);
    if (!isSigned(signed, request.headers['webhook-signature'] ?? '', account))
      unauthentic('bad_signature', `generic: no signature holds, ${account.id}`);
    const sentAt = signedTime(timestamp, now);
    return { text: request.body.toString('utf8'), envelope: { verified: 'signed', delivery: id, sentAt } };
  },

  decode(text) {
    const body = readJson(text);
    const batch = Array.isArray(body)
      ? body
      : isRecord(body) && Array.isArray(body.batch)
        ? body.batch
        : undefined;
    const rows = batch ?? [body];
    if (rows.length > BATCH)
      throw new RejectedError('too_large', `at most ${BATCH} events in a request; send them in several`, 413);
    return rows.map((row) => ({ row, single: batch === undefined }));
  },

  read,

  reply({ events, faults, at }) {
    const refused = faults.map(({ reason, message }, i) => ({ index: at[i] ?? 0, reason, message }));
    return json(200, { accepted: events.length, faults: refused });
  },
});

/** Any one of the signatures in the header may hold, under any one of the keys; all are tried, whichever holds. */
function isSigned(content: Buffer, header: string, { secret: { keys } }: Account<Settings, Secret>): boolean {
  const signatures = header.split(' ').slice(0, 16);
  const holds = keys.flatMap((key) =>
    key.startsWith('whpk_')
      ? signatures.map(
          (it) => it.startsWith('v1a,') && ed25519Holds(bytesAfter('whpk_', key), content, it.slice(4)),
        )
      : signatures.map((it) =>
          sameSecret(`v1,${hmacSha256(bytesAfter('whsec_', key), content, 'base64')}`, it),
        ),
  );
  return holds.includes(true);
}

function read(message: Json, envelope: Envelope, place: Place<Settings>): Reading {
  const row = isRecord(message) ? message.row : undefined;
  if (!isRecord(message) || !isRecord(row))
    throw new FaultError('bad_shape', 'an event is an object: { "type", "timestamp", "data" }');
  const data = isRecord(row.data) ? row.data : undefined;
  const name = textOf(row, 'type') ?? '';
  const mapped = Object.hasOwn(place.settings.types, name) ? place.settings.types[name] : undefined;
  const type = mapped ?? typeOnWire(name);
  const isCanonical = Array.isArray(row.identifiers) || Array.isArray(data?.identifiers);
  const ownId =
    textOf(row, 'event_id', 'id') ?? textOf(data ?? {}, 'event_id', ...(isCanonical ? ['id'] : []));
  const delivery = envelope.delivery ?? '';
  const own = ownId
    ? [ownId]
    : message.single === true
      ? [delivery]
      : [delivery, String(envelope.index ?? 0)];
  const frame = { key: own, at: timeOf(row) ?? timeOf(data ?? {}), about: envelope.sentAt };
  refuseExpired(type, frame, place);
  const inner = Array.isArray(row.identifiers) ? row : (data ?? {});
  if (isCanonical) return { drafts: [{ type, ...frame, ...canonical(inner, row, place) }] };
  if (!data)
    throw new FaultError('bad_shape', 'an event needs "data", an object, or "identifiers" and "properties"');
  return { drafts: flat(type, data, frame, place) };
}

/**
 * What is older than the brand keeps would be nothing as soon as it is there. From a channel that is nothing to complain of;
 * whoever sends history here has to be told.
 */
function refuseExpired(type: string, { at, about }: Pick<Draft, 'at' | 'about'>, { home }: Place<Settings>) {
  const happened = at === undefined ? undefined : instantOf(at);
  const days = home.keptFor?.(type);
  if (happened === undefined || about === undefined || days === undefined) return;
  if (happened + days * DAY >= about) return;
  throw new FaultError(
    'expired',
    `it happened more than ${days} days ago, and the brand keeps such events no longer (retention.events)`,
  );
}

function timeOf(fields: Fields): string | number | undefined {
  const time = fields.timestamp ?? fields.occurredAt ?? fields.occurred_at;
  if (time === undefined || time === null || time === '') return undefined;
  return typeof time === 'number' || typeof time === 'string' ? time : 'neither text nor number';
}

/** `{ identifiers: [{ kind, scope?, value }], properties, traits, context }`: our own form, as it stands. */
function canonical(fields: Fields, row: Fields, { settings: { scopes }, home }: Place<Settings>) {
  const given = (Array.isArray(fields.identifiers) ? fields.identifiers : []).map((it): DraftIdentifier => {
    const kind = isRecord(it) ? textOf(it, 'kind') : undefined;
    const value = isRecord(it) ? textOf(it, 'value') : undefined;
    if (!isRecord(it) || !kind || !value)
      throw new FaultError(
        'bad_identifier',
        'an identifier is { "kind", "scope"?, "value" }, all of them text',
      );
    return { kind, scope: textOf(it, 'scope') ?? scopes[kind], value };
  });
  const properties = withoutPersonal(fieldsOf(fields, 'properties'), home.locale);
  const traits = withoutPersonal(fieldsOf(fields, 'traits'), home.locale);
  const context = { ...fieldsOf(row, 'context'), ...fieldsOf(fields, 'context') };
  return {
    identifiers: [...given, ...unlessKnown(given, [...properties.identifiers, ...traits.identifiers])],
    properties: properties.rest,
    traits: traits.rest,
    context: contextOf(context),
  };
}

/** A phone that is given as verified is not given again as unverified. */
const unlessKnown = (given: readonly DraftIdentifier[], found: readonly DraftIdentifier[]) =>
  found.filter(({ kind }) => !given.some((it) => `unverified_${it.kind}` === kind));

function contextOf(context: Fields): DraftContext {
  const page = fieldsOf(context, 'page');
  return {
    campaign: campaignOf(fieldsOf(context, 'campaign')) ?? campaignOfUrl(textOf(page, 'url')),
    page,
    referrer: textOf(context, 'referrer'),
    device: fieldsOf(context, 'device'),
    locale: textOf(context, 'locale'),
    session: textOf(context, 'session', 'session_id'),
  };
}

/** Fields of the flat form that are no properties. */
const WHO = [
  'phone',
  'email',
  'openid',
  'appid',
  'unionid',
  'anonymous_id',
  'device_id',
  'phone_verified',
  'email_verified',
];
const AROUND = [
  'event_id',
  'timestamp',
  'occurred_at',
  'utm',
  'traits',
  'session_id',
  'device',
  'locale',
  'referrer',
];

/** `data` as a till or an SDK writes it: identifiers, properties and traits in one flat object. */
function flat(
  type: string,
  data: Fields,
  frame: Pick<Draft, 'key' | 'at' | 'about'>,
  place: Place<Settings>,
): Draft[] {
  const drafts = (of: string): Draft => {
    const identifiers = flatIdentifiers(data, place.settings);
    const mended = flatProperties(of, data, frame.key.join(':'));
    const names = new Set(flatTypes[of]?.traits ?? []);
    const required = standardType(of)?.required ?? {};
    const apart = new Set(
      [...WHO, ...AROUND, 'member_id', 'customer_id'].filter((name) => !Object.hasOwn(required, name)),
    );
    const pick = (isTrait: boolean) =>
      Object.fromEntries(
        Object.entries(mended).filter(
          ([name]) => !apart.has(name) && !name.startsWith('utm_') && names.has(name) === isTrait,
        ),
      );
    const properties = withoutPersonal(pick(false), place.home.locale);
    const traits = withoutPersonal({ ...pick(true), ...fieldsOf(data, 'traits') }, place.home.locale);
    const found = unlessKnown(identifiers, [...properties.identifiers, ...traits.identifiers]);
    return {
      type: of,
      ...frame,
      identifiers: [...identifiers, ...found],
      properties: properties.rest,
      traits: traits.rest,
      context: flatContext(data),
    };
  };
  if (type !== 'contact_imported' || textOf(data, 'member_id') === undefined) return [drafts(type)];
  const tags = (Array.isArray(data.tags) ? data.tags : []).filter(
    (tag) => typeof tag === 'string' && tag !== '',
  );
  const member = drafts('member_registered');
  return [
    member,
    ...tags.map((tag, index) => ({
      ...member,
      type: 'tag_added',
      key: keyed(frame.key, index + 1),
      properties: { tag_id: tag, tag_name: tag, source: textOf(data, 'source') ?? 'generic' },
      traits: undefined,
    })),
  ];
}

function flatIdentifiers(data: Fields, { scopes }: Settings): DraftIdentifier[] {
  const app = textOf(data, 'appid') ?? textOf(data, 'source')?.replace(/^app-/, 'app:');
  const inApp = app !== undefined && (data.appid !== undefined || app.startsWith('app:')) ? app : undefined;
  const one = (kind: string, value: string | undefined, scope?: string): DraftIdentifier[] =>
    value === undefined ? [] : [{ kind, scope: scope ?? scopes[kind], value }];
  return [
    ...one('member_id', textOf(data, 'member_id')),
    ...one('customer_id', textOf(data, 'customer_id')),
    ...one('wechat_openid', textOf(data, 'openid'), textOf(data, 'appid')),
    ...one('wechat_unionid', textOf(data, 'unionid')),
    ...one(data.phone_verified === false ? 'unverified_phone' : 'phone', textOf(data, 'phone')),
    ...one(data.email_verified === true ? 'email' : 'unverified_email', textOf(data, 'email')),
    ...one('anonymous_id', textOf(data, 'anonymous_id'), inApp),
    ...one('device_id', textOf(data, 'device_id'), inApp),
  ];
}

function flatContext(data: Fields): DraftContext {
  const url = textOf(data, 'url', 'page_url');
  return {
    campaign: campaignOf(fieldsOf(data, 'utm')) ?? campaignOf(utmFields(data)) ?? campaignOfUrl(url),
    page: { url, path: textOf(data, 'path'), title: textOf(data, 'title') },
    referrer: textOf(data, 'referrer'),
    device: fieldsOf(data, 'device'),
    locale: textOf(data, 'locale'),
    session: textOf(data, 'session_id'),
  };
}

const utmFields = (data: Fields): Fields =>
  Object.fromEntries(Object.entries(data).filter(([name]) => name.startsWith('utm_')));
