import { z } from 'zod';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { instantOf } from '../events/time.ts';
import { RejectedError } from '../platform/errors.ts';
import { type HttpRequest, json } from '../platform/http.ts';
import { type Account, channel, type Outside, type Place, type Pulled, type Reading } from './channel.ts';
import { chinaTime } from './china-time.ts';
import { fieldsOf, textOf } from './context.ts';
import { isRecord, readJson } from './json.ts';
import { tmcEvents } from './taobao-tmc-events.ts';
import { callTop, type TopApp, topSign, topTime } from './taobao-top.ts';
import { sameSecret, signedTime, unauthentic } from './verify.ts';

/** Messages of one request, and of one `consume`: TOP gives 10 to 200. */
const BATCH = 200;

const settings = z.strictObject({
  appKey: z.string().regex(/^\d{1,32}$/, 'the AppKey of the application, digits'),
  /** The user group whose messages are pulled, where the application has any. */
  groupName: z.string().min(1).max(64).optional(),
  /** Where TOP listens: from inside the Taobao cloud, or through the brand's own relay there. */
  url: z
    .url({ protocol: /^https?$/ })
    .refine((url) => /^https:|^http:\/\/(127\.0\.0\.1|localhost)[:/]/.test(url), {
      error: 'an https address',
    })
    .default('https://eco.taobao.com/router/rest'),
  secret: z.string().min(1),
});
type Settings = z.infer<typeof settings>;

const held = { appSecret: z.string().min(1) };
const secret = z.object({ ...held, previous: z.object(held).optional() });
type Secret = z.infer<typeof secret>;

type Tmc = Account<Settings, Secret>;

const appOf = ({ settings: { url, appKey }, secret: { appSecret } }: Tmc): TopApp => ({
  url,
  appKey,
  appSecret,
});

/**
 * Messages of Taobao and Tmall (TMC 消息服务). Experimental: TMC is a WebSocket, which a function cannot hold, so the
 * messages are pulled once a minute. What is pulled comes in by the same door as what a relay of the brand pushes:
 * as a request signed as TOP signs its own (SPI).
 *
 * A message has an id, the same until it is confirmed, so that one that comes again is stored once, whatever its age.
 */
export const taobaoTmc = channel<Settings, Secret>({
  name: 'taobao-tmc',
  settings,
  secret,
  maxBytes: 1024 * 1024,
  cutsFaults: true, // a batch that is refused for one message would be pulled again for ever

  verify({ query, body }, account, now) {
    const { sign = '', ...fields } = query;
    const { appSecret, previous } = account.secret;
    const live = [appSecret, ...(previous ? [previous.appSecret] : [])];
    if (!live.map((it) => sameSecret(topSign(it, fields, body), sign)).includes(true))
      unauthentic('bad_signature', `taobao-tmc: the signature does not match, ${account.id}`);
    const at = instantOf(chinaTime(query.timestamp) ?? '') ?? 0;
    const sentAt = signedTime(String(Math.floor(at / 1000)), now);
    if (!sameSecret(query.app_key ?? '', account.settings.appKey))
      unauthentic('unknown_app', `taobao-tmc: the messages are for another application, ${account.id}`);
    return { text: body.toString('utf8'), envelope: { verified: 'signed', sentAt } };
  },

  decode(text) {
    const body = readJson(text);
    const messages = Array.isArray(body) ? body : [body];
    if (messages.length > BATCH)
      throw new RejectedError('too_large', `at most ${BATCH} messages in a request`, 413);
    return messages;
  },

  read,
  reply: () => json(200, { success: true }),
  pull,
});

function read(message: Json, _envelope: unknown, { settings: { appKey } }: Place<Settings>): Reading {
  const topic = isRecord(message) ? textOf(message, 'topic') : undefined;
  if (!isRecord(message) || !topic) throw new FaultError('bad_shape', 'a message is an object with a topic');
  const means = Object.hasOwn(tmcEvents, topic) ? tmcEvents[topic] : undefined;
  if (!means) return { drafts: [], ignored: topic };
  const content = typeof message.content === 'string' ? readJson(message.content) : message.content;
  const id = textOf(message, 'id');
  if (!isRecord(content) || !id)
    throw new FaultError('bad_shape', 'a message has an id and its content as JSON');
  const buyer = textOf(content, 'buyer_open_uid', 'open_uid', 'ouid');
  const at = textOf(message, 'pub_time');
  return {
    drafts: [
      {
        ...means(content),
        key: [id],
        at: chinaTime(at),
        // A nick is a name, and since 2022 a masked one: it identifies nobody.
        identifiers: buyer ? [{ kind: 'taobao_buyer_open_uid', scope: appKey, value: buyer }] : [],
      },
    ],
  };
}

/** The next messages, if there are any. They come again until they are confirmed. */
async function pull(account: Tmc, outside: Outside): Promise<Pulled | undefined> {
  const app = appOf(account);
  const { groupName } = account.settings;
  const group: Record<string, string> = groupName === undefined ? {} : { group_name: groupName };
  const answer = await callTop(
    'taobao.tmc.messages.consume',
    { ...group, quantity: String(BATCH) },
    app,
    outside,
  );
  const messages = fieldsOf(answer, 'messages').tmc_message;
  if (!Array.isArray(messages) || messages.length === 0) return undefined;
  const ids = messages.flatMap((it) => (isRecord(it) ? (textOf(it, 'id') ?? []) : []));
  return {
    request: signed(JSON.stringify(messages), account, outside),
    async confirm() {
      if (ids.length === 0) return;
      const fields = { ...group, s_message_ids: ids.join(',') };
      await callTop('taobao.tmc.messages.confirm', fields, app, outside);
    },
  };
}

/** A request as TOP would send it to us. */
function signed(body: string, account: Tmc, { now }: Outside): HttpRequest {
  const fields = { app_key: account.settings.appKey, sign_method: 'md5', timestamp: topTime(now()) };
  const query = { ...fields, sign: topSign(account.secret.appSecret, fields, body) };
  return {
    method: 'POST',
    path: `/webhooks/taobao-tmc/${account.id}`,
    params: {},
    query,
    rawQuery: new URLSearchParams(query).toString(),
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(body),
  };
}
