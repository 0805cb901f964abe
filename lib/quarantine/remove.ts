import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import type { Identifier } from '../events/event.ts';
import type { Clock } from '../platform/clock.ts';
import { keys } from '../platform/keys.ts';
import type { Key, Table } from '../platform/table.ts';
import type { Rules } from '../profile/person.ts';
import { isoDay } from '../tags/calendar.ts';

const bodyRow = z.object({ body: z.string(), reason: z.string(), receivedAt: z.string() });
const zipped = z.object({ gzip: z.base64() });

/** Shorter values stand for too much: "12" is in every body. */
const SHORTEST = 5;

/** The reason of messages of our own queue that could not be read: they say when they were read, and nobody knows when they came. */
const UNDATED = 'unreadable';

/**
 * What is to be removed from quarantine of somebody: what names them by any of some identifiers, whatever form the vendor gives it,
 * a phone with or without its country, an e-mail in capitals. What came after the erasure stays.
 *
 * @param ids in clear @param at when they were erased
 */
export async function namedInQuarantine(
  ids: readonly Identifier[],
  at: string,
  { table, rules, now }: { readonly table: Table; readonly rules: () => Promise<Rules>; readonly now: Clock },
): Promise<Key[]> {
  const { brand, book } = await rules();
  const named = naming(ids);
  if (!named) return [];
  const oldest = book.calendar.brandDay(Date.parse(at)) - brand.retention.quarantineDays;
  const found: Key[] = [];
  for (let day = book.calendar.brandDay(now()); day >= oldest; day--) {
    for await (const row of table.query(keys.quarantine(isoDay(day), '').pk)) {
      const { body, reason, receivedAt } = bodyRow.parse(row);
      if ((receivedAt <= at || reason === UNDATED) && isNamed(body, named)) found.push(row);
    }
  }
  return found;
}

/** Whether a body (JSON, as a row or a message holds it) names somebody. */
export const isNamed = (body: string, named: RegExp): boolean => named.test(textOf(body));

/** The body as text; of one that was zipped, what was. */
function textOf(body: string): string {
  const zip = zipped.safeParse(JSON.parse(body));
  return zip.success ? gunzipSync(Buffer.from(zip.data.gzip, 'base64')).toString('utf8') : body;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/** What may stand before a value, for a value stands by itself; escapes end in letters or digits: `\n`, `\u002b`, `%2B`. */
const BEFORE = '(?:(?<![\\w-])|(?<=\\\\(?:[bfnrt]|u[\\da-f]{4})|%[\\da-f]{2}))';

/** A number as people write it: `(+86) 138-0000 0001`. */
const written = (digits: string): string => [...digits].join('[ ().-]{0,2}');

/** What any of some identifiers looks like in a body, standing by itself; undefined if all are too short to tell. */
export function naming(ids: readonly Identifier[]): RegExp | undefined {
  const forms = ids.flatMap(({ kind, value }) => {
    if (!kind.endsWith('phone')) return [value, encodeURIComponent(value)].map((it) => [it, escaped(it)]);
    const digits = value.replace(/\D/g, '');
    return [digits, digits.replace(/^86(?=\d{11}$)/, '')].map((it) => [it, written(it)]);
  });
  const told = new Set(forms.flatMap(([form = '', it = '']) => (form.length < SHORTEST ? [] : it)));
  return told.size > 0 ? new RegExp(`${BEFORE}(?:${[...told].join('|')})(?![\\w-])`, 'iu') : undefined;
}
