import { createHash } from 'node:crypto';
import type { Random } from '../../lib/platform/keyring.ts';

/** Bytes that look random, and are the same in every run. */
export const counted = (from = 'bytes'): Random => {
  let n = 0;
  return (size) => createHash('sha512').update(`${from} ${n++}`).digest().subarray(0, size);
};
