// A brand at work in memory: events in, profiles and what follows from them in the table, by the real consumers.
import { onConversions } from '../../lib/attribution/consume.ts';
import { conversionStore } from '../../lib/attribution/store.ts';
import type { Event, Fault } from '../../lib/events/event.ts';
import { directory } from '../../lib/identity/directory.ts';
import { protector } from '../../lib/identity/protect.ts';
import type { Brand } from '../../lib/platform/brand.ts';
import { type Rule, rule } from '../../lib/platform/brand-words.ts';
import { DAY } from '../../lib/platform/clock.ts';
import { AUDIT, keys } from '../../lib/platform/keys.ts';
import type { Item, Table } from '../../lib/platform/table.ts';
import type { Cluster, Profile } from '../../lib/profile/cluster.ts';
import { digestTable } from '../../lib/profile/digest.ts';
import { readHistory } from '../../lib/profile/history.ts';
import { onEvents } from '../../lib/profile/on-events.ts';

import { readCluster, readProfiles } from '../../lib/profile/read.ts';
import { rulesInForce } from '../../lib/profile/rules.ts';
import { profileStore } from '../../lib/profile/store.ts';
import { openCalendar } from '../../lib/tags/calendar.ts';
import { onTick } from '../../lib/tags/recompute.ts';
import { ruleStore } from '../../lib/tags/rules-store.ts';
import { canonical, type MemoryTable, memoryQueue, memoryTable } from '../platform/memory.ts';
import { onRecompute } from '../tags/on-parts.ts';
import { aBrand, anId, START } from './a-profile.ts';

export const SECRET = 'a secret that is long enough for tests';

interface WorldParts {
  readonly brand?: Brand;
  readonly rows?: MemoryTable;
  /** What the workers see of the rows: where faults and counters go. */
  readonly through?: (rows: MemoryTable) => Table;
}

export function aWorld({ brand = aBrand(), rows = memoryTable(), through = (it) => it }: WorldParts = {}) {
  const table = through(rows);
  const protect = protector(SECRET);
  const conversions = memoryQueue();
  const recompute = memoryQueue();
  let now = START + 100 * DAY;
  let messages = 0;
  let announced = 0;
  const clock = () => now;
  const store = ruleStore(table, brand);
  const profiles = profileStore(table);
  const rules = rulesInForce(store, brand, clock);

  /** What one worker holds: its own caches. */
  const aWorker = () => ({
    table,
    profiles,
    protector: protect,
    directory: directory(table, protect),
    conversions,
    recompute,
    store,
    rules,
    done: new Map<string, number>(),
    now: clock,
  });
  let worker = aWorker();

  const world = {
    brand,
    rows,
    conversions,
    recompute,
    protector: protect,
    profiles,
    get worker() {
      return worker;
    },
    /** Another worker, who remembers nothing. */
    restart() {
      worker = aWorker();
    },
    clock,
    setClock: (iso: string) => {
      now = Date.parse(iso);
    },

    /** Delivers messages in one batch; answers which came back. */
    async deliver(...batch: (readonly Event[] | { readonly body: string })[]): Promise<string[]> {
      const sent = batch.map((it) => ({
        id: `m${++messages}`,
        body: 'body' in it ? it.body : JSON.stringify({ events: it, faults: [] }),
      }));
      const failed = await onEvents(sent, worker);
      return sent.flatMap(({ id }, i) => (failed.includes(id) ? [`${i}`] : []));
    },

    /** Takes in events in one message; nothing may come back. */
    async take(...events: readonly Event[]): Promise<void> {
      const failed = await world.deliver(events);
      if (failed.length > 0) throw new Error('the message came back');
    },

    /** One message each, one after the other. */
    async takeEach(...events: readonly Event[]): Promise<void> {
      for (const event of events) await world.take(event);
    },

    quarantine: (fault: Fault) => world.deliver({ body: JSON.stringify({ events: [], faults: [fault] }) }),

    /** Does what the conversions queue asks for, until it is empty. */
    async attribute(): Promise<void> {
      const deps = {
        store: conversionStore(table, clock),
        history: (cluster: string, since?: number) => readHistory(profiles, cluster, since, brand.consent),
        brand,
        calendar: openCalendar(brand.timezone),
      };
      while (announced < conversions.bodies.length) {
        const body = conversions.bodies[announced] ?? '';
        const failed = await onConversions([{ id: 'c', body }], deps);
        if (failed.length > 0) throw new Error('a conversion came back');
        announced++;
      }
    },

    tick: () => onTick(worker),
    recomputeAll: async () => {
      for (const [i, body] of recompute.bodies.entries())
        if ((await onRecompute([{ id: `${i}`, body }], worker)).length > 0) throw new Error('came back');
    },
    putRule: (text: Rule) => store.put(rule.parse(text), new Date(now).toISOString(), 'Li'),

    /** Where an identifier (`kind:value`) points. */
    async cluster(id: string): Promise<Cluster> {
      const place = await aWorker().directory.find(protect.protect(anId(id)));
      const cluster = place && (await readCluster(profileStore(rows), place.cluster));
      if (!cluster) throw new Error(`nobody has ${id}`);
      return cluster;
    },
    async profile(id: string): Promise<Profile> {
      const cluster = await world.cluster(id);
      const { kind, scope, value } = protect.protect(anId(id));
      const all = await readProfiles(profileStore(rows), cluster, await rules(), now);
      const mine = all.find(({ names }) => names.includes(`${kind}\n${scope}\n${value}`));
      if (!mine) throw new Error(`no profile of ${cluster.id} has ${id}`);
      return mine;
    },
    async tags(id: string): Promise<Record<string, string | true>> {
      const { person } = await world.profile(id);
      return Object.fromEntries([...person.tags].map(([tag, { value }]) => [tag, value]).sort());
    },
    async traits(id: string): Promise<Record<string, unknown>> {
      const { person } = await world.profile(id);
      return Object.fromEntries([...person.traits].map(([name, { value }]) => [name, value]));
    },
    /** All events of the cluster that an identifier points to, by id, in time order. */
    async events(id: string): Promise<string[]> {
      const cluster = await world.cluster(id);
      return (await profileStore(rows).events(cluster)).map((event) => event.id.replace(/_+$/, ''));
    },

    /** Rows whose partition begins so; without those that say "no more". */
    rowsOf: (prefix: string): Item[] =>
      rows.rows().filter(({ pk, gone }) => pk.startsWith(prefix) && gone !== true),
    segments: (): Item[] => rows.rows().filter(({ pk, sk }) => pk.startsWith('P#') && sk.startsWith('J#')),
    members: (tag: string): string[] =>
      world.rowsOf(`T#${tag}#`).map(({ sk, value }) => (value === true ? sk : `${sk}=${value}`)),
    state: (id: string) => rows.get(keys.profile(id)),
    /** All rows as one text, but for those that count how often something came. */
    told: (): string =>
      canonical(rows.rows().filter(({ pk }) => !pk.startsWith('N#') && !pk.startsWith(AUDIT))),
    digest: async () => (await digestTable(rows.rows())).digest,
  };
  return world;
}

export type World = ReturnType<typeof aWorld>;
