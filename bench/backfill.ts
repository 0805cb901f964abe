// What it costs to bring everybody to new rules.
import { randomBytes } from 'node:crypto';
import { loadBrand } from '../infra/brands/load.ts';
import type { Brand } from '../lib/platform/brand.ts';
import { DAY, toIso } from '../lib/platform/clock.ts';
import { keyring } from '../lib/platform/keyring.ts';
import { sealedTable } from '../lib/platform/sealed.ts';
import type { Item, Table } from '../lib/platform/table.ts';
import { profileStore } from '../lib/profile/store.ts';
import { onRecompute } from '../lib/tags/recompute.ts';
import { askRecompute } from '../lib/tags/recompute-ask.ts';
import { memoryQueue, memoryTable } from '../test/platform/memory.ts';
import { crowd } from './crowd.ts';
import { dice } from './dice.ts';
import { atMost, type Figure, type Measured } from './figure.ts';
import { LIFE_DAYS } from './life.ts';
import { bookOf, withRules } from './many-rules.ts';
import { metered } from './metered.ts';
import { median } from './numbers.ts';
import { customers } from './people.ts';
import { openPipeline } from './pipeline.ts';
import { senders } from './requests.ts';
import { lifeBy } from './rules.ts';
import { whereUnitsGo } from './where.ts';

const NOW = Date.parse('2026-08-01T00:00:00+08:00') + LIFE_DAYS * DAY;
const RULES = 30;
/** Measured in so many parts, of which the median counts; the first is to warm up. */
const ROUNDS = 6;

export const backfill: Figure = {
  name: 'backfill',
  kind: 'time',
  measure: () => measureBackfill({ people: 60, size: 60_000 }),
};

export async function measureBackfill(of: {
  readonly people: number;
  readonly size: number;
}): Promise<Measured> {
  const brand = withRules(loadBrand('demo'), RULES);
  const next = withRules(brand, RULES + 2);
  const quiet = await settled(await withoutEvents(brand), brand);
  const known = await settled((await lifeBy(brand, of.people)).rows, brand);
  const free = await brought(quiet, next, of.size, asTheyAre);
  const opened = await brought(quiet, next, of.size);
  const busy = await brought(known, next, Math.ceil(of.size / 20));
  const us = (value: number) => `${value.toFixed(0)} µs`;
  return {
    rows: [
      atMost('CPU of a back-fill per person without events that rules read', free.us, 60, us),
      {
        figure: 'the same with deriving the key of each row, and opening it',
        value: us(opened.us),
        numbers: { us: opened.us },
      },
      {
        figure: `CPU of a back-fill per person, ${of.people} customers of 90 days`,
        value: us(busy.us),
        numbers: { us: busy.us },
      },
      {
        figure: 'write units of a back-fill per person, without events and with them',
        value: `${free.units.toFixed(2)} and ${busy.units.toFixed(2)}`,
        numbers: { free: free.units, busy: busy.units },
      },
    ],
    details: [
      `from ${RULES} rules to one more, by the messages of the recompute queue; CPU of ${of.size} persons without and ${Math.ceil(of.size / 20)} with events, median of ${ROUNDS - 1} parts, units of ${COUNTED} of each at most`,
      ...free.where,
      ...busy.where,
    ],
  };
}

/** A person who is known by who they are and has done nothing. */
async function withoutEvents(brand: Brand): Promise<readonly Item[]> {
  const store = memoryTable();
  const pipeline = openPipeline({ brand, store });
  const [who] = customers(1, dice(11));
  const at = NOW - 40 * DAY;
  const call = {
    ...{ type: 'identify', messageId: 'one', anonymousId: who?.browsers[0], timestamp: toIso(at) },
    traits: { city: '上海' },
  };
  pipeline.at(at);
  await pipeline.events(await pipeline.capture([senders(brand).single({ by: 'web', at, call }, at)]));
  pipeline.at(NOW);
  await pipeline.tick();
  return store.rows();
}

/**
 * Profiles that were brought to new rules once before: what their last event left to be done is done and out of the
 * way, as it is of everybody whom somebody has looked at since.
 */
async function settled(rows: readonly Item[], brand: Brand): Promise<readonly Item[]> {
  const table = memoryTable();
  for (const row of rows) await table.put(row);
  await recomputed(table, withRules(brand, RULES + 1));
  return table.rows();
}

/** Persons whose units are counted. */
const COUNTED = 600;

/** A table of many profiles, and how it is read by a function that has just begun. */
type Begun = () => Table;

const asTheyAre =
  async (table: Table): Promise<Begun> =>
  () =>
    table;

/** The same with rows that are sealed: each under a key that this function has not derived before. */
async function sealedRows(table: Table): Promise<Begun> {
  const rings = memoryTable();
  const rows = new Map<string, Item>();
  const sink = { ...table, put: async (row: Item) => void rows.set(row.pk + row.sk, row) };
  const sealing = sealedTable(sink, keyring(rings, randomBytes), randomBytes);
  for (let after: string | undefined; ; ) {
    const { items, next } = await table.scan(0, 1, after);
    for (const row of items) await sealing.put(row);
    if (next === undefined) break;
    after = next;
  }
  const asSealed = (row: Item): Item => rows.get(row.pk + row.sk) ?? row;
  const inPlace: Table = {
    ...table,
    get: async (key) => {
      const row = await table.get(key);
      return row && asSealed(row);
    },
    page: async (...asked) => {
      const page = await table.page(...asked);
      return { ...page, items: page.items.map(asSealed) };
    },
    scan: async (...asked) => {
      const page = await table.scan(...asked);
      return { ...page, items: page.items.map(asSealed) };
    },
  };
  return () => sealedTable(inPlace, keyring(rings, randomBytes), randomBytes);
}

/** Microseconds of CPU and write units a person. */
async function brought(patterns: readonly Item[], brand: Brand, size: number, rowsOf = sealedRows) {
  const rounds: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const part = Math.ceil(size / ROUNDS);
    const open = await rowsOf(crowd(memoryTable(), { size: part, patterns }).table);
    const before = process.cpuUsage();
    await recomputed(open(), brand);
    const { user, system } = process.cpuUsage(before);
    rounds.push((user + system) / part);
  }
  const counted = Math.min(COUNTED, size);
  const meter = metered(crowd(memoryTable(), { size: counted, patterns }).table);
  await recomputed(meter, brand);
  const written = meter.calls.reduce((sum, it) => sum + it.writeUnits + it.indexUnits, 0);
  return {
    us: median(rounds.slice(1)),
    units: written / counted,
    where: whereUnitsGo('back-fill', meter.calls, counted),
  };
}

async function recomputed(table: Table, brand: Brand): Promise<void> {
  const recompute = memoryQueue();
  const book = bookOf(brand);
  await askRecompute(book.digest, recompute);
  const deps = {
    ...{ table, recompute, profiles: profileStore(table), conversions: memoryQueue() },
    rules: async () => ({ brand, book }),
    now: () => NOW,
    done: new Map<string, number>(),
  };
  for (let i = 0; i < recompute.bodies.length; i++) {
    const failed = await onRecompute([{ id: 'm', body: recompute.bodies[i] ?? '' }], deps);
    if (failed.length > 0) throw new Error('a part came back');
  }
}
