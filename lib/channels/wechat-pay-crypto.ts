import { createDecipheriv, createHash, createHmac, createPublicKey, verify } from 'node:crypto';

/** The authentication tag, at the end of a ciphertext. */
const TAG = 16;

/**
 * Opens AES-GCM as WeChat Pay seals it: base64 of ciphertext and tag. `undefined` where the tag does not hold: another
 * key, another nonce, other associated data, or a forgery; nothing of the plaintext is given out then.
 *
 * @param key 32 bytes for AEAD_AES_256_GCM; 16 and 24 are taken as AES-128 and AES-192
 */
export function openAead(key: string, nonce: string, associated: string, sealed: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64');
  const held = Buffer.from(key);
  if (bytes.length < TAG || nonce === '') return undefined;
  const name = ([16, 24, 32] as const).find((length) => length === held.length);
  if (!name) return undefined;
  const algorithm = ({ 16: 'aes-128-gcm', 24: 'aes-192-gcm', 32: 'aes-256-gcm' } as const)[name];
  const decipher = createDecipheriv(algorithm, held, Buffer.from(nonce), { authTagLength: TAG });
  decipher.setAAD(Buffer.from(associated));
  decipher.setAuthTag(bytes.subarray(-TAG));
  try {
    const plain = [decipher.update(bytes.subarray(0, -TAG)), decipher.final()];
    return Buffer.concat(plain).toString('utf8');
  } catch {
    return undefined;
  }
}

/** Whether a signature over time, nonce and raw body is of this key (a certificate or a public key, PEM). */
export function rsaHolds(pem: string, signed: Buffer, signature: string): boolean {
  return verify('RSA-SHA256', signed, createPublicKey(pem), Buffer.from(signature, 'base64'));
}

/** The bytes that v3 signs: three lines, each with its end. */
export const signedLines = (timestamp: string, nonce: string, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${timestamp}\n${nonce}\n`), body, Buffer.from('\n')]);

/**
 * The signature of v2 over the fields that have a value, sorted by their names' bytes, with the key at the end; in
 * capitals. HMAC-SHA256 has the key at the end too, and is keyed with it.
 */
export function legacySignature(
  fields: Readonly<Record<string, string>>,
  key: string,
  algorithm: 'MD5' | 'HMAC-SHA256',
): string {
  const pairs = Object.entries(fields)
    .filter(([name, value]) => name !== 'sign' && value !== '')
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([name, value]) => `${name}=${value}`);
  const text = [...pairs, `key=${key}`].join('&');
  const hash = algorithm === 'MD5' ? createHash('md5') : createHmac('sha256', key);
  return hash.update(text).digest('hex').toUpperCase();
}

/**
 * Opens the `req_info` of a v2 refund: AES-256-ECB, its key the MD5 of the API key in small letters. Nothing
 * authenticates it: whoever lacks the key cannot say what they want, but blocks of older messages may be rearranged.
 */
export function openLegacy(key: string, sealed: string): string | undefined {
  const decipher = createDecipheriv('aes-256-ecb', createHash('md5').update(key).digest('hex'), null);
  try {
    const plain = [decipher.update(Buffer.from(sealed, 'base64')), decipher.final()];
    return Buffer.concat(plain).toString('utf8');
  } catch {
    return undefined;
  }
}
