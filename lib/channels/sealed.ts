import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';

const IV = 12;
const TAG = 16;

/**
 * What a vendor's token is kept as: AES-256-GCM under a key made of the account's own secret. The nonce is a MAC of the
 * text: one text has one ciphertext, and no nonce serves two.
 */
export function sealedWith(secret: string, text: string): string {
  const iv = createHmac('sha256', keyOf(secret, 'nonce')).update(text).digest().subarray(0, IV);
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret, 'token'), iv);
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64');
}

/** The text; nothing if it was sealed with another secret. */
export function openedWith(secret: string, sealed: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64');
  const key = keyOf(secret, 'token');
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV), { authTagLength: TAG });
    decipher.setAuthTag(bytes.subarray(IV, IV + TAG));
    return Buffer.concat([decipher.update(bytes.subarray(IV + TAG)), decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}

const keyOf = (secret: string, use: string) =>
  Buffer.from(hkdfSync('sha256', secret, 'siyu vendor', use, 32));
