import { createDecipheriv, createHash } from 'node:crypto';
import { z } from 'zod';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { type HttpRequest, json } from '../platform/http.ts';
import { type Account, channel, type Envelope, type Opened, type Place, type Reading } from './channel.ts';
import { textOf } from './context.ts';
import { digestOfText } from './digest.ts';
import { type DouyinMessage, douyinEvents, timeIn } from './douyin-open-events.ts';
import { isRecord, readJson } from './json.ts';
import { sameSecret, unauthentic } from './verify.ts';

type Fields = { [name: string]: Json };

const settings = z.strictObject({
  clientKey: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'the client_key of the application, such as aw…'),
  /** Within what a union_id is unique: the developer subject. The brand's name unless set. */
  unionScope: z.string().min(1).max(128).optional(),
  secret: z.string().min(1),
});
type Settings = z.infer<typeof settings>;

const held = { clientSecret: z.string().min(1) };
const secret = z.object({ ...held, previous: z.object(held).optional() });
type Secret = z.infer<typeof secret>;

type Douyin = Account<Settings, Secret>;

const secretsOf = ({ secret: { clientSecret, previous } }: Douyin) => [
  clientSecret,
  ...(previous ? [previous.clientSecret] : []),
];

/**
 * Webhooks of the Douyin open platform (抖音开放平台): followers, private messages, leads, group-buying orders.
 * Source: developer.open-douyin.com, Webhooks.
 *
 * Douyin signs the body and no time. The same body again therefore has the same keys and is stored once, whatever its
 * age: that is the protection against replays.
 */
export const douyinOpen = channel<Settings, Secret>({
  name: 'douyin-open',
  settings,
  secret,
  maxBytes: 256 * 1024,

  handshake(request, account) {
    if (request.method !== 'POST' || !request.body.includes('verify_webhook')) return undefined;
    const body = authentic(request, account);
    if (textOf(body, 'event') !== 'verify_webhook') return undefined;
    // Its client_key is not compared: an address is tried before it is told which application it is for.
    return challenged(challengeIn(body), request.body.toString('utf8'));
  },

  verify(request, account): Opened {
    const body = authentic(request, account);
    if (!sameSecret(textOf(body, 'client_key') ?? '', account.settings.clientKey))
      unauthentic('unknown_app', `douyin-open: the message is for another application, ${account.id}`);
    const id = textOf(body, 'msg_id') ?? digestOfText(request.body);
    return {
      text: unsealed(request.body.toString('utf8'), body, account),
      envelope: { verified: 'signed', delivery: id },
    };
  },

  decode: (text) => [readJson(text)],
  read,
});

/**
 * The signed body, which is one JSON object and nothing beside it: sha1(secret + body) can be computed for a body with
 * something appended by whoever has seen it for the body alone. @throws RejectedError 401 `bad_signature`, `bad_json`
 */
function authentic({ headers, body }: HttpRequest, account: Douyin): Fields {
  const given = headers['x-douyin-signature'] ?? '';
  const holds = secretsOf(account).map((clientSecret) =>
    sameSecret(createHash('sha1').update(clientSecret).update(body).digest('hex'), given),
  );
  if (!holds.includes(true))
    unauthentic('bad_signature', `douyin-open: the signature does not match, ${account.id}`);
  try {
    const value = readJson(new TextDecoder('utf-8', { fatal: true }).decode(body));
    if (isRecord(value)) return value;
  } catch (error) {
    if (!(error instanceof FaultError || error instanceof TypeError)) throw error;
  }
  return unauthentic('bad_json', `douyin-open: the body is not one JSON object, ${account.id}`);
}

/** None where the content cannot be read. */
function challengeIn(body: Fields): Json | undefined {
  try {
    return contentOf(body).challenge;
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return undefined;
  }
}

/** The challenge as it came: a number or a word. It is reflected, so only what can be no markup. */
function challenged(challenge: Json | undefined, text: string) {
  const word = typeof challenge === 'number' ? String(challenge) : challenge;
  if (typeof word !== 'string' || !/^[0-9A-Za-z_-]{1,64}$/.test(word))
    unauthentic('bad_echostr', 'the challenge is not one of Douyin');
  const isNumber = /^\d+$/.test(word) && !/"challenge\\?"\s*:\s*\\?"/.test(text);
  // A number beyond 2^53 keeps its digits: it was never read as one.
  return isNumber ? { ...json(200, null), body: `{"challenge":${word}}` } : json(200, { challenge: word });
}

/** `content` is an object in newer events and JSON in a string in older ones. @throws FaultError */
function contentOf(body: Fields): Fields {
  const { content } = body;
  if (isRecord(content)) return content;
  if (content === undefined || content === null || content === '') return {};
  const inner = typeof content === 'string' ? readJson(content) : content;
  if (!isRecord(inner))
    throw new FaultError('bad_shape', 'content has to be an object, or one as JSON in a string');
  return inner;
}

/**
 * A mobile number that Douyin sealed with the client_secret (AES-256-CBC, the key's first 16 bytes as vector), in
 * digits. `undefined` if it does not open.
 */
export function douyinMobile(clientSecret: string, sealed: string): string | undefined {
  const key = Buffer.from(clientSecret);
  const bytes = Buffer.from(sealed, 'base64');
  if (key.length !== 32 || bytes.length === 0 || bytes.length % 16 !== 0) return undefined;
  const decipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, 16));
  try {
    const text = Buffer.concat([decipher.update(bytes), decipher.final()]).toString('latin1');
    return /^\+?\d{5,15}$/.test(text) ? text : undefined;
  } catch {
    return undefined; // wrong padding: sealed with another secret, or not sealed at all
  }
}

/** The text with a sealed mobile number opened, while the secret is at hand: reading has none. */
function unsealed(text: string, body: Fields, account: Douyin): string {
  let sealed: string | undefined;
  try {
    sealed = textOf(contentOf(body), 'mobile');
  } catch (error) {
    if (!(error instanceof FaultError)) throw error; // reading says what is wrong with it
  }
  if (!sealed || !/^[A-Za-z0-9+/]{22,}={0,2}$/.test(sealed)) return text;
  for (const clientSecret of secretsOf(account)) {
    const mobile = douyinMobile(clientSecret, sealed);
    // A slash may stand escaped, once or (inside a string) twice.
    const forms = [sealed, sealed.replaceAll('/', '\\/'), sealed.replaceAll('/', '\\\\/')];
    if (mobile) return forms.reduce((open, form) => open.replaceAll(form, mobile), text);
  }
  return text;
}

function read(
  fields: Json,
  envelope: Envelope,
  { settings: { clientKey, unionScope }, home }: Place<Settings>,
): Reading {
  if (!isRecord(fields)) throw new FaultError('bad_shape', 'a message is an object of fields');
  const content = contentOf(fields);
  const message: DouyinMessage = {
    event: textOf(fields, 'event') ?? '',
    from: textOf(fields, 'from_user_id'),
    to: textOf(fields, 'to_user_id'),
    clientKey,
    content,
    delivery: envelope.delivery ?? '',
    locale: home.locale,
  };
  const name = message.event || 'an event without a name';
  const meaning = Object.hasOwn(douyinEvents, message.event)
    ? douyinEvents[message.event]?.(message)
    : undefined;
  if (!meaning) return { drafts: [], ignored: name };
  const { type, properties, traits, who, beside = [], at, key } = meaning;
  const unionId = textOf(content, 'union_id');
  const sender = message.from ? [{ kind: 'douyin_open_id', scope: clientKey, value: message.from }] : [];
  return {
    drafts: [
      {
        type,
        key: key ? whole(key) : [message.event, message.delivery],
        at: at ?? timeIn(content, 'create_time', 'action_time', 'msg_time', 'auth_time'),
        identifiers: [
          ...(who ?? sender),
          ...beside,
          ...(unionId ? [{ kind: 'douyin_union_id', scope: unionScope, value: unionId }] : []),
        ],
        properties,
        traits,
      },
    ],
  };
}

/** @throws FaultError where the id that makes the event one of a kind is missing: another's would be taken for it */
function whole(key: readonly (string | undefined)[]): string[] {
  return key.map((part) => {
    if (!part) throw new FaultError('missing_property', 'the message has no id of its own');
    return part;
  });
}
