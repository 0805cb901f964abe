// What DynamoDB's time to live removes, which the embedded engine does not do by itself.
import type { Table } from '../../lib/platform/table.ts';

/** DynamoDB removes an expired row some time within about two days; nobody may rely on it being sooner. */
export const EXPIRY_DELAY_MS = 2 * 86_400_000;

/**
 * Removes the rows whose time to live ended before `now` (milliseconds since 1970; the attribute is in seconds).
 * It costs nothing on AWS and is in no ledger here.
 *
 * @returns how many rows went
 */
export async function expire(table: Table, attribute: string, now: number): Promise<number> {
  let gone = 0;
  for (let after: string | undefined; ; ) {
    const { items, next } = await table.scan(0, 1, after);
    for (const item of items) {
      const ends = item[attribute];
      if (typeof ends !== 'number' || ends * 1000 > now) continue;
      await table.remove({ pk: item.pk, sk: item.sk });
      gone += 1;
    }
    if (next === undefined) return gone;
    after = next;
  }
}
