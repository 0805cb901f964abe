import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import type { Draft, DraftContext } from '../events/draft.ts';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import type { DraftIdentifier } from '../events/identifiers.ts';
import { RejectedError } from '../platform/errors.ts';
import { type HttpRequest, json } from '../platform/http.ts';
import { channel, type Envelope, type Place, type Reading } from './channel.ts';
import { campaignOf, campaignOfUrl, fieldsOf, textOf } from './context.ts';
import { isRecord, readJson } from './json.ts';
import { withoutPersonal } from './personal.ts';
import { eventNamed, propertiesOf } from './segment-names.ts';
import { sameSecret, unauthentic } from './verify.ts';

type Fields = Record<string, Json>;

/** Segment's own limit of a batch is 500 KB; one of its clients sends at most 2500 calls at once. */
const MAX_BYTES = 512 * 1024;
const BATCH = 2500;

/** `analytics.js` writes the first letter of the call. */
const calls: Readonly<Record<string, string>> = {
  track: 'track',
  t: 'track',
  identify: 'identify',
  i: 'identify',
  page: 'page',
  p: 'page',
  screen: 'screen',
  s: 'screen',
  group: 'group',
  g: 'group',
  alias: 'alias',
  a: 'alias',
  batch: 'batch',
  b: 'batch',
  import: 'batch',
};

const settings = z.strictObject({
  secret: z.string().min(1),
  /** The write key is kept on our own servers, never shipped in an app or a page: then it may claim money. */
  server: z.boolean().default(false),
  /** What `userId` is. */
  userIdKind: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,39}$/)
    .default('member_id'),
  /** The sender's name of an event → ours, for names that have no Latin letters. */
  types: z.record(z.string(), z.string()).default({}),
});
type Settings = z.infer<typeof settings>;

const writeKey = z.string().min(8).max(128);
const secret = z.object({
  writeKey,
  /** The one before it, while old apps still send it. */
  previous: z.union([writeKey, z.array(writeKey)]).optional(),
});
type Secret = z.infer<typeof secret>;

const keysOf = ({ writeKey: current, previous = [] }: Secret) => [current, ...[previous].flat()];

/** Segment's HTTP tracking protocol: its SDKs, pointed here, need no other change. */
export const segment = channel<Settings, Secret>({
  name: 'segment',
  settings,
  secret,
  maxBytes: MAX_BYTES,
  address: { of: writeKeyOf, keys: keysOf },
  headers: {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'POST, OPTIONS',
    'access-control-allow-headers': 'authorization, content-type, content-encoding, x-retry-count',
    'access-control-max-age': '86400',
  },

  verify(request, { secret: held, settings: { server }, id }) {
    const sent = writeKeyOf(request) ?? '';
    const holds = keysOf(held).map((it) => sameSecret(it, sent));
    if (!holds.includes(true)) unauthentic('bad_write_key', `segment: not the write key of ${id}`);
    const name = request.params.call ?? '';
    const topic = Object.hasOwn(calls, name) ? calls[name] : undefined;
    if (topic === undefined)
      throw new RejectedError('unknown_call', 'no such call of the tracking protocol', 404);
    return { text: textIn(request), envelope: { verified: server ? 'signed' : 'client', topic } };
  },

  decode(text, { topic }) {
    const body = readJson(text);
    if (!isRecord(body)) throw new FaultError('undecodable', 'the body has to be a JSON object');
    if (topic !== 'batch') return [{ ...without(body), type: topic ?? '' }];
    if (!Array.isArray(body.batch))
      throw new FaultError('undecodable', 'a batch needs "batch", an array of calls');
    if (body.batch.length > BATCH)
      throw new RejectedError('too_large', `at most ${BATCH} calls in a batch`, 413);
    const around = fieldsOf(body, 'context');
    return body.batch.map((call) =>
      isRecord(call) ? { ...without(call), context: { ...around, ...fieldsOf(call, 'context') } } : call,
    );
  },

  read,
  reply: () => json(200, { success: true }),
});

/** A call without its credential, and without what says when it was sent: it is the same in each retry. */
function without({ writeKey: _, sentAt: __, ...call }: Fields): Fields {
  return call;
}

/** The body's text, unzipped where it begins as gzip does, whatever the headers say. @throws RejectedError */
function textIn({ body }: HttpRequest): string {
  if (body[0] !== 0x1f || body[1] !== 0x8b) return body.toString('utf8');
  try {
    return gunzipSync(body, { maxOutputLength: MAX_BYTES }).toString('utf8');
  } catch (error) {
    if (error instanceof RangeError)
      throw new RejectedError('too_large', `at most ${MAX_BYTES / 1024} KB`, 413);
    throw new RejectedError('bad_body', 'the body begins like gzip and is none');
  }
}

/** The write key: the user name of Basic authorization, or `writeKey` in the body. */
function writeKeyOf(request: HttpRequest): string | undefined {
  const basic = /^basic\s+([A-Za-z0-9+/=_-]+)\s*$/i.exec(request.headers.authorization ?? '')?.[1];
  if (basic !== undefined) return Buffer.from(basic, 'base64').toString('utf8').split(':')[0] || undefined;
  if (request.body.length > MAX_BYTES)
    throw new RejectedError('too_large', `at most ${MAX_BYTES / 1024} KB`, 413);
  try {
    const body = readJson(textIn(request));
    return isRecord(body) ? textOf(body, 'writeKey') : undefined;
  } catch (error) {
    if (error instanceof FaultError) return undefined;
    throw error;
  }
}

function read(call: Json, _envelope: Envelope, place: Place<Settings>): Reading {
  if (!isRecord(call)) throw new FaultError('bad_shape', 'a call is an object');
  const kind = textOf(call, 'type') ?? '';
  const key = [
    textOf(call, 'messageId') ?? createHash('sha256').update(JSON.stringify(call)).digest('base64url'),
  ];
  const properties = withoutPersonal(fieldsOf(call, 'properties'), place.home.locale);
  const context = fieldsOf(call, 'context');
  // A group's traits are the group's: what they say of phones and mail is not the customer's.
  const about = kind === 'group' ? {} : fieldsOf(context, 'traits');
  const traits = withoutPersonal({ ...about, ...fieldsOf(call, 'traits') }, place.home.locale);
  const meaning = meaningOf(kind, call, properties.rest, traits.rest, key.join(':'), place);
  const draft: Draft = {
    ...meaning,
    key,
    at: textOf(call, 'timestamp', 'originalTimestamp'),
    identifiers: [
      ...who(place.settings.userIdKind, textOf(call, 'userId')),
      ...who('anonymous_id', textOf(call, 'anonymousId')),
      ...(kind === 'alias' ? who('anonymous_id', textOf(call, 'previousId')) : []),
      ...properties.identifiers,
      ...(kind === 'group' ? [] : traits.identifiers),
    ],
    context: contextOf(context, call),
  };
  return { drafts: [draft] };
}

const who = (kind: string, value: string | undefined): DraftIdentifier[] =>
  value === undefined ? [] : [{ kind, value }];

/** What a call says: its type, properties and traits. @throws FaultError `bad_shape`, `bad_type` */
function meaningOf(
  kind: string,
  call: Fields,
  properties: Fields,
  traits: Fields,
  ownId: string,
  { settings: { types }, home }: Place<Settings>,
): Pick<Draft, 'type' | 'properties' | 'traits'> {
  const linked = { type: 'identity_linked', properties: { link_source: 'segment' } };
  switch (kind) {
    case 'track': {
      const name = textOf(call, 'event');
      if (name === undefined) throw new FaultError('bad_type', 'a track call needs "event", its name');
      const event = eventNamed(Object.hasOwn(types, name) ? types[name]! : name);
      const mended = propertiesOf(event, properties, ownId, home.currency);
      const userId = textOf(call, 'userId');
      if (event.type === 'member_registered' && userId !== undefined) mended.member_id ??= userId;
      return { type: event.type, properties: mended, traits };
    }
    case 'page':
    case 'screen': {
      const page = fieldsOf(fieldsOf(call, 'context'), 'page');
      const name = textOf(call, 'name');
      const url =
        textOf(properties, 'url') ??
        textOf(page, 'url') ??
        textOf(properties, 'path') ??
        textOf(page, 'path') ??
        name;
      const rest: Fields = { ...properties };
      if (url !== undefined) rest.url = url;
      if (name !== undefined) rest[kind === 'screen' ? 'screen' : 'name'] ??= name;
      const category = textOf(call, 'category');
      if (category !== undefined) rest.category ??= category;
      return { type: 'page_viewed', properties: rest, traits };
    }
    case 'identify':
      return { ...linked, traits };
    case 'alias':
      return linked;
    case 'group': {
      const group = textOf(call, 'groupId');
      if (group === undefined) throw new FaultError('missing_property', 'a group call needs "groupId"');
      return { ...linked, traits: { group_id: group, group: traits } };
    }
    default:
      throw new FaultError('bad_type', 'a call is one of track, identify, page, screen, group and alias');
  }
}

function contextOf(context: Fields, call: Fields): DraftContext {
  const page = fieldsOf(context, 'page');
  const properties = fieldsOf(call, 'properties');
  const url = textOf(page, 'url') ?? textOf(properties, 'url');
  const device = fieldsOf(context, 'device');
  return {
    campaign: campaignOf(fieldsOf(context, 'campaign')) ?? campaignOfUrl(url),
    page: {
      url,
      path: textOf(page, 'path') ?? textOf(properties, 'path'),
      title: textOf(page, 'title') ?? textOf(properties, 'title'),
    },
    referrer:
      textOf(page, 'referrer') ??
      textOf(fieldsOf(context, 'referrer'), 'url') ??
      textOf(properties, 'referrer'),
    device: {
      os: textOf(fieldsOf(context, 'os'), 'name'),
      model: textOf(device, 'model'),
      type: textOf(device, 'type'),
    },
    locale: textOf(context, 'locale'),
    session: textOf(context, 'sessionId', 'session_id'),
  };
}
