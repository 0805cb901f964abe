import { createDecipheriv } from 'node:crypto';
import type { Json } from '../events/event.ts';
import { textOf } from './context.ts';
import { isRecord, recordIn } from './json.ts';
import { sameSecret, signedTime, unauthentic } from './verify.ts';

/** What a mini program got from WeChat about the customer who uses it, sealed with that customer's session key. */
export interface EncryptedData {
  readonly encryptedData: string;
  readonly iv: string;
}

const AES_BLOCK = 16;

/**
 * Opens `encryptedData` of a mini program (a phone number, a UnionID): AES-128-CBC, PKCS#7, key and iv in base64. The
 * watermark inside has to name the app and a time within 300 s of ours, so that what was sealed for another app or
 * long ago is worth nothing.
 *
 * CBC carries no signature: this says that WeChat sealed it only as far as the session key is known to nobody else, so
 * the key never leaves the server. Whatever is wrong is one and the same refusal to whoever asks.
 *
 * @param sessionKey of `jscode2session`, base64
 * @throws RejectedError 401 `bad_ciphertext`, `bad_json`, `receive_id_mismatch`, `timestamp_out_of_window`
 */
export function openEncryptedData(
  { encryptedData, iv }: EncryptedData,
  sessionKey: string,
  appId: string,
  now: number,
): { [name: string]: Json } {
  const opened = parsed(decrypted(encryptedData, iv, sessionKey));
  const watermark = opened.watermark;
  if (!isRecord(watermark) || !sameSecret(textOf(watermark, 'appid') ?? '', appId))
    unauthentic('receive_id_mismatch', 'encryptedData was sealed for another app');
  signedTime(textOf(watermark, 'timestamp'), now);
  return opened;
}

function decrypted(data: string, iv: string, sessionKey: string): string {
  const [key, start, sealed] = [sessionKey, iv, data].map((part) => Buffer.from(part, 'base64'));
  if (key?.length !== AES_BLOCK || start?.length !== AES_BLOCK || !sealed?.length)
    return unauthentic('bad_ciphertext', 'encryptedData, iv or session key is not what WeChat gives');
  try {
    const decipher = createDecipheriv('aes-128-cbc', key, start);
    return Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8');
  } catch {
    return unauthentic('bad_ciphertext', 'encryptedData does not decrypt: is the session key a newer one?');
  }
}

const parsed = (text: string): { [name: string]: Json } =>
  recordIn(text) ?? unauthentic('bad_json', 'encryptedData is no JSON object');
