import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import type { Json } from '../events/event.ts';
import { RejectedError } from '../platform/errors.ts';

/** What is known about a delivery. */
export const envelope = z.strictObject({
  verified: z.enum(['signed', 'sender_only', 'client']),
  /** The sender's id of the delivery, the same in each retry. */
  delivery: z.string().optional(),
  /** The signed time of the delivery, in milliseconds. */
  sentAt: z.number().optional(),
  /** What the path or a header says about the content, where that is authentic. */
  topic: z.string().optional(),
  /** Where the message stood in its delivery. */
  index: z.int().optional(),
});
export type Envelope = z.infer<typeof envelope>;

/** What a fault keeps: a message that could not be read, or a text that could not be decoded. */
export const faultBody = z.union([
  z.strictObject({ message: z.json(), envelope }),
  z.strictObject({ text: z.string(), envelope }),
  z.strictObject({ gzip: z.base64(), envelope }),
  /** The beginning of what was too long to be kept: to be looked at, and not to be read again. */
  z.strictObject({ cut: z.string(), bytes: z.int(), envelope }),
]);

/** Faults whose body is longer than this are kept compressed, so that one always fits a message of the queue. */
const PLAIN_BYTES = 48 * 1024;
const FAULT_BYTES = 200 * 1024;
const CUT_CHARACTERS = 8 * 1024;

/** A fault's body, compressed where it is long. @throws RejectedError 413 where even that is too long and nothing is cut */
export function packed(
  what: 'message' | 'text',
  content: Json,
  body: string,
  cuts: boolean,
): { [name: string]: Json } {
  if (Buffer.byteLength(body) <= PLAIN_BYTES) return { [what]: content };
  const gzip = zippedWithin(body, FAULT_BYTES);
  if (gzip !== undefined) return { gzip };
  if (cuts) return { cut: body.slice(0, CUT_CHARACTERS), bytes: Buffer.byteLength(body) };
  throw new RejectedError(
    'too_large',
    'too long to be kept until somebody mends it; send less at a time',
    413,
  );
}

/** Zipped, in base64 of so many characters at most; nothing for what is longer, and no more work than to see that. */
function zippedWithin(body: string, most: number): string | undefined {
  try {
    return gzipSync(body, { level: 1, maxOutputLength: (most / 4) * 3 }).toString('base64');
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The inverse. */
export function unpacked(body: Exclude<z.infer<typeof faultBody>, { cut: string }>): Json {
  if ('message' in body) return body.message;
  if ('text' in body) return body.text;
  return z.json().parse(JSON.parse(gunzipSync(Buffer.from(body.gzip, 'base64')).toString()));
}
