import { z } from 'zod';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { RejectedError } from '../platform/errors.ts';
import type { HttpReply } from '../platform/http.ts';
import { sameSecret, signedTime, unauthentic } from './verify.ts';
import { WECHAT_PREFIX, wechatDecrypt, wechatSignature } from './wechat-crypto.ts';
import { decodeWechat, wechatMessage } from './wechat-message.ts';

/** The key that both sides hold, as the vendor's console shows it. */
export const aesKey = z.string().regex(/^[A-Za-z0-9+/]{43}$/, 'EncodingAESKey has 43 characters');

/**
 * Safe mode (WXBizMsgCrypt) as WeChat, WeCom, DingTalk and Douyin's mini apps speak it: what both ends know, and where
 * a vendor differs from WeChat.
 */
export interface SafeMode {
  /** For our log: `wechat-oa/main`. */
  readonly name: string;
  /** Every token that is live. */
  readonly tokens: readonly string[];
  /** Every EncodingAESKey that is live, 43 characters each; empty where none is set up: then nothing opens. */
  readonly aesKeys: readonly string[];
  /** Whom messages may be for: appid, corpid, suite id. `''` for those that name nobody. */
  readonly receiveIds: readonly string[];
  /** Random bytes before the length inside the seal; 16 unless said. */
  readonly prefixBytes?: number;
  /** Unit of the signed time; seconds unless said. */
  readonly unit?: 'seconds' | 'milliseconds';
}

/** What stands beside a ciphertext, in the query or in the body: nothing of it is trusted before it is checked. */
export interface Signed {
  readonly signature: string | undefined;
  readonly timestamp: string | undefined;
  readonly nonce: string | undefined;
}

export interface OpenedSafe {
  readonly text: string;
  readonly receiveId: string;
  /** The signed time of the delivery, in milliseconds. */
  readonly sentAt: number;
  /** Which of the live ones it was signed and sealed with: a reply that is sealed has to use the same. */
  readonly token: string;
  readonly aesKey: string;
}

/**
 * Opens a ciphertext: signature over token, time, nonce and ciphertext, then time, then decryption with each live key,
 * then receiver. A signature covers every byte and the drafts of a message have the vendor's own key, so that what is
 * replayed within the window is stored once.
 *
 * @param sealed base64 as it came, untrimmed: each character is signed
 * @throws RejectedError 401 `bad_signature`, `timestamp_out_of_window`, `bad_ciphertext`, `receive_id_mismatch`
 */
export function openSafe(sealed: string, signed: Signed, mode: SafeMode, now: number): OpenedSafe {
  const token = checkSafeSignature(signed, mode, [sealed]);
  const sentAt = safeTime(signed.timestamp, mode, now);
  for (const key of mode.aesKeys) {
    const plain = wechatDecrypt(key, sealed, mode.prefixBytes ?? WECHAT_PREFIX);
    if (!plain) continue;
    // Each id is compared, whichever it is.
    if (!mode.receiveIds.map((id) => sameSecret(id, plain.receiveId)).includes(true))
      unauthentic('receive_id_mismatch', `${mode.name}: the message is for somebody else`);
    return { text: plain.message, receiveId: plain.receiveId, sentAt, token, aesKey: key };
  }
  return unauthentic(
    'bad_ciphertext',
    `${mode.name}: the message does not decrypt: is EncodingAESKey right?`,
  );
}

/**
 * The token that signed it.
 *
 * @param parts what is signed beside token, time and nonce
 * @throws RejectedError 401 `bad_signature`
 */
export function checkSafeSignature(
  { signature, timestamp = '', nonce = '' }: Signed,
  mode: Pick<SafeMode, 'name' | 'tokens'>,
  parts: readonly string[] = [],
): string {
  // Each token is tried, whichever holds.
  const holding = mode.tokens.filter((token) =>
    sameSecret(wechatSignature(token, timestamp, nonce, ...parts), signature ?? ''),
  );
  return holding[0] ?? unauthentic('bad_signature', `${mode.name}: the signature does not match`);
}

/** The signed time in milliseconds, in whichever unit it came. @throws RejectedError 401 `timestamp_out_of_window` */
export function safeTime(
  timestamp: string | undefined,
  { unit = 'seconds' }: Pick<SafeMode, 'unit'>,
  now: number,
): number {
  if (unit === 'seconds') return signedTime(timestamp, now);
  const digits = /^(\d{1,12})(\d{3})$/.exec(timestamp ?? '');
  return signedTime(digits?.[1], now) + Number(digits?.[2]);
}

/**
 * The ciphertext in a body: the `Encrypt` of one XML element or one JSON object, empty where there is none (its
 * signature then holds for nothing). Nothing is known to be authentic here.
 *
 * @param name the field's name at this vendor
 * @throws RejectedError 400 `doctype_forbidden`, `bad_body`
 */
export const sealedIn = (body: Buffer, name = 'Encrypt'): string => wechatMessage(outerOf(body)).field(name);

/** The envelope of a ciphertext, before anything is known to be authentic. @throws RejectedError 400 */
export function outerOf(body: Buffer): { [name: string]: Json } {
  try {
    return decodeWechat(body.toString('utf8'));
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    throw new RejectedError(/DOCTYPE/.test(error.message) ? 'doctype_forbidden' : 'bad_body', error.message);
  }
}

/** The signed part of a query. @param name of the signature: `msg_signature` covers a ciphertext, `signature` does not */
export const signedIn = (
  query: Readonly<Record<string, string>>,
  name: 'msg_signature' | 'signature',
): Signed => ({ signature: query[name], timestamp: query.timestamp, nonce: query.nonce });

/** The query's `echostr`, with each "+" that was not escaped restored. */
export const echoIn = (query: Readonly<Record<string, string>>): string =>
  (query.echostr ?? '').replaceAll(' ', '+');

/** The answer to a GET that tries an address. It is reflected, so only what can be no markup. @throws RejectedError 401 */
export function echoed(echo: string): HttpReply {
  if (!/^[0-9A-Za-z+/=_-]{1,256}$/.test(echo))
    unauthentic('bad_echostr', 'echostr is not one that the vendor makes');
  return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: echo };
}
