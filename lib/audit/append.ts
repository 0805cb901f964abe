import type { Protector } from '../identity/protect.ts';
import { type Clock, toIso } from '../platform/clock.ts';
import { ConflictError } from '../platform/errors.ts';
import { keys, shardOf } from '../platform/keys.ts';
import type { Item, Table } from '../platform/table.ts';
import { beginning, type Fact, type Head, hashOf } from './entry.ts';

/** Each attempt that fails is another's that did not: so many at once in one lane would have to be ahead. */
const TRIES = 100;

/** The head that a lane's newest row is. */
export const headOf = (row: Item | undefined, day: string, lane: number): Head =>
  row ? { n: Number(row.sk), hash: String(row.h) } : beginning(day, lane);

/**
 * Appends an entry, by a put that fails if somebody else put the same number first: then what they put is followed.
 * Nothing is lost, and a reply that was lost says the same twice. Who answers a question appends first and answers then:
 * what cannot be written is not answered.
 *
 * @throws if it cannot be written
 */
export async function appendAudit(
  { table, now }: { readonly table: Pick<Table, 'page' | 'put'>; readonly now: Clock },
  fact: Fact,
): Promise<void> {
  const at = toIso(now());
  const day = at.slice(0, 10);
  const lane = shardOf(`${fact.who} ${fact.subjects?.[0]}`);
  const { pk } = keys.audit(day, lane, 0);
  for (let left = TRIES; ; left--) {
    const newest = await table.page(pk, { newestFirst: true, limit: 1 });
    const head = headOf(newest.items[0], day, lane);
    const n = head.n + 1;
    const e = JSON.stringify({ day, lane, n, at, ...fact, prev: head.hash });
    try {
      return await table.put({ ...keys.audit(day, lane, n), e, h: hashOf(e) }, { kind: 'absent' });
    } catch (error) {
      if (!(error instanceof ConflictError) || left === 0) throw error;
    }
  }
}

/** What stands for a profile in the log: nobody without the brand's key can tell whose it is, nor try names. */
export const subjectOf = (profile: string, protector: Pick<Protector, 'digest'>): string =>
  protector.digest({ kind: 'profile', scope: 'audit', value: profile });
