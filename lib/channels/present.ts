import type { Json } from '../events/event.ts';

/** The fields that say something: those that are absent, null or empty are left out. */
export const present = (fields: Readonly<Record<string, Json | undefined>>): Record<string, Json> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) =>
      value === undefined || value === null || value === '' ? [] : [[name, value]],
    ),
  );
