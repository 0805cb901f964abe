import type { z } from 'zod';
import type { Draft, DraftContext } from '../events/draft.ts';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { RejectedError } from '../platform/errors.ts';
import { type HttpReply, type HttpRequest, json } from '../platform/http.ts';
import { channel, type Place, type Reading } from './channel.ts';
import { campaignOf, campaignOfUrl, fieldsOf, textOf } from './context.ts';
import { digestOf } from './digest.ts';
import type { Envelope } from './fault-body.ts';
import { fieldsIn, fieldValue, fromBase64 } from './form.ts';
import { isRecord } from './json.ts';
import { withoutPersonal } from './personal.ts';
import { kept, pages, silent, traitsOf } from './posthog-names.ts';
import {
  checkKey,
  cors,
  isGzip,
  jsonOf,
  keySecret,
  looksMadeUp,
  openedAs,
  openedOr,
  perRequest,
  SDK_BATCH,
  SDK_BYTES,
  type SdkSecret,
  said,
  sdkSettings,
  soughtIn,
  textIn,
  unzipped,
  who,
} from './sdk.ts';
import { eventNamed, propertiesOf } from './segment-names.ts';

type Fields = Record<string, Json>;
type Settings = z.infer<typeof sdkSettings>;

/**
 * PostHog's capture protocol: its SDKs, with this host as `api_host`, need no other change. They throw a batch away
 * for any 4xx but 413, so that whatever comes under a good key is answered with 200; what is no event is a fault.
 */
export const posthog = channel<Settings, SdkSecret>({
  name: 'posthog',
  settings: sdkSettings,
  secret: keySecret('projectApiKey'),
  maxBytes: SDK_BYTES,
  routes: {
    '/batch': ['POST'],
    '/batch/': ['POST'],
    '/capture': ['POST'],
    '/capture/': ['POST'],
    '/e': ['GET', 'POST'],
    '/e/': ['GET', 'POST'],
    '/i/v0/e': ['POST'],
    '/i/v0/e/': ['POST'],
    '/flags': ['POST'],
    '/flags/': ['POST'],
    '/decide': ['POST'],
    '/decide/': ['POST'],
    '/array/{key}/config': ['GET'],
    '/array/{key}/config.js': ['GET'],
  },
  cutsFaults: true,
  address: { of: (request) => keyOf(request), keys: ({ keys }) => keys },
  headers: cors,

  handshake: ({ path }, _account) => questionAt(path),

  verify(request, { secret, settings: { server }, id }, now) {
    checkKey(keyOf(request), secret, `posthog/${id}`);
    return openedAs(bodyOf(request), { verified: server ? 'signed' : 'client', sentAt: now });
  },

  decode(text, envelope) {
    const body = jsonOf(text, envelope);
    const events = eventsIn(body);
    if (!events)
      throw new FaultError('undecodable', 'an event, an array of them, or "batch" is what is sent');
    if (events.length > SDK_BATCH)
      throw new RejectedError('too_large', `at most ${SDK_BATCH} events in a batch`, 413);
    return events.map((event) => (isRecord(event) ? without(event) : event));
  },

  read,
  reply: () => json(200, { status: 1 }),
});

function eventsIn(body: Json): Json[] | undefined {
  if (Array.isArray(body)) return body;
  if (!isRecord(body)) return undefined;
  return Array.isArray(body.batch) ? body.batch : Object.hasOwn(body, 'event') ? [body] : undefined;
}

/** An event without its credential, and without what says when it was sent: it is the same in each retry. */
function without({ api_key: _, token: __, $token: ___, sent_at: ____, ...event }: Fields): Fields {
  const { token: _____, ...properties } = fieldsOf(event, 'properties');
  const { offset, ...rest } = event;
  // How long ago it was: wanted only where nothing says when.
  return textOf(event, 'timestamp') === undefined && offset !== undefined
    ? { ...event, properties }
    : { ...rest, properties };
}

const looksLikeJson = (text: string): boolean => /^[[{]/.test(text.trimStart());

/** The text of the events: JSON, zipped or not; or a form whose `data` is JSON or its base64, zipped or not. */
function saidIn(request: HttpRequest): string {
  const text = request.body.length > 0 ? textIn(request) : request.rawQuery;
  if (looksLikeJson(text)) return text;
  const data = fieldValue(fieldsIn(text), 'data') ?? text;
  if (looksLikeJson(data)) return data;
  const bytes = fromBase64(data);
  if (isGzip(bytes)) return unzipped(bytes).toString('utf8');
  return looksLikeJson(bytes.toString('latin1', 0, 64)) ? bytes.toString('utf8') : data;
}

const bodyOf = perRequest((request) => said(openedOr(request, saidIn)));

/** The project's key: in the path, the query, the body, or with each event. */
const keyOf = perRequest((request): string | undefined => {
  const { params, query } = request;
  const outside = params.key?.replace(/\.js$/, '') ?? query.token ?? query.api_key;
  if (outside !== undefined) return outside;
  return soughtIn(bodyOf(request), (body) => {
    const first = Array.isArray(body)
      ? body[0]
      : isRecord(body) && Array.isArray(body.batch)
        ? body.batch[0]
        : {};
    return [body, first ?? {}].map(keyIn).find((key) => key !== undefined);
  });
});

const keyIn = (said: Json): string | undefined =>
  isRecord(said)
    ? (textOf(said, 'api_key', 'token', '$token') ?? textOf(fieldsOf(said, 'properties'), 'token'))
    : undefined;

/** What a client asks before it sends: nothing is switched on, no flag is set. */
const config = {
  supportedCompression: ['gzip', 'gzip-js'],
  hasFeatureFlags: false,
  captureDeadClicks: false,
  capturePerformance: false,
  autocapture_opt_out: false,
  autocaptureExceptions: false,
  analytics: { endpoint: '/i/v0/e/' },
  elementsChainAsString: true,
  errorTracking: { autocaptureExceptions: false, suppressionRules: [] },
  heatmaps: false,
  sessionRecording: false,
  surveys: false,
  productTours: false,
  toolbarParams: {},
  isAuthenticated: false,
  siteApps: [],
  defaultIdentifiedOnly: true,
};
const flags = { flags: {}, featureFlags: {}, featureFlagPayloads: {}, errorsWhileComputingFlags: false };

function questionAt(path: string): HttpReply | undefined {
  if (/^\/(?:flags|decide)\/?$/.test(path)) return json(200, { ...config, ...flags });
  if (/^\/array\/[^/]+\/config$/.test(path)) return json(200, config);
  const key = /^\/array\/([\w-]{1,128})\/config\.js$/.exec(path)?.[1];
  if (key === undefined) return undefined;
  const place = `w._POSTHOG_REMOTE_CONFIG=w._POSTHOG_REMOTE_CONFIG||{}`;
  const value = JSON.stringify({ config: { token: key, ...config }, siteApps: [] });
  return {
    status: 200,
    headers: { 'content-type': 'application/javascript; charset=utf-8' },
    body: `(function(w){${place};w._POSTHOG_REMOTE_CONFIG[${JSON.stringify(key)}]=${value}})(window);`,
  };
}

function read(event: Json, envelope: Envelope, place: Place<Settings>): Reading {
  if (!isRecord(event)) throw new FaultError('bad_shape', 'an event is an object');
  const name = textOf(event, 'event');
  if (name === undefined) throw new FaultError('bad_type', 'an event needs "event", its name');
  const properties = fieldsOf(event, 'properties');
  const group = name === '$groupidentify' ? fieldsOf(properties, '$group_set') : undefined;
  const id = textOf(event, 'distinct_id') ?? textOf(properties, 'distinct_id', '$distinct_id');
  if (silent.has(name) || (group && id?.startsWith('$'))) return { drafts: [], ignored: name };
  const { locale } = place.home;
  const own = withoutPersonal(propertiesIn(properties), locale);
  const always = withoutPersonal(traitsOf(event, properties, '$set'), locale);
  const once = withoutPersonal(traitsOf(event, properties, '$set_once'), locale);
  const key = [textOf(event, 'uuid') ?? textOf(properties, '$insert_id') ?? digestOf(event)];
  const meaning = meaningOf(name, properties, own.rest, key.join(':'), place);
  const grouped = group && {
    group_id: textOf(properties, '$group_key') ?? '',
    group_type: textOf(properties, '$group_type') ?? '',
    group: withoutPersonal(group, locale).rest,
  };
  const draft: Draft = {
    ...meaning,
    key,
    ...timeOf(event, envelope),
    identifiers: [
      ...people(name, id, properties, place.settings),
      ...own.identifiers,
      ...always.identifiers,
      ...once.identifiers,
    ],
    traits: { ...unset(event, properties), ...always.rest, ...grouped },
    traitsOnce: once.rest,
    context: contextOf(properties),
  };
  return { drafts: [draft] };
}

const unset = (event: Fields, properties: Fields): Fields => {
  const names = [event.$unset, properties.$unset].find(Array.isArray) ?? [];
  return Object.fromEntries(names.flatMap((it) => (typeof it === 'string' ? [[it, null]] : [])));
};

function timeOf(event: Fields, { sentAt }: Envelope): Pick<Draft, 'at' | 'about'> {
  const at = textOf(event, 'timestamp');
  const { offset } = event;
  if (at !== undefined || typeof offset !== 'number' || sentAt === undefined) return { at };
  return { about: sentAt - Math.max(0, offset) };
}

function meaningOf(
  name: string,
  given: Fields,
  properties: Fields,
  ownId: string,
  { settings: { types }, home }: Place<Settings>,
): Pick<Draft, 'type' | 'properties'> {
  switch (name) {
    case '$identify':
    case '$create_alias':
    case '$merge_dangerously':
    case '$groupidentify':
      return { type: 'identity_linked', properties: { link_source: 'posthog' } };
    case '$set':
      return { type: 'profile_updated', properties: {} };
  }
  if (pages.has(name)) {
    const url = textOf(given, '$current_url', '$screen_name', '$pathname') ?? textOf(properties, 'url');
    return { type: 'page_viewed', properties: { ...properties, ...(url === undefined ? {} : { url }) } };
  }
  const event = eventNamed(Object.hasOwn(types, name) ? types[name]! : name);
  return { type: event.type, properties: propertiesOf(event, properties, ownId, home.currency) };
}

/** Properties as the app gave them. What the SDK adds by itself begins with `$` and is context, or not kept. */
const propertiesIn = (properties: Fields): Fields =>
  Object.fromEntries(
    Object.entries(properties).flatMap(([name, value]): [string, Json][] => {
      if (Object.hasOwn(kept, name)) return [[kept[name]!, value]];
      const isAround = name.startsWith('$') || name.startsWith('utm_') || name === 'distinct_id';
      return isAround ? [] : [[name, value]];
    }),
  );

/**
 * Who an event is about. The protocol has one kind of id for visitors and users; which one it is, the SDK says
 * (`$is_identified`), or how it looks.
 */
function people(name: string, id: string | undefined, properties: Fields, { userIdKind }: Settings) {
  const known = (value: string | undefined) =>
    value !== undefined && looksMadeUp(value) ? who('anonymous_id', value) : who(userIdKind, value);
  if (name === '$identify')
    return [
      ...who(userIdKind, id),
      // Events before and after may show a user's id that looks like a visitor's.
      ...(id !== undefined && looksMadeUp(id) ? who('anonymous_id', id) : []),
      ...who('anonymous_id', textOf(properties, '$anon_distinct_id')),
    ];
  if (name === '$create_alias' || name === '$merge_dangerously')
    return [...known(id), ...known(textOf(properties, 'alias'))];
  if (properties.$is_identified === true) return who(userIdKind, id);
  const isVisitor =
    properties.$is_identified === false ||
    properties.$process_person_profile === false ||
    (id !== undefined && id === textOf(properties, '$device_id'));
  return isVisitor ? who('anonymous_id', id) : known(id);
}

function contextOf(properties: Fields): DraftContext {
  const url = textOf(properties, '$current_url');
  const referrer = textOf(properties, '$referrer');
  return {
    campaign:
      campaignOf(
        Object.fromEntries(Object.entries(properties).filter(([name]) => name.startsWith('utm_'))),
      ) ?? campaignOfUrl(url),
    page: { url, path: textOf(properties, '$pathname'), title: textOf(properties, 'title', '$title') },
    referrer: referrer === '$direct' ? undefined : referrer,
    device: {
      os: textOf(properties, '$os', '$os_name'),
      model: textOf(properties, '$device_model', '$device_name'),
      type: textOf(properties, '$device_type'),
    },
    locale: textOf(properties, '$locale', '$browser_language'),
    session: textOf(properties, '$session_id'),
  };
}
