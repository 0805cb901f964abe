import { createHash } from 'node:crypto';

/** What is asked of WeCom about a contact. */
export const CONTACT = 'externalcontact/get';

/** Short, and the same for the same text; nothing of no text. */
export const digestOfNote = (text: string): string =>
  text === '' ? '' : createHash('sha256').update(text).digest('base64url').slice(0, 22);

/** The name under which it is kept what was known of a contact. */
export const contactNote = (external: string): string => `${CONTACT} ${digestOfNote(external)}`;
