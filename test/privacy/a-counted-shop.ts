// A shop whose people are counted in every way that is stored: surveys, cuts, models, back-fills, reports for groups.
import { expect } from 'vitest';
import { type ModelsDeps, modelsApi } from '../../lib/attribution/models-api.ts';
import { learnable } from '../../lib/attribution/population.ts';
import { populationStore } from '../../lib/attribution/population-store.ts';
import { onPopulation, type PopulationDeps } from '../../lib/attribution/population-work.ts';
import { conversionStore } from '../../lib/attribution/store.ts';
import { brand as brandShape } from '../../lib/platform/brand.ts';
import type { Role } from '../../lib/platform/brand-words.ts';
import { DAY, dayName, HOUR, MINUTE, SECOND, toIso } from '../../lib/platform/clock.ts';
import type { HttpRequest } from '../../lib/platform/http.ts';
import type { Table } from '../../lib/platform/table.ts';
import { beginErasure, endErasures } from '../../lib/privacy/carry-out.ts';
import { groupReport } from '../../lib/privacy/group-report.ts';
import { privacyRequest, requestId, SETTLING_MS } from '../../lib/privacy/request.ts';
import { requestStore } from '../../lib/privacy/request-store.ts';
import { restateSums } from '../../lib/privacy/sums.ts';
import { openCalendar } from '../../lib/tags/calendar.ts';
import { weekOf } from '../../lib/tags/windows.ts';
import { type MemoryTable, memoryQueue } from '../platform/memory.ts';
import { aBrand, anId, anOrder, aVisit, buyer, day, dice } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aCaller } from '../query/a-caller.ts';
import { aSurveyor } from '../tags/a-survey.ts';
import { onRecompute } from '../tags/on-parts.ts';

const CHANNELS = ['wecom', 'video', 'shop', 'store'];
/** Noon of a Saturday: seven weeks of the shop are over. */
export const NOON = day(50);

const rich = { tag: 'rich', when: 'rfm("quintiles").m >= 4' };
const models = brandShape.shape.models.parse({
  days: 50,
  holdouts: [{ campaign: 'spring', salt: 's', of: 4, below: 1, from: '2026-05-20', to: '2026-06-10' }],
});

/** By the shop's clock, eight hours ahead. */
const mondayOf = (at: string): string => dayName(weekOf(Math.floor((Date.parse(at) + 8 * HOUR) / DAY)));

interface ShopParts {
  readonly seed: number;
  readonly people?: number;
  /** Whose events never come. */
  readonly without?: readonly string[];
  readonly k?: number;
  readonly through?: (rows: MemoryTable) => Table;
}

export async function aCountedShop({ seed, people = 9, without = [], k = 1, through }: ShopParts) {
  const brand = { ...aBrand({ rules: [buyer, rich], privacy: { k } }), models };
  const world = aWorld({ brand, ...(through && { through }) });
  const roll = dice(seed);
  const weeks = new Map<string, Set<string>>();
  for (let i = 0; i < people; i++) {
    const ids = [`member_id:m${i}`];
    const visits = Array.from({ length: 1 + roll(4) }, (_, n) => {
      const campaign = { channel: CHANNELS[roll(4)] ?? '', name: roll(2) ? 'spring' : 'none' };
      return aVisit(roll(4000) / 100, { id: `v${i}-${n}`, ids, context: { campaign } });
    });
    const orders = Array.from({ length: i === 0 ? 2 : roll(4) }, (_, n) =>
      anOrder(roll(4500) / 100, `o${i}.${n}`, 1_000 + roll(90_000), { id: `o${i}-${n}`, ids }),
    );
    weeks.set(`m${i}`, new Set(orders.map(({ occurredAt }) => mondayOf(occurredAt))));
    if (!without.includes(`m${i}`)) await world.take(...visits, ...orders);
  }
  world.setClock(NOON);
  await world.attribute();
  await world.tick(); // takes over the rules, and asks for the first cuts
  const { send, ask: answer } = await aSurveyor(world);
  const caller = await aCaller(world);
  const work = memoryQueue();
  const table = world.worker.table;
  const deps: PopulationDeps & ModelsDeps = {
    ...{ brand, table, work, now: world.clock },
    calendar: openCalendar(brand.timezone),
    profiles: world.profiles,
    conversions: conversionStore(table, world.clock),
    population: populationStore(table, world.clock),
    authorize: async () => ({ role: 'admin', name: 'tester' }),
  };
  const sums = {
    ...deps,
    ...{
      table: world.rows,
      population: populationStore(world.rows, world.clock),
      recompute: world.recompute,
    },
  };
  const taken = new Set<string>();

  const shop = {
    world,
    deps,

    /** Does so many of the messages that wait, and what these ask for; each once. It takes ten minutes, however many there are. */
    async work(most = Infinity): Promise<void> {
      const end = world.clock() + 10 * MINUTE;
      for (let left = most; left > 0; ) {
        shop.later(6 * SECOND); // as long as a queue holds a message back: then nobody works by the rules before
        const waiting = [
          ...world.recompute.bodies.map((body, i) => ({ body, name: `r${i}`, isModel: false })),
          ...work.bodies.map((body, i) => ({ body, name: `w${i}`, isModel: true })),
        ].filter(({ name }) => !taken.has(name));
        if (waiting.length === 0) break;
        for (const { body, name, isModel } of waiting.slice(0, left)) {
          taken.add(name);
          const message = [{ id: 'm', body }];
          const failed = isModel
            ? await onPopulation(message, deps)
            : await onRecompute(message, world.worker);
          expect(failed).toEqual([]);
        }
        left -= waiting.length;
      }
      world.setClock(toIso(end));
    },

    later: (ms: number) => world.setClock(toIso(world.clock() + ms)),
    at: (iso: string) => world.setClock(iso),
    tick: () => restateSums(sums),
    /** A tick on other rows, asking nobody. @param failing which of its writes fails @returns how many it wrote */
    async tickOn(rows: MemoryTable, failing = -1): Promise<number> {
      let writes = 0;
      const check = () => {
        if (writes++ === failing) throw new Error('a crash');
      };
      const table: Table = {
        ...rows,
        async put(...args) {
          check();
          await rows.put(...args);
        },
        async remove(...args) {
          check();
          await rows.remove(...args);
        },
      };
      const population = populationStore(table, world.clock);
      await restateSums({ ...sums, table, population, work: memoryQueue(), recompute: memoryQueue() });
      return writes;
    },
    /** Nobody will ever do what waits. */
    lose: () => {
      for (const i of world.recompute.bodies.keys()) taken.add(`r${i}`);
      for (const i of work.bodies.keys()) taken.add(`w${i}`);
    },
    members: [...weeks.keys()],
    /** The Mondays of the weeks in which somebody bought. */
    weeksOf: (member: string): ReadonlySet<string> => weeks.get(member) ?? new Set(),

    async erase(member: string): Promise<void> {
      const at = toIso(world.clock());
      const request = privacyRequest.parse({
        ...{ id: requestId(at, member), right: 'erase', status: 'received', reason: 'ticket', subject: 's' },
        ...{ asked: { name: 'tester', key: 'k', at }, dueAt: at },
        of: world.protector.protect(anId(`member_id:${member}`)),
      });
      await requestStore(world.rows).put(request, 0);
      await beginErasure(request.id, world.worker);
      await world.attribute();
    },
    /** Lets what was erased settle, and ends it. */
    async settle(): Promise<void> {
      shop.later(SETTLING_MS);
      expect((await endErasures(world.worker)).ended).toBeGreaterThan(0);
      shop.later(MINUTE);
    },

    /** Asks for a look at everybody. @returns where the answer will be */
    async survey(path: string, body: unknown = '', as: Role = 'admin'): Promise<string> {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const { status, said } = await send('POST', path, text, as);
      expect([path, status]).toEqual([path, 202]);
      return said.result;
    },
    async put(tag: string, when: string): Promise<string> {
      return (await send('PUT', `/rules/${tag}`, JSON.stringify({ when }), 'admin')).said.backfill;
    },
    answer: (path: string) => answer(path),
    async inVain(path: string) {
      const { status, said } = await send('GET', path, '', 'operator');
      return { status, reason: said.error?.reason };
    },
    async model(method: string, path: string, body?: unknown) {
      const [, , model, version] = path.split('/');
      const request: HttpRequest = {
        ...{ method, path, query: {}, rawQuery: '', headers: {} },
        params: { ...(model && { model }), ...(version && { version }) },
        body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
      };
      return JSON.parse((await modelsApi(request, deps)).body ?? 'null');
    },
    /** The weeks of the shop as they are told: each Monday with its lines, or null. */
    async weeks() {
      const mondays = Array.from({ length: 6 }, (_, i) => Date.UTC(2026, 4, 4 + 7 * i));
      const told = mondays.map(async (at) => {
        const [from, to] = [toIso(at).slice(0, 10), toIso(at + 6 * 86_400_000).slice(0, 10)];
        const { rows, weeks } = await groupReport({ from, to }, deps);
        return [from, weeks.told > 0 ? rows : null] as const;
      });
      return Object.fromEntries(await Promise.all(told));
    },
    groups: () => caller.ask('/groups', { as: 'analyst' }),

    /** What holds: cuts and models, without what names a version. */
    async holding() {
      const {
        version: _,
        survey: __,
        at: ___,
        ...cuts
      } = (await send('GET', '/rfm/quintiles', '', 'operator')).said.quintiles ?? {};
      const newest = learnable.options.map(async (model) => {
        const [version] = await deps.population.versions(model, 1);
        return [model, version?.result] as const;
      });
      const members = world.rowsOf('T#').map(({ pk, sk, value }) => [pk, sk, value]);
      return { cuts, models: Object.fromEntries(await Promise.all(newest)), members };
    },
  };
  return shop;
}
export type CountedShop = Awaited<ReturnType<typeof aCountedShop>>;
