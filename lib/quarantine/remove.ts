import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import type { Identifier } from '../events/event.ts';
import { keys } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';
import type { Rules } from '../profile/person.ts';
import { isoDay } from '../tags/calendar.ts';

const bodyRow = z.object({ body: z.string() });
const zipped = z.object({ gzip: z.base64() });

/** Shorter values stand for too much: "12" is in every body. */
const SHORTEST = 5;

/**
 * Removes from quarantine what names somebody by any of some identifiers, whatever form the vendor gives it: a phone with or
 * without its country, an e-mail in capitals. What came after the erasure stays.
 *
 * @param ids in clear @param at when they were erased, in ms
 * @returns how many bodies were removed
 */
export async function removeFromQuarantine(
  ids: readonly Identifier[],
  at: number,
  { table, rules }: { readonly table: Table; readonly rules: () => Promise<Rules> },
): Promise<number> {
  const { brand, book } = await rules();
  const named = naming(ids);
  if (!named) return 0;
  const newest = book.calendar.brandDay(at);
  let removed = 0;
  for (let day = newest; day >= newest - brand.retention.quarantineDays; day--) {
    for await (const row of table.query(keys.quarantine(isoDay(day), '').pk)) {
      if (!named.test(textOf(bodyRow.parse(row).body))) continue;
      await table.remove({ pk: row.pk, sk: row.sk });
      removed++;
    }
  }
  return removed;
}

/** The body as text; of one that was zipped, what was. */
function textOf(body: string): string {
  const zip = zipped.safeParse(JSON.parse(body));
  return zip.success ? gunzipSync(Buffer.from(zip.data.gzip, 'base64')).toString('utf8') : body;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/** What any of some identifiers looks like in a body, standing by itself; undefined if all are too short to tell. */
export function naming(ids: readonly Identifier[]): RegExp | undefined {
  const forms = ids.flatMap(({ kind, value }) => {
    const digits = value.replace(/\D/g, '');
    return kind.endsWith('phone') ? [digits, digits.replace(/^86(?=\d{11}$)/, '')] : [value];
  });
  const told = [...new Set(forms)].filter((form) => form.length >= SHORTEST).map(escaped);
  return told.length > 0 ? new RegExp(`(?<![\\w-])(?:${told.join('|')})(?![\\w-])`, 'iu') : undefined;
}
