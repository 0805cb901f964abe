import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { json } from '../platform/http.ts';
import { type Account, channel, type Place, type Reading } from './channel.ts';
import { textOf } from './context.ts';
import { digestOfText } from './digest.ts';
import { isRecord, readJson, recordIn } from './json.ts';
import { sameSecret, unauthentic } from './verify.ts';
import { type WeimobSettings, weimobReading } from './weimob-events.ts';

const id = z.string().regex(/^\d{1,20}$/, 'a number, as text');

const settings = z
  .strictObject({
    clientId: z.string().min(1).max(64),
    /** The merchant in WOS (商业操作系统 ID). */
    bosId: id.optional(),
    /** The merchant in the older 新云 (商家 ID). */
    businessId: id.optional(),
    /** The corporation in WeCom, for messages that name a member of a group and not the corporation. */
    corpId: z.string().min(1).max(64).optional(),
    /** Within what a UnionID is unique: the open-platform account. The brand's name unless set. */
    unionScope: z.string().min(1).max(128).optional(),
    secret: z.string().min(1),
  })
  .refine(({ bosId, businessId }) => bosId ?? businessId, 'needs bosId (WOS) or businessId (新云)');
type Settings = z.infer<typeof settings>;

const held = z.object({ clientSecret: z.string().min(1) });
/** The client secret, and the one before it while both are live. */
const secret = held.extend({ previous: held.optional() });
type Secret = z.infer<typeof secret>;

type Merchant = Account<Settings, Secret>;

/**
 * A Weimob (微盟) merchant, in WOS or in the older 新云.
 *
 * The signature covers the id and the text of the message, not its topic, its event or whose it is: those must agree
 * with what the message itself says. Keys are made of what is signed, so a message that comes again under another
 * topic has the key of the first and adds nothing; no time is signed, and this is what protects against repetition.
 * Source: weimob-tech/php-ability-sdk, WeimobMessage and WeimobXinyunMessage; not tried with a live account.
 */
export const weimob = channel<Settings, Secret>({
  name: 'weimob',
  settings,
  secret,
  maxBytes: 256 * 1024,

  verify(request, account) {
    const text = request.body.toString('utf8');
    const push = envelopeIn(text);
    if (!isSigned(push, account))
      unauthentic('bad_signature', `weimob: signature does not match, ${account.id}`);
    const { bosId, businessId } = account.settings;
    const own = push.isWos ? bosId : businessId;
    const said = [push.merchant, merchantIn(push)].filter((it) => it !== undefined);
    if (own === undefined || said.some((it) => it !== own))
      unauthentic('receive_id_mismatch', `weimob: a message for another merchant came to ${account.id}`);
    return { text, envelope: { verified: 'signed' } };
  },

  decode: (text) => [readJson(text)],
  read,
  reply: () => json(200, { code: { errcode: '0', errmsg: 'success' } }),
});

/** A push as it stands on the wire, in either form. */
interface Push {
  readonly isWos: boolean;
  readonly id: string;
  readonly topic: string;
  readonly event: string;
  readonly merchant?: string;
  readonly sign: string;
  /** The text that is signed. */
  readonly body: string;
  readonly saasChannel?: string;
}

/** @throws RejectedError for what is no push at all */
function envelopeIn(text: string): Push {
  try {
    const outer = readJson(text);
    const push = isRecord(outer) ? pushOf(outer) : undefined;
    if (push) return push;
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
  }
  return unauthentic('bad_json', 'weimob: a push is a JSON object with an id and the text of a message');
}

function pushOf(outer: Record<string, Json>): Push | undefined {
  const isWos = Object.hasOwn(outer, 'msgBody');
  const body = isWos ? outer.msgBody : outer.msg_body;
  const number = textOf(outer, 'id') ?? '';
  // No bracket in the id: else a part of the text could change places with it under one signature.
  if (typeof body !== 'string' || !/^[\w.:-]{1,128}$/.test(number)) return undefined;
  return {
    isWos,
    id: number,
    topic: textOf(outer, 'topic') ?? '',
    event: textOf(outer, 'event') ?? '',
    merchant: isWos ? textOf(outer, 'bosId') : textOf(outer, 'business_id'),
    sign: textOf(outer, 'sign', 'msgSignature') ?? '',
    body,
    saasChannel: textOf(outer, 'saasChannel', 'saas_channel'),
  };
}

function isSigned({ id, body, sign }: Push, { secret: keys, settings: { clientId } }: Merchant): boolean {
  const secrets = [keys.clientSecret, ...(keys.previous ? [keys.previous.clientSecret] : [])];
  const holds = secrets.map((key) =>
    sameSecret(
      createHash('md5')
        .update(clientId + id + body + key)
        .digest('hex'),
      sign.toLowerCase(),
    ),
  );
  return holds.includes(true);
}

/** Whose the message is by its own, signed word; not every message says it. */
function merchantIn({ body, isWos }: Push): string | undefined {
  // Where it is broken, reading it says so, and keeps it.
  return textOf(recordIn(body) ?? {}, isWos ? 'bosId' : 'businessId');
}

function read(outer: Json, _envelope: unknown, place: Place<Settings>): Reading {
  const push = isRecord(outer) ? pushOf(outer) : undefined;
  if (!push)
    throw new FaultError('bad_shape', 'a push is a JSON object with an id and the text of a message');
  const message = readJson(push.body);
  if (!isRecord(message)) throw new FaultError('bad_shape', 'the message is not one JSON object');
  // What we wrote into Weimob ourselves comes back to us.
  if ([push.saasChannel, textOf(message, 'saasChannel')].includes('ONECRM_SPI'))
    return { drafts: [], ignored: 'ONECRM_SPI' };
  const { settings: own } = place;
  const merchant = (push.isWos ? own.bosId : own.businessId) ?? '';
  const key = [push.id, digestOfText(push.body)];
  return weimobReading({ ...push, message, merchant, key }, place satisfies Place<WeimobSettings>);
}
