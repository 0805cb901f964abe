import type { Json } from '../events/event.ts';

/** The fields that say something: a vendor leaves out, or writes as null or empty text, what it does not know. */
export const present = (fields: Readonly<Record<string, Json | undefined>>): Record<string, Json> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) =>
      value === undefined || value === null || value === '' ? [] : [[name, value]],
    ),
  );

/** What one kind of message means: a type, and the properties that say something. */
export const one = (type: string, properties: Readonly<Record<string, Json | undefined>>) => ({
  type,
  properties: present(properties),
});
