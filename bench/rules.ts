// What many rules cost: write units of an event, CPU of an evaluation, and the clock among a million quiet profiles.
import { loadBrand } from '../infra/brands/load.ts';
import { eventsMessage } from '../lib/events/event.ts';
import type { Brand } from '../lib/platform/brand.ts';
import { DAY, HOUR, MINUTE, toIso } from '../lib/platform/clock.ts';
import { DUE_SHARDS } from '../lib/platform/keys.ts';
import type { Item } from '../lib/platform/table.ts';
import { type Rules, viewOf } from '../lib/profile/person.ts';
import { readProfiles } from '../lib/profile/read.ts';
import { isRedirect, profileStore } from '../lib/profile/store.ts';
import { nextChange } from '../lib/tags/changes.ts';
import { evaluateTags, type View } from '../lib/tags/evaluate.ts';
import { memoryTable } from '../test/platform/memory.ts';
import { crowd } from './crowd.ts';
import { dice } from './dice.ts';
import { atMost, type Figure, type Measured } from './figure.ts';
import { bySecond, LIFE_DAYS, lives } from './life.ts';
import { bookOf, withRules } from './many-rules.ts';
import { mean, median, quantile } from './numbers.ts';
import { customers } from './people.ts';
import { openPipeline } from './pipeline.ts';
import { senders } from './requests.ts';
import { whereUnitsGo } from './where.ts';

const FROM = Date.parse('2026-08-01T00:00:00+08:00');
const END = FROM + LIFE_DAYS * DAY;

export interface RulesOptions {
  readonly counts: readonly number[];
  readonly people: number;
  readonly quiet: number;
}

export const rules: Figure = {
  name: 'rules',
  kind: 'count',
  measure: () => measureRules({ counts: [10, 100, 300], people: 40, quiet: 1_000_000 }),
};

export async function measureRules({ counts, people, quiet }: RulesOptions): Promise<Measured> {
  const demo = loadBrand('demo');
  const units: Measured[] = [];
  const times: Measured[] = [];
  let patterns: readonly Item[] = [];
  for (const count of counts) {
    const brand = withRules(demo, count);
    const life = await lifeBy(brand, people);
    units.push(life.measured);
    times.push(await evaluationOf(brand, life.rows));
    patterns = life.rows;
  }
  const last = withRules(demo, counts.at(-1) ?? 0);
  const all = [...units, await amongQuiet(last, patterns, quiet), ...times];
  return { rows: all.flatMap((it) => it.rows), details: all.flatMap((it) => it.details) };
}

/** Ninety days of customers of whom a few are known by hundreds of events: what their rows cost, and what is left. */
export async function lifeBy(
  brand: Brand,
  people: number,
): Promise<{ readonly measured: Measured; readonly rows: readonly Item[] }> {
  const store = memoryTable();
  const pipeline = openPipeline({ brand, store });
  const d = dice(7);
  const send = senders(brand);
  const calls = [];
  let events = 0;
  let hour = FROM;
  for (const { at, done } of bySecond(lives(customers(people, d), FROM, d))) {
    for (; hour + 6 * HOUR < at; hour += 6 * HOUR) {
      pipeline.at(hour + 6 * HOUR);
      await pipeline.tick();
    }
    pipeline.at(at);
    const bodies = await pipeline.capture(done.map((it) => send.single(it.act, at)));
    events += bodies.reduce((sum, body) => sum + eventsMessage.parse(JSON.parse(body)).events.length, 0);
    calls.push(...(await pipeline.events(bodies)).calls);
  }
  pipeline.at(END);
  await pipeline.tick();
  const written = calls
    .filter(({ operation, rows }) => operation === 'put' && rows === 'P#@')
    .map(({ writeUnits }) => writeUnits);
  const name = `profile write units per event and batch, ${brand.rules.length} rules`;
  return {
    rows: store.rows(),
    measured: {
      rows: [
        atMost(`${name}, median`, quantile(written, 0.5), 1, String),
        atMost(`${name}, p99`, quantile(written, 0.99), 4, String, { mean: mean(written) }),
      ],
      details: [
        `${brand.rules.length} rules, ${bookOf(brand).features.length} features: ${events} events of ${people} customers, ${written.length} writes, mean ${mean(written).toFixed(2)} units`,
        ...whereUnitsGo('profile', calls, events),
      ],
    },
  };
}

const ROUNDS = 9;

/** Microseconds of CPU of one evaluation of everybody's tags by all rules; the median of some rounds. */
async function evaluationOf(brand: Brand, rows: readonly Item[]): Promise<Measured> {
  const { views, held } = await viewsOf(brand, rows);
  const { book } = held;
  const timeOf = (work: (view: View) => unknown) => {
    for (const view of views) work(view); // to warm up
    const rounds = Array.from({ length: ROUNDS }, () => {
      const before = process.cpuUsage();
      for (const view of views) work(view);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / views.length;
    });
    return median(rounds);
  };
  const evaluation = timeOf((view) => evaluateTags(book, view, END));
  const prediction = timeOf((view) => nextChange(book, view, END));
  const count = brand.rules.length;
  return {
    rows: [
      {
        figure: `CPU of evaluating a person, ${count} rules`,
        value: `${evaluation.toFixed(0)} µs`,
        numbers: { us: evaluation, rules: count },
      },
    ],
    details: [
      `${count} rules: evaluation ${evaluation.toFixed(1)} µs a person (${((evaluation / count) * 1000).toFixed(0)} ns a rule), next change ${prediction.toFixed(1)} µs; ${views.length} persons, median of ${ROUNDS} rounds`,
    ],
  };
}

async function viewsOf(brand: Brand, rows: readonly Item[]): Promise<{ views: View[]; held: Rules }> {
  const table = memoryTable();
  for (const row of rows) await table.put(row);
  const profiles = profileStore(table);
  const held: Rules = { brand, book: bookOf(brand) };
  const views: View[] = [];
  for (const { pk } of rows.filter(({ pk, sk, s }) => pk.startsWith('P#') && sk === '@' && s !== undefined)) {
    const cluster = await profiles.get(pk.slice(2));
    if (!cluster || isRedirect(cluster)) continue;
    for (const { person } of await readProfiles(profiles, cluster, held, END)) views.push(viewOf(person));
  }
  return { views, held };
}

/**
 * A day of the clock among profiles of whom none is due: the rows are made when somebody asks for them, and nobody
 * does.
 */
async function amongQuiet(brand: Brand, patterns: readonly Item[], size: number): Promise<Measured> {
  const soonest = toIso(END + 2 * DAY);
  const everybody = crowd(memoryTable(), { size, patterns, dueAt: () => soonest });
  const pipeline = openPipeline({ brand, store: everybody.table });
  const perTick: number[] = [];
  let units = 0;
  for (let at = END; at < END + DAY; at += 10 * MINUTE) {
    pipeline.at(at);
    const { calls } = await pipeline.tick();
    perTick.push(calls.length);
    units += calls.reduce((sum, it) => sum + it.readUnits + it.writeUnits, 0);
  }
  const touched = Object.values(everybody.asked).reduce((sum, it) => sum + it, 0);
  const name = `${size.toLocaleString('en')} quiet profiles, ${brand.rules.length} rules`;
  return {
    rows: [
      atMost(`rows read or written of ${name}, a day`, touched, 0, String),
      atMost(`requests of a tick among ${name}`, Math.max(...perTick), DUE_SHARDS, String),
    ],
    details: [
      `${perTick.length} ticks of a day: ${quantile(perTick, 0.5)} requests each (one for each of ${DUE_SHARDS} shards of the index), ${units} units in all`,
    ],
  };
}
