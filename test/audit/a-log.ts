// An audit log in memory, and the hands that may tamper with it.

import { appendAudit } from '../../lib/audit/append.ts';
import type { Fact } from '../../lib/audit/entry.ts';
import { auditStore } from '../../lib/audit/store.ts';
import { protector } from '../../lib/identity/protect.ts';
import { AUDIT, keys } from '../../lib/platform/keys.ts';
import type { Item } from '../../lib/platform/table.ts';
import { memoryTable } from '../platform/memory.ts';

export const START = Date.parse('2026-11-11T02:00:00.000Z');
const SECRET = 'a secret that is long enough for tests';

export const aRead = (subject: string, more: Partial<Fact> = {}): Fact => ({
  what: 'read',
  who: 'Wang',
  role: 'operator',
  key: 'k1',
  on: 'GET /profiles/{kind}/{value}',
  subjects: [subject],
  ...more,
});

export function aLog(table = memoryTable()) {
  let at = START;
  const now = () => at;
  const deps = { table, now, protector: protector(SECRET) };
  return {
    ...deps,
    store: auditStore(deps),
    setClock: (time: number) => {
      at = time;
    },
    pass: (ms: number) => {
      at += ms;
    },
    append: (fact: Fact) => appendAudit(deps, fact),
    /** The rows of the log, entries without anchors. */
    rows: (): Item[] => table.rows().filter(({ pk }) => pk.startsWith(AUDIT) && pk !== keys.anchor(0).pk),
    verify: (kept?: string) => auditStore(deps).verify('2026-11-10', '2026-11-14', kept),
  };
}
