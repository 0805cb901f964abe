// A brand's table and journals in memory, and a `history` that is as sparing as the real one: it answers with what
// occurred at or after `since`, and not more.
import type { History, RestateDeps } from '../../lib/attribution/restate.ts';
import { restate } from '../../lib/attribution/restate.ts';
import { conversionStore } from '../../lib/attribution/store.ts';
import { byTime, type Event } from '../../lib/events/event.ts';
import type { Brand } from '../../lib/platform/brand.ts';
import { keys } from '../../lib/platform/keys.ts';
import type { Table } from '../../lib/platform/table.ts';
import { openCalendar } from '../../lib/tags/calendar.ts';
import { memoryTable } from '../platform/memory.ts';
import { day, START } from './a-history.ts';

export function aWorld(brand: Brand) {
  const journals = new Map<string, { version: number; people: Map<string, Event[]> }>();
  const redirects = new Map<string, string>();
  const rows = memoryTable();
  const reads: (number | undefined)[] = [];
  let failing: (() => boolean) | undefined;
  let dawdling: (() => number) | undefined;

  const io = async <T>(work: () => Promise<T>): Promise<T> => {
    for (let ticks = dawdling?.() ?? 0; ticks > 0; ticks--) await Promise.resolve();
    if (failing?.()) throw new Error('crash before');
    const result = await work();
    if (failing?.()) throw new Error('crash after');
    return result;
  };
  const table: Table = {
    ...rows,
    get: (key) => io(() => rows.get(key)),
    put: (item, guard) => io(() => rows.put(item, guard)),
  };

  const journal = (id: string) => {
    const it = journals.get(id) ?? { version: 0, people: new Map<string, Event[]>() };
    journals.set(id, it);
    return it;
  };

  const deps: RestateDeps = {
    brand,
    calendar: openCalendar(brand.timezone),
    store: conversionStore(table, () => START),
    history: (asked, since) => io(() => history(asked, since)),
  };

  async function history(asked: string, since: number | undefined): Promise<History | undefined> {
    reads.push(since);
    const cluster = redirects.get(asked) ?? asked;
    const it = journals.get(cluster);
    if (!it) return undefined;
    const people = [...it.people].map(([profile, events]) => ({
      profile,
      events: events.filter((event) => Date.parse(event.occurredAt) >= (since ?? 0)).sort(byTime),
    }));
    return { cluster, version: it.version, people };
  }

  return {
    deps,
    /** `since` of each read of a history, in order. */
    reads,
    table: rows,
    /** Lets reads and writes fail as `at` says, until it is called without. */
    crash(at?: () => boolean): void {
      failing = at;
    },
    /** Lets each read and write wait so many turns before it happens: workers overtake one another. */
    dawdle(turns?: () => number): void {
      dawdling = turns;
    },
    /** One write of a profile: the events it brings, and the version it makes. */
    append(cluster: string, ...events: Event[]): void {
      this.appendTo(cluster, cluster, ...events);
    },
    appendTo(cluster: string, profile: string, ...events: Event[]): void {
      const it = journal(cluster);
      it.version += 1;
      it.people.set(profile, [...(it.people.get(profile) ?? []), ...events]);
    },
    /** Joins one cluster to another: its events go there, its row says so. */
    async join(left: string, into: string): Promise<void> {
      const events = [...(journals.get(left)?.people.values() ?? [])].flat();
      const version = (journals.get(left)?.version ?? 0) + 1;
      journals.delete(left);
      redirects.set(left, into);
      await rows.put({ ...keys.profile(left), v: version, joined: into });
      this.append(into, ...events);
    },
    forget: (cluster: string) => journals.delete(cluster),
    events: (cluster: string) => [...(journals.get(cluster)?.people.values() ?? [])].flat(),
    restate: (profile: string, conversions: string[] | 'all', since?: string) =>
      restate({ profile, conversions, ...(since !== undefined && { since }) }, deps),
    /** All conversions of a cluster by id. */
    async stored(cluster: string) {
      const found = [];
      for await (const row of deps.store.list(cluster)) found.push(row);
      return found.sort((a, b) => (a.id < b.id ? -1 : 1));
    },
    /** Every listing of every day from the first to the twentieth, by id. */
    async listed() {
      const found = [];
      for (let i = -60; i < 60; i++) found.push(...(await deps.store.listDay(day(i).slice(0, 10))));
      return found.sort((a, b) => (a.id < b.id ? -1 : 1));
    },
  };
}
