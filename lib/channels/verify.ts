import { createHash, createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto';
import { MINUTE } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';

/** How far a signed time may lie from ours, both ways. */
const WINDOW_MS = 5 * MINUTE;

/** Equality in constant time whatever the lengths: digests of both sides are compared. */
export function sameSecret(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** @throws RejectedError 401: what was sent is not from whom it claims. The reason is for our log alone. */
export function unauthentic(reason: string, message: string): never {
  throw new RejectedError(reason, message, 401);
}

/** A signed Unix time in seconds, as milliseconds. @throws RejectedError when it is none, or more than 300 s away. */
export function signedTime(seconds: string | undefined, now: number): number {
  if (seconds === undefined || !/^\d{1,12}$/.test(seconds))
    unauthentic('timestamp_out_of_window', 'no signed time');
  const at = Number(seconds) * 1000;
  if (Math.abs(now - at) > WINDOW_MS)
    unauthentic('timestamp_out_of_window', 'the signed time is more than 300 s from ours: is a clock wrong?');
  return at;
}

export const hmacSha256 = (key: Buffer, data: Buffer | string, encoding: 'base64' | 'hex'): string =>
  createHmac('sha256', key).update(data).digest(encoding);

/** Ed25519 with a raw 32-byte public key. */
export function ed25519Holds(publicKey: Buffer, data: Buffer | string, signature: string): boolean {
  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') },
    format: 'jwk',
  });
  return verify(null, Buffer.from(data), key, Buffer.from(signature, 'base64'));
}
