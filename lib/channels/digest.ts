import { createHash } from 'node:crypto';
import type { Json } from '../events/event.ts';

/** SHA-256 in base64url: what tells a text from others where it has no id of its own. */
export const digestOfText = (text: string | Buffer): string =>
  createHash('sha256').update(text).digest('base64url');

/** The same of a message: what it says. */
export const digestOf = (message: Json): string => digestOfText(JSON.stringify(message));
