import type { z } from 'zod';
import type { Draft, DraftContext } from '../events/draft.ts';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { RejectedError } from '../platform/errors.ts';
import { type HttpReply, type HttpRequest, json } from '../platform/http.ts';
import { type Channel, channel, type Place, type Reading, type Routes } from './channel.ts';
import { campaignOf, campaignOfUrl, fieldsOf, textOf } from './context.ts';
import { digestOf } from './digest.ts';
import { isRecord } from './json.ts';
import { withoutPersonal } from './personal.ts';
import {
  checkKey,
  cors,
  jsonOf,
  keySecret,
  openedAs,
  perRequest,
  SDK_BATCH,
  SDK_BYTES,
  type SdkSecret,
  said,
  sdkSettings,
  soughtIn,
  textIn,
  who,
} from './sdk.ts';
import { eventNamed, propertiesOf } from './segment-names.ts';

type Fields = Record<string, Json>;
type Settings = z.infer<typeof sdkSettings>;

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
  merge: 'merge',
  batch: 'batch',
  b: 'batch',
  import: 'batch',
};

/** One of the vendors that speak this protocol. */
interface Dialect {
  readonly name: string;
  readonly routes: Routes;
  /** The answer to what is no call. */
  handshake?(request: HttpRequest): HttpReply | undefined;
}

/** The HTTP tracking protocol that Segment wrote and RudderStack speaks too: calls under one write key, or a batch of them. */
export const trackingChannel = ({ name, routes, handshake }: Dialect): Channel =>
  channel<Settings, SdkSecret>({
    name,
    settings: sdkSettings,
    secret: keySecret('writeKey'),
    maxBytes: SDK_BYTES,
    routes,
    cutsFaults: true,
    address: { of: (request) => writeKeyOf(request), keys: ({ keys }) => keys },
    headers: cors,

    handshake: (request) => handshake?.(request),

    verify(request, { secret, settings: { server }, id }) {
      checkKey(writeKeyOf(request), secret, `${name}/${id}`);
      const call = request.params.call ?? 'batch';
      const topic = Object.hasOwn(calls, call) ? calls[call] : undefined;
      if (topic === undefined)
        throw new RejectedError('unknown_call', 'no such call of the tracking protocol', 404);
      return openedAs(bodyOf(request), { verified: server ? 'signed' : 'client', topic });
    },

    decode(text, envelope) {
      const body = jsonOf(text, envelope);
      const { topic } = envelope;
      if (!isRecord(body)) throw new FaultError('undecodable', 'the body has to be a JSON object');
      if (topic !== 'batch') return [{ ...without(body), type: topic ?? '' }];
      if (!Array.isArray(body.batch))
        throw new FaultError('undecodable', 'a batch needs "batch", an array of calls');
      if (body.batch.length > SDK_BATCH)
        throw new RejectedError('too_large', `at most ${SDK_BATCH} calls in a batch`, 413);
      const around = fieldsOf(body, 'context');
      return body.batch.map((call) =>
        isRecord(call) ? { ...without(call), context: { ...around, ...fieldsOf(call, 'context') } } : call,
      );
    },

    read: (call, _envelope, place) => read(call, place, name),
    reply: () => json(200, { success: true }),
  });

/** A call without its credential, and without what says when it was sent: it is the same in each retry. */
function without({ writeKey: _, sentAt: __, ...call }: Fields): Fields {
  return call;
}

const bodyOf = perRequest((request) => said(textIn(request)));

/** The write key: in the path, the user name of Basic authorization, `writeKey` in the query or in the body. */
const writeKeyOf = perRequest((request): string | undefined => {
  if (request.params.key !== undefined) return request.params.key;
  const basic = /^basic\s+([A-Za-z0-9+/=_-]+)\s*$/i.exec(request.headers.authorization ?? '')?.[1];
  if (basic !== undefined) return Buffer.from(basic, 'base64').toString('utf8').split(':')[0] || undefined;
  if (request.query.writeKey !== undefined) return request.query.writeKey;
  return soughtIn(bodyOf(request), (body) => (isRecord(body) ? textOf(body, 'writeKey') : undefined));
});

function read(call: Json, place: Place<Settings>, dialect: string): Reading {
  if (!isRecord(call)) throw new FaultError('bad_shape', 'a call is an object');
  const kind = textOf(call, 'type') ?? '';
  const key = [textOf(call, 'messageId') ?? digestOf(call)];
  const properties = withoutPersonal(fieldsOf(call, 'properties'), place.home.locale);
  const context = fieldsOf(call, 'context');
  // A group's traits are the group's: what they say of phones and mail is not the customer's.
  const about = kind === 'group' ? {} : fieldsOf(context, 'traits');
  const traits = withoutPersonal({ ...about, ...fieldsOf(call, 'traits') }, place.home.locale);
  const meaning = meaningOf(
    kind,
    call,
    { properties: properties.rest, traits: traits.rest, ownId: key.join(':'), dialect },
    place,
  );
  const draft: Draft = {
    ...meaning,
    key,
    at: textOf(call, 'timestamp', 'originalTimestamp'),
    identifiers: [
      ...who(place.settings.userIdKind, textOf(call, 'userId')),
      ...who('anonymous_id', textOf(call, 'anonymousId')),
      ...(kind === 'alias' ? who('anonymous_id', textOf(call, 'previousId')) : []),
      ...(kind === 'merge' ? merged(call, place) : []),
      ...properties.identifiers,
      ...(kind === 'group' ? [] : traits.identifiers),
    ],
    context: contextOf(context, call),
  };
  return { drafts: [draft] };
}

/** What RudderStack's `merge` says to be one person: `[{ type, value }]`. */
function merged(call: Fields, { settings: { userIdKind }, home }: Place<Settings>) {
  const pairs = Array.isArray(call.mergeProperties) ? call.mergeProperties.filter(isRecord) : [];
  return pairs.flatMap((pair) => {
    const name = textOf(pair, 'type') ?? '';
    const plain = name.toLowerCase().replace(/[_-]/g, '');
    if (plain === 'userid') return who(userIdKind, textOf(pair, 'value'));
    if (plain === 'anonymousid') return who('anonymous_id', textOf(pair, 'value'));
    return withoutPersonal({ [name]: pair.value ?? null }, home.locale).identifiers;
  });
}

/** What a call says: its type, properties and traits. @throws FaultError `bad_shape`, `bad_type` */
function meaningOf(
  kind: string,
  call: Fields,
  {
    properties,
    traits,
    ownId,
    dialect,
  }: { properties: Fields; traits: Fields; ownId: string; dialect: string },
  { settings: { types }, home }: Place<Settings>,
): Pick<Draft, 'type' | 'properties' | 'traits'> {
  const linked = { type: 'identity_linked', properties: { link_source: dialect } };
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
    case 'merge':
      return linked;
    case 'group': {
      const group = textOf(call, 'groupId');
      if (group === undefined) throw new FaultError('missing_property', 'a group call needs "groupId"');
      return { ...linked, traits: { group_id: group, group: traits } };
    }
    default:
      throw new FaultError(
        'bad_type',
        'a call is one of track, identify, page, screen, group, alias and merge',
      );
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
