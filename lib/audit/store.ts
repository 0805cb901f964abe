import { z } from 'zod';
import type { Protector } from '../identity/protect.ts';
import { type Clock, DAY, MINUTE, toIso } from '../platform/clock.ts';
import { keys, SHARDS } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';
import { headOf } from './append.ts';
import { type Fact, hashOf } from './entry.ts';
import {
  type Anchor,
  anchorIn,
  FIRST,
  type Finding,
  nameOfEntry,
  type StoredAnchor,
  type StoredEntry,
  verifyAnchors,
  verifyHeads,
  verifyLane,
} from './verify.ts';

const entryRow = z.object({ sk: z.string(), e: z.string(), h: z.string() });
const anchorRow = entryRow.extend({ seal: z.string() });
const written = z.looseObject({
  day: z.string(),
  lane: z.int(),
  n: z.int(),
  at: z.string(),
  what: z.string(),
  who: z.string(),
  subjects: z.array(z.string()).optional(),
});

/** An entry as it is listed. */
export type Entry = z.infer<typeof written> & Omit<Partial<Fact>, 'what' | 'who' | 'subjects'>;

/** Never more days at once than this: the log of a year is read in pages of a year. */
const MOST_DAYS = 400;

/** An entry of a day may come so long after its midnight: longer than any function runs. */
const LATE_MS = 15 * MINUTE;

const LANES = Array.from({ length: SHARDS }, (_, lane) => lane);

/** The days (UTC) from one to another, both in. */
export function daysBetween(from: string, to: string): string[] {
  const count = Math.round((Date.parse(to) - Date.parse(from)) / DAY) + 1;
  const first = Date.parse(from);
  return Array.from({ length: Math.max(0, Math.min(count, MOST_DAYS)) }, (_, i) =>
    toIso(first + i * DAY).slice(0, 10),
  );
}

interface AuditDeps {
  readonly table: Table;
  readonly now: Clock;
  readonly protector: Pick<Protector, 'digest'>;
}

/** The audit log, for who reads it, holds it fast and verifies it. Appending is `appendAudit`. */
export function auditStore({ table, now, protector }: AuditDeps) {
  const seal = (hash: string) => protector.digest({ kind: 'anchor', scope: 'audit', value: hash });

  async function lane(day: string, number: number): Promise<StoredEntry[]> {
    const rows: StoredEntry[] = [];
    for await (const item of table.query(keys.audit(day, number, 0).pk)) {
      const { sk, e: text, h: hash } = entryRow.parse(item);
      rows.push({ day, lane: number, n: Number(sk), text, hash });
    }
    return rows;
  }

  async function anchors(): Promise<StoredAnchor[]> {
    const found: StoredAnchor[] = [];
    for await (const item of table.query(keys.anchor(0).pk)) {
      const { sk, e: text, h: hash, seal: sealed } = anchorRow.parse(item);
      found.push({ n: Number(sk), text, hash, seal: sealed });
    }
    return found;
  }

  async function lastAnchor(): Promise<{ n: number; hash: string; said?: Anchor | undefined }> {
    const [newest] = (await table.page(keys.anchor(0).pk, { newestFirst: true, limit: 1 })).items;
    if (!newest) return { n: 0, hash: FIRST };
    const { sk, e, h } = anchorRow.parse(newest);
    return { n: Number(sk), hash: h, said: anchorIn(e) };
  }

  async function headsOf(days: readonly string[]): Promise<Anchor['heads']> {
    const lanes = days.flatMap((day) => LANES.map((number) => ({ day, number })));
    const heads = await Promise.all(
      lanes.map(async ({ day, number }) => {
        const { pk } = keys.audit(day, number, 0);
        const { items } = await table.page(pk, { newestFirst: true, limit: 1 });
        return { day, lane: number, ...headOf(items[0], day, number) };
      }),
    );
    return heads.filter(({ n }) => n > 0);
  }

  return {
    /** Entries of a time, newest first within each lane: `since` ≤ at. For a look at what happened lately. */
    async latest(since: string): Promise<Entry[]> {
      const days = daysBetween(since.slice(0, 10), toIso(now()).slice(0, 10));
      const found = days.flatMap((day) => LANES.map((number) => newestOf(keys.audit(day, number, 0).pk)));
      return (await Promise.all(found)).flat();

      async function newestOf(pk: string): Promise<Entry[]> {
        const entries: Entry[] = [];
        for (let after: string | undefined; ; ) {
          const page = await table.page(pk, { newestFirst: true, limit: 100, ...(after && { after }) });
          const read = page.items.map((item) => written.parse(JSON.parse(entryRow.parse(item).e)));
          entries.push(...read.filter(({ at }) => at >= since));
          if (page.next === undefined || read.some(({ at }) => at < since)) return entries;
          after = page.next;
        }
      }
    },

    /** The entries of a day (UTC) in time order. What cannot be read is left out here, and named by `verify`. */
    async day(day: string): Promise<Entry[]> {
      const rows = (await Promise.all(LANES.map((number) => lane(day, number)))).flat();
      return rows.flatMap(({ text }) => entryIn(text) ?? []).sort(byTime);
    },

    /**
     * Holds fast what the log holds now, from the day of the last anchor on; undefined if nothing is new since.
     *
     * @throws ConflictError if somebody else made an anchor meanwhile: theirs holds
     */
    async anchor(): Promise<{ readonly n: number; readonly hash: string } | undefined> {
      const at = toIso(now());
      const to = at.slice(0, 10);
      const last = await lastAnchor();
      const from = toIso((last.said ? Date.parse(last.said.at) : now()) - LATE_MS).slice(0, 10);
      const heads = await headsOf(daysBetween(from, to));
      const isSame = JSON.stringify(heads) === JSON.stringify(last.said?.heads ?? []);
      if (isSame && (last.n === 0 || last.said?.to === to)) return undefined;
      const n = last.n + 1;
      const e = JSON.stringify({ n, at, from, to, heads, prev: last.hash } satisfies Anchor);
      const hash = hashOf(e);
      await table.put({ ...keys.anchor(n), e, h: hash, seal: seal(hash) }, { kind: 'absent' });
      return { n, hash };
    },

    /**
     * Finds everything that is not as it was written.
     *
     * @param from @param to days (UTC), both in; anchors are verified whole
     * @param kept the hash of an anchor that was kept elsewhere
     */
    async verify(from: string, to: string, kept?: string) {
      const found: Finding[] = [];
      const hashes = new Map<string, string>();
      const days = new Set(daysBetween(from, to));
      for (const day of days)
        for (const number of LANES) {
          const rows = await lane(day, number);
          found.push(...verifyLane(day, number, rows));
          for (const row of rows) hashes.set(nameOfEntry(row), row.hash);
        }
      const held = await anchors();
      found.push(...verifyAnchors(held, seal, kept), ...verifyHeads(held, hashes, (day) => days.has(day)));
      const last = held.at(-1);
      return {
        whole: found.length === 0,
        entries: hashes.size,
        anchors: held.length,
        ...(last && { lastAnchor: last.hash, anchoredAt: anchorIn(last.text)?.at ?? null }),
        found: [...new Map(found.map((it) => [`${it.entry} ${it.wrong}`, it])).values()],
      };
    },
  };
}
export type AuditStore = ReturnType<typeof auditStore>;

function entryIn(text: string): Entry | undefined {
  try {
    return written.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const byTime = (a: Entry, b: Entry) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.lane - b.lane || a.n - b.n);
