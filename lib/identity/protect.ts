import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  timingSafeEqual,
} from 'node:crypto';
import type { Identifier } from '../events/event.ts';
import { isPersonal } from './kinds.ts';

/** Keeps the values of identifiers: what is stored, what is looked up, what may be shown. */
export interface Protector {
  /** The identifier as it is stored: personal values encrypted, others as they are. Equal in, equal out. */
  protect(id: Identifier): Identifier;
  /** The inverse. @throws Error if the value was not made with this key */
  reveal(id: Identifier): Identifier;
  /** The keyed digest that stands in a key for a stored identifier (HMAC-SHA-256, 132 bits). */
  digest(stored: Identifier): string;
}

const IV = 16;

/**
 * Synthetic-IV encryption (the construction of RFC 5297 with HMAC-SHA-256 and AES-256-CTR): the IV is a MAC of the
 * value, so that equal values give equal ciphertexts. That is wanted: an identifier must be recognised without being
 * read, and its look-up digest tells the same anyway. Kind and scope go into the MAC: one phone as `phone` and as
 * `unverified_phone` looks different.
 */
export function protector(secret: string): Protector {
  // As a key object: one that is given as bytes is prepared anew for each MAC, which takes five times as long as the MAC.
  const key = (use: string) => createSecretKey(Buffer.from(hkdfSync('sha256', secret, 'siyu', use, 32)));
  const encryption = key('encryption');
  const mac = key('mac');
  const lookup = key('lookup');
  const iv = (id: Identifier) =>
    createHmac('sha256', mac)
      .update(JSON.stringify([id.kind, id.scope, id.value]))
      .digest()
      .subarray(0, IV);

  return {
    protect(id) {
      if (!isPersonal(id)) return id;
      const start = iv(id);
      const cipher = createCipheriv('aes-256-ctr', encryption, start);
      return {
        ...id,
        value: Buffer.concat([start, cipher.update(id.value, 'utf8'), cipher.final()]).toString('base64url'),
      };
    },
    reveal(id) {
      if (!isPersonal(id)) return id;
      const stored = Buffer.from(id.value, 'base64url');
      const decipher = createDecipheriv('aes-256-ctr', encryption, stored.subarray(0, IV));
      const value = Buffer.concat([decipher.update(stored.subarray(IV)), decipher.final()]).toString('utf8');
      const clear = { ...id, value };
      if (!timingSafeEqual(iv(clear), stored.subarray(0, IV)))
        throw new Error(`a ${id.kind} was stored under another key`);
      return clear;
    },
    digest(stored) {
      return createHmac('sha256', lookup)
        .update(JSON.stringify([stored.kind, stored.scope, stored.value]))
        .digest('base64url')
        .slice(0, 22);
    },
  };
}
