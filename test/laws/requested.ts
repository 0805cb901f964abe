import type { Identifier } from '../../lib/events/event.ts';
import { directory } from '../../lib/identity/directory.ts';
import { DAY, MINUTE, toIso } from '../../lib/platform/clock.ts';
import { keyring } from '../../lib/platform/keyring.ts';
import { keys } from '../../lib/platform/keys.ts';
import { sealedTable } from '../../lib/platform/sealed.ts';
import { shredder } from '../../lib/platform/shredder.ts';
import type { Table } from '../../lib/platform/table.ts';
import { endErasures, onErasures } from '../../lib/privacy/carry-out.ts';
import { type Plan, planErasure } from '../../lib/privacy/erase.ts';
import { queues } from '../../lib/privacy/queues.ts';
import type { PrivacyRequest } from '../../lib/privacy/request.ts';
import { requestStore } from '../../lib/privacy/request-store.ts';
import { sweep } from '../../lib/privacy/sweep.ts';
import { type ProfileStore, profileStore } from '../../lib/profile/store.ts';
import { counted } from '../platform/counted.ts';
import { type MemoryTable, memoryTable } from '../platform/memory.ts';
import type { AllNames } from './erasures.ts';
import { functionsOf, type Names, type Shared, TICK } from './wiring.ts';
import { type Io, World, type WorldFunction, type WorldOptions } from './world/world.ts';

// An erasure the whole way: by its request, the clock's calls and twenty minutes, in a table that is sealed and whose keys lie beside
// its rows, so that every read and write of them is a point at which something may fail.

/** What is looked through of dead letters is asked for by a queue of its own: it stands for the clock. */
export type AskedNames = AllNames | 'sweeps';
export type AskedWorld = World<AskedNames>;

/** What an erasure was planned on: the last before a cluster was closed is the one that happened. */
export interface Planned {
  readonly request: string;
  readonly plan: Plan;
  /** The table as it was then. */
  readonly before: MemoryTable;
}

const SEEDS = keys.seeds('').pk;
const nonce = counted();

export const sealedOver = (table: Table, keysIn = table): Table =>
  sealedTable(table, keyring(keysIn, nonce), nonce);

/** The rows of a sealed table that can be read with the keys of another, or its own; keys are not among them. */
export async function openedRows(table: MemoryTable, keysIn: MemoryTable = table): Promise<MemoryTable> {
  const both = memoryTable();
  for (const row of table.rows()) if (!row.pk.startsWith(SEEDS)) await both.put(row);
  for (const row of keysIn.rows()) if (row.pk.startsWith(SEEDS)) await both.put(row);
  const opened = memoryTable();
  const { items } = await sealedOver(both).scan(0, 1);
  for (const row of items) if (!row.pk.startsWith(SEEDS)) await opened.put(row);
  return opened;
}

/** The functions of a brand over its sealed table, erasures among them; what is planned is put down. */
export function requestingWorld(
  shared: Shared,
  options: Omit<WorldOptions<AskedNames>, 'functions'>,
): { readonly world: AskedWorld; readonly planned: readonly Planned[] } {
  const planned: Planned[] = [];
  const depsOver = (table: Table, io: Pick<Io<AskedNames>, 'queues' | 'now'>) => ({
    ...{ table, protector: shared.protector, directory: directory(table, shared.protector) },
    ...{ profiles: profileStore(table), conversions: io.queues.conversions },
    ...{ rules: async () => shared.rules, done: new Map<string, number>(), now: io.now },
  });
  /** Plans once more, on a copy of the table as it is at this moment. */
  const plannedAt = async (asked: PrivacyRequest, io: Io<AskedNames>): Promise<void> => {
    const before = world.table.copy();
    const deps = depsOver(sealedOver(before.copy()), io);
    const plan = asked.of && (await planErasure(asked.of, asked.id, shared.rules, deps));
    if (plan) planned.push({ request: asked.id, plan, before });
  };
  const watched = (profiles: ProfileStore, io: Io<AskedNames>): ProfileStore => ({
    ...profiles,
    async freeze(cluster, into, due, erasing) {
      const { items } = await requestStore(world.table).list(10);
      for (const it of items) if (erasing && it.progress?.into === into) await plannedAt(it, io);
      return profiles.freeze(cluster, into, due, erasing);
    },
  });
  // A ring remembers a page that is being read. Where several work at once, who fails leaves it unread for ever, which no Lambda does.
  const opened = ({ table }: Pick<Io<AskedNames>, 'table'>) =>
    sealedOver(table, (options.workers ?? 1) > 1 ? world.table : table);
  const erasures: WorldFunction<AskedNames> = (io) => {
    const deps = depsOver(opened(io), io);
    const all = {
      ...deps,
      profiles: watched(deps.profiles, io),
      shredder: shredder(io.table),
      sweeps: true,
    };
    return async (messages) => {
      const asked = messages.filter(({ body }) => body !== TICK);
      if (asked.length < messages.length) await endErasures(all);
      return onErasures(asked, all);
    };
  };
  const sweeps: WorldFunction<AskedNames> = (io) => {
    const swept = (['events', 'conversions', 'recompute'] as const).map((name) => ({
      ...{ name, holds: queues[name], letters: io.letters[name] },
    }));
    const deps = { table: opened(io), protector: shared.protector, queues: swept, judged: new Set<string>() };
    return async () => {
      await sweep({ ...deps, now: io.now });
      return [];
    };
  };
  const plain = functionsOf(shared);
  const over =
    (it: WorldFunction<Names>): WorldFunction<AskedNames> =>
    (io) =>
      it({ ...io, table: opened(io) });
  const functions = {
    ...{ events: over(plain.events), conversions: over(plain.conversions) },
    ...{ recompute: over(plain.recompute), tick: over(plain.tick), erasures, sweeps },
  };
  const world = new World<AskedNames>({ functions, ...options });
  return { world, planned };
}

/** A person's request, as the API puts it down. */
export async function ask(world: AskedWorld, id: string, of: Identifier): Promise<void> {
  const it: PrivacyRequest = {
    ...{ id, right: 'erase', status: 'received', reason: 'a test asks', subject: `subject ${id}`, of },
    ...{ asked: { name: 'a test', key: 'key', at: toIso(world.now) }, dueAt: toIso(world.now + 15 * DAY) },
  };
  await requestStore(world.table).put(it, 0);
}

/** The clock's calls are so far apart. */
const APART = 10 * MINUTE;
/** So often it may call until a request is as far as it should be: sweeps that crash are gone on with, and two hours are a lot. */
const CALLS = 12;

/** The clock calls until requests are so far. @throws Error if they never are */
export async function until(
  world: AskedWorld,
  ids: readonly string[],
  isSo: (it: PrivacyRequest) => boolean,
  replay: string,
): Promise<PrivacyRequest[]> {
  for (let left = CALLS; ; left--) {
    const stored = await Promise.all(ids.map((id) => requestStore(world.table).get(id)));
    const its = stored.map(({ it }) => it);
    if (its.every(isSo)) return its;
    if (left === 0) {
      const how = `an erasure does not end: ${replay}\n${world.story.slice(-3000)}`;
      throw new Error(how, { cause: world.errors.at(-1) });
    }
    // All are called, in any order: joins that were left open are ended, dead letters are looked through, and what has settled is proven.
    await world.send('tick', TICK);
    await world.send('sweeps', TICK);
    await world.send('erasures', TICK);
    await world.run();
    world.now += APART;
  }
}

/** What was carried out for a request, if anything was: what it says is erased was planned so. */
export function carriedOutFor({ id, progress }: PrivacyRequest, planned: readonly Planned[]): Planned[] {
  const done = planned.findLast(
    ({ request, plan: { cluster, into, erasing } }) =>
      request === id &&
      progress?.cluster === cluster.id &&
      progress.into === into &&
      progress.at === erasing.at,
  );
  return done ? [done] : [];
}
