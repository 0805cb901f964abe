import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';

/** WeChat's, WeCom's and DingTalk's message encryption (WXBizMsgCrypt): AES-256-CBC, PKCS#7 over blocks of 32. */
const BLOCK = 32;
/** The block of AES, and the length of its initialisation vector. */
const AES_BLOCK = 16;
/** Random bytes before the length. Douyin's mini apps put 32 there. */
export const WECHAT_PREFIX = 16;

/** sha1 of the parts sorted by their bytes and put together: `+` comes before digits, whatever the locale. */
export function wechatSignature(...parts: readonly string[]): string {
  const sorted = parts.map((part) => Buffer.from(part)).sort(Buffer.compare);
  return createHash('sha1').update(Buffer.concat(sorted)).digest('hex');
}

/** The 32 bytes of a 43-character EncodingAESKey. */
const keyOf = (encodingAesKey: string) => Buffer.from(`${encodingAesKey}=`, 'base64');

export interface Plaintext {
  readonly message: string;
  /** Whom it is for: the appid, the corpid, … */
  readonly receiveId: string;
}

/**
 * Opens a ciphertext: random(`prefix`) + length(4, big endian, in bytes) + message + receive id.
 * `undefined` if the padding or the length is wrong: another key, or garbage.
 */
export function wechatDecrypt(
  encodingAesKey: string,
  ciphertext: string,
  prefix = WECHAT_PREFIX,
): Plaintext | undefined {
  const key = keyOf(encodingAesKey);
  const bytes = Buffer.from(ciphertext, 'base64');
  if (key.length !== BLOCK || bytes.length === 0 || bytes.length % AES_BLOCK !== 0) return undefined;
  const decipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, AES_BLOCK)).setAutoPadding(false);
  const padded = Buffer.concat([decipher.update(bytes), decipher.final()]);
  const pad = padded.at(-1) ?? 0;
  if (pad < 1 || pad > BLOCK || !padded.subarray(-pad).every((byte) => byte === pad)) return undefined;
  const plain = padded.subarray(0, padded.length - pad);
  const from = prefix + 4;
  if (plain.length < from) return undefined;
  const to = from + plain.readUInt32BE(prefix);
  if (to > plain.length) return undefined;
  return { message: plain.toString('utf8', from, to), receiveId: plain.toString('utf8', to) };
}

/** Seals a message as the vendor does. @param random as many bytes as the vendor's prefix has */
export function wechatEncrypt(
  encodingAesKey: string,
  message: string,
  receiveId: string,
  random: Buffer,
): string {
  const key = keyOf(encodingAesKey);
  const text = Buffer.from(message);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  const plain = Buffer.concat([random, length, text, Buffer.from(receiveId)]);
  const pad = BLOCK - (plain.length % BLOCK);
  const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, AES_BLOCK)).setAutoPadding(false);
  return Buffer.concat([
    cipher.update(plain),
    cipher.update(Buffer.alloc(pad, pad)),
    cipher.final(),
  ]).toString('base64');
}
