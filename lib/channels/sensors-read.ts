import type { Draft, DraftContext } from '../events/draft.ts';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { mailAddress, phoneNumber } from '../events/identifiers.ts';
import { timeReader } from '../import/local-time.ts';
import type { Place, Reading } from './channel.ts';
import { campaignOf, campaignOfUrl, fieldsOf, textOf } from './context.ts';
import { digestOf } from './digest.ts';
import { isRecord } from './json.ts';
import { withoutPersonal } from './personal.ts';
import { who } from './sdk.ts';
import { eventNamed, propertiesOf, snakeCase } from './segment-names.ts';
import type { SensorsSettings } from './sensors.ts';

type Fields = Record<string, Json>;

/** The SDK's own events that are views of a page or a screen. */
export const pages: ReadonlySet<string> = new Set([
  '$pageview',
  '$MPViewScreen',
  '$AppViewScreen',
  '$MPPageShow',
]);

/** Properties that the SDK adds and that say something of the deed, by the name that they have here. */
export const kept: Readonly<Record<string, string>> = {
  $event_duration: 'event_duration',
  $element_id: 'element_id',
  $element_content: 'element_content',
  $element_type: 'element_type',
  $screen_name: 'screen',
  $is_first_day: 'is_first_day',
  $is_first_time: 'is_first_time',
  $scene: 'scene',
  $share_depth: 'share_depth',
  $viewport_position: 'viewport_position',
};

/** What a record does to the customer's traits, by its type. */
const profiles: Readonly<
  Record<string, (properties: Fields) => Pick<Draft, 'type' | 'properties' | 'traits' | 'traitsOnce'>>
> = {
  profile_set: (traits) => ({ type: 'profile_updated', properties: {}, traits }),
  profile_set_once: (traitsOnce) => ({ type: 'profile_updated', properties: {}, traitsOnce }),
  profile_unset: (names) => ({
    type: 'profile_updated',
    properties: {},
    traits: Object.fromEntries(Object.keys(names).map((name) => [name, null])),
  }),
  // Sums and lists are what events say together; a trait is what one of them said last.
  profile_increment: (properties) => ({ type: 'profile_incremented', properties }),
  profile_append: (properties) => ({ type: 'profile_appended', properties }),
  profile_delete: () => ({ type: 'profile_deleted', properties: {} }),
};

/** One record of Sensors: a deed, an identity, or a change of what is known of the customer. */
export function readSensors(record: Json, place: Place<SensorsSettings>): Reading {
  if (!isRecord(record)) throw new FaultError('bad_shape', 'a record is an object');
  const type = textOf(record, 'type') ?? '';
  if (type === 'item_set' || type === 'item_delete') return { drafts: [], ignored: type };
  const given = fieldsOf(record, 'properties');
  const isProfile = Object.hasOwn(profiles, type);
  const own = withoutPersonal(isProfile ? traitsIn(given) : propertiesIn(given), place.home.locale);
  const key = [digestOf(record)];
  const meaning = isProfile
    ? profiles[type]?.(own.rest)
    : meaningOf(type, record, given, own.rest, key.join(':'), place);
  if (!meaning)
    throw new FaultError('bad_type', 'a record is one of track, track_signup, track_id_…, profile_…, item_…');
  const draft: Draft = {
    ...meaning,
    key,
    at: timeOf(record, given, place),
    identifiers: [
      ...people(type, record, given, place),
      ...(type === 'profile_unset' ? [] : own.identifiers),
    ],
    context: contextOf(given, fieldsOf(record, 'lib')),
  };
  return { drafts: [draft] };
}

function meaningOf(
  type: string,
  record: Fields,
  given: Fields,
  properties: Fields,
  ownId: string,
  { settings: { types }, home }: Place<SensorsSettings>,
): Pick<Draft, 'type' | 'properties'> | undefined {
  if (type === 'track_signup' || type === 'track_id_bind')
    return { type: 'identity_linked', properties: { link_source: 'sensors' } };
  if (type === 'track_id_unbind')
    return { type: 'identity_unlinked', properties: { unlink_source: 'sensors' } };
  if (type !== 'track') return undefined;
  const name = textOf(record, 'event');
  if (name === undefined) throw new FaultError('bad_type', 'a track record needs "event", its name');
  if (pages.has(name)) {
    const url = textOf(given, '$url', '$url_path', '$screen_name', '$title');
    return { type: 'page_viewed', properties: { ...properties, ...(url === undefined ? {} : { url }) } };
  }
  const event = eventNamed(Object.hasOwn(types, name) ? types[name]! : name);
  return { type: event.type, properties: propertiesOf(event, properties, ownId, home.currency) };
}

/** `time` in milliseconds is what counts; a date without a zone is on the brand's clocks. */
function timeOf(record: Fields, properties: Fields, { home }: Place<SensorsSettings>): string | undefined {
  const time = textOf(record, 'time') ?? textOf(properties, '$time');
  if (time === undefined || !/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{3})?$/.test(time)) return time;
  const format = time.includes('.') ? 'yyyy-MM-dd HH:mm:ss.SSS' : 'yyyy-MM-dd HH:mm:ss';
  const at = timeReader(format, home.timezone)(time);
  return at === undefined ? time : String(at);
}

const propertiesIn = (properties: Fields): Fields =>
  Object.fromEntries(
    Object.entries(properties).flatMap(([name, value]): [string, Json][] => {
      if (Object.hasOwn(kept, name)) return [[kept[name]!, value]];
      return name.startsWith('$') ? [] : [[name, value]];
    }),
  );

/** `$name` is `name`: a trait of the SDK is one of the customer like others; what says how a record was made is not. */
const traitsIn = (properties: Fields): Fields =>
  Object.fromEntries(
    Object.entries(properties).flatMap(([name, value]): [string, Json][] =>
      /^\$(?:is_login_id|lib.*|time|timezone_offset|project|token|app_version|update_time|options)$/.test(
        name,
      )
        ? []
        : [[name.replace(/^\$/, ''), value]],
    ),
  );

/**
 * Who a record is about. Newer SDKs say which id is which (`login_id`, `anonymous_id`, `identities`). Older ones have
 * `distinct_id` alone: a user's where the record says so, else a visitor's; on signing up it is both, so that what
 * comes later under the same id and does not say so finds its user.
 */
function people(type: string, record: Fields, properties: Fields, place: Place<SensorsSettings>) {
  const { userIdKind } = place.settings;
  const identities = Object.entries(fieldsOf(record, 'identities')).flatMap(([name, value]) =>
    typeof value === 'string' || typeof value === 'number' ? identity(name, String(value), place) : [],
  );
  const login = textOf(record, 'login_id');
  const visitor = textOf(record, 'anonymous_id');
  const id = textOf(record, 'distinct_id');
  // Under a key of its own (loginWithKey) the user's id is written "key+value".
  const isOwnKey = login !== undefined && /^\$?\w+\+./.test(login) && identities.length > 0;
  const named = [...(isOwnKey ? [] : who(userIdKind, login)), ...who('anonymous_id', visitor)];
  if (type === 'track_id_unbind' && named.length > 0) return named;
  if (named.length > 0 || identities.length > 0)
    return [
      ...named,
      ...identities,
      ...(type === 'track_signup' ? who('anonymous_id', textOf(record, 'original_id')) : []),
    ];
  if (type === 'track_signup')
    return [
      ...who(userIdKind, id),
      ...who('anonymous_id', id),
      ...who('anonymous_id', textOf(record, 'original_id')),
    ];
  return properties.$is_login_id === true ? who(userIdKind, id) : who('anonymous_id', id);
}

/** One of `identities`, as an identifier of ours: a kind that we do not know is a weak one of its own name. */
function identity(name: string, value: string, { settings, home }: Place<SensorsSettings>) {
  const { userIdKind, identities, appId, unionScope } = settings;
  const set = Object.hasOwn(identities, name) ? identities[name] : undefined;
  if (set !== undefined) return who(set, value);
  if (name === '$identity_login_id') return who(userIdKind, value);
  if (name === '$identity_anonymous_id' || name === '$identity_cookie_id') return who('anonymous_id', value);
  if (name === '$identity_mobile') return who('unverified_phone', phoneNumber(value, home.locale));
  if (name === '$identity_email') return who('unverified_email', mailAddress(value));
  if (/unionid$/.test(name)) return who('wechat_unionid', value, unionScope);
  if (/openid$/.test(name)) return appId === undefined ? [] : who('wechat_openid', value, appId);
  if (/^\$identity_(?:android|ios|harmony|idf|oaid|imei|mac|distinct)/.test(name))
    return who('device_id', value);
  const kind = snakeCase(name.replace(/^\$(?:identity_)?/, ''));
  return /^[a-z][a-z0-9_]{0,39}$/.test(kind) ? who(kind, value) : [];
}

function contextOf(properties: Fields, lib: Fields): DraftContext {
  const url = textOf(properties, '$url');
  const utm = Object.fromEntries(
    Object.entries(properties).flatMap(([name, value]) =>
      name.startsWith('$utm_') ? [[name.slice(1), value]] : [],
    ),
  );
  return {
    campaign: campaignOf(utm) ?? campaignOfUrl(url),
    page: {
      url,
      path: textOf(properties, '$url_path'),
      title: textOf(properties, '$title'),
    },
    referrer: textOf(properties, '$referrer'),
    device: {
      os: textOf(properties, '$os'),
      model: textOf(properties, '$model'),
      type: textOf(lib, '$lib') ?? textOf(properties, '$lib'),
    },
    locale: textOf(properties, '$browser_language', '$language'),
    session: textOf(properties, '$event_session_id', '$session_id'),
  };
}
