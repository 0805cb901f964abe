// Scope: models learned of everybody, from events through the real consumers to versions, orders and reports.
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { datedCounter } from '../../lib/attribution/learned-counts.ts';
import { type ModelsDeps, modelsApi } from '../../lib/attribution/models-api.ts';
import { type Run, runMessage } from '../../lib/attribution/population.ts';
import { learnNightly, messagesOf, versionAnswer } from '../../lib/attribution/population-ask.ts';
import type { Dated } from '../../lib/attribution/population-person.ts';
import { populationStore } from '../../lib/attribution/population-store.ts';
import { onPopulation, type PopulationDeps } from '../../lib/attribution/population-work.ts';
import { UNATTRIBUTED } from '../../lib/attribution/row.ts';
import { dice } from '../../lib/attribution/shapley.ts';
import { conversionStore } from '../../lib/attribution/store.ts';
import { type Brand, brand as brandShape } from '../../lib/platform/brand.ts';
import type { RejectedError } from '../../lib/platform/errors.ts';
import type { HttpRequest } from '../../lib/platform/http.ts';
import { openCalendar } from '../../lib/tags/calendar.ts';
import { memoryQueue } from '../platform/memory.ts';
import { aBrand, anOrder, aVisit, day } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { sum } from './a-history.ts';

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
});

const CHANNELS = ['wecom', 'video', 'shop', 'store'];

/** A brand with its models at work: what the function `models` holds. */
async function aShop(more: Partial<Brand> = {}, people = 60) {
  const brand = { ...aBrand({ rules: [] }), ...more };
  const world = aWorld({ brand });
  const d = dice(7);
  for (let i = 0; i < people; i++) {
    const ids = [`member_id:m${i}`];
    const visits = Array.from({ length: 1 + Math.floor(d() * 4) }, () =>
      aVisit(Math.floor(d() * 20) + d() * 0.9, {
        ids,
        context: {
          campaign: { channel: CHANNELS[Math.floor(d() ** 2 * 4)]!, name: d() < 0.5 ? 'spring' : 'none' },
        },
      }),
    );
    const orders =
      d() < 0.5 ? [anOrder(21 + d() * 5, `o${i}`, 1_000 + Math.floor(d() * 9_999), { ids })] : [];
    await world.take(...visits, ...orders);
  }
  await world.take(
    anOrder(22, 'untouched', 777, { ids: ['member_id:untouched'] }),
    anOrder(22, 'dollars', 999, { ids: ['member_id:dollars'], properties: { currency: 'USD' } }),
    aVisit(84, { ids: ['member_id:young'], context: { campaign: { channel: 'wecom' } } }),
  );
  await world.attribute();
  world.setClock(day(90));
  const work = memoryQueue();
  const deps: PopulationDeps & ModelsDeps = {
    brand,
    table: world.rows,
    calendar: openCalendar(brand.timezone),
    profiles: world.profiles,
    conversions: conversionStore(world.rows, world.clock),
    population: populationStore(world.rows, world.clock),
    work,
    now: world.clock,
    authorize: async () => ({ role: 'admin', name: 'tester' }),
  };
  let done = 0;
  const shop = {
    world,
    deps,
    work,
    async ask(method: string, path: string, body?: unknown) {
      const [place = '', rawQuery = ''] = path.split('?');
      const [, area, model, version] = place.split('/');
      const request: HttpRequest = {
        method,
        path: place,
        params: area === 'models' ? { ...(model && { model }), ...(version && { version }) } : {},
        query: Object.fromEntries(new URLSearchParams(rawQuery)),
        rawQuery,
        headers: {},
        body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
      };
      const reply = await modelsApi(request, deps);
      return JSON.parse(reply.body ?? 'null');
    },
    /** Takes what the queue asks for, so many times each, until nothing is left. */
    async drain(times = 1) {
      for (; done < work.bodies.length; done++)
        for (let i = 0; i < times; i++) {
          const failed = await onPopulation([{ id: 'm', body: work.bodies[done] ?? '' }], deps);
          expect(failed).toEqual([]);
        }
    },
    async learn(model: string, body: unknown = {}) {
      const { result } = await shop.ask('POST', `/models/${model}`, body);
      await shop.drain();
      const answer = versionAnswer.parse(await shop.ask('GET', result));
      return answer;
    },
  };
  return shop;
}

const MODELS = ['markov', 'shapley', 'shapley_ordered', 'shapley_rate', 'learned'] as const;

test.each(MODELS)(
  '%s gives exactly the conversions and the money of the sample, nobody’s among it',
  async (model) => {
    const shop = await aShop();
    const body = model === 'markov' ? { fewest: 1 } : {};
    const { status, version } = await shop.learn(model, body);
    expect(status).toBe('done');
    const { sample, money, channels } = version.result!;
    const orders = await shop.ask('GET', '/attribution?from=2026-05-01&to=2026-07-30');
    expect(sample).toMatchObject({
      people: 63,
      conversions: orders.totals.conversions,
      tooYoung: 1,
      otherCurrencies: { USD: 1 },
    });
    expect(sample.nulls).toBe(60 - (sample.conversions - 1)); // who was touched and did not buy, once each
    expect(money).toBe(orders.totals.net);
    expect(sum(channels.map((it) => it.money))).toBe(money);
    expect(sum(channels.map(({ ppm }) => ppm))).toBe(sample.conversions * 1_000_000);
    expect(channels.find(({ channel }) => channel === UNATTRIBUTED)).toMatchObject({
      money: 777,
      ppm: 1_000_000,
    });
  },
);

test('is the same in 1, 7 and 64 parts, and when every message comes three times', async () => {
  const shop = await aShop({}, 40);
  const { version } = await shop.learn('markov', { fewest: 1 });
  const asked = await shop.deps.population.getRun(version.id);
  const learned = version.result;
  for (const of of [1, 7, 64]) {
    const other: Run = {
      ...asked!,
      id: `${asked!.id}-${of}`,
      of,
      fits: MODELS.map((model) => (model === 'markov' ? { model, fewest: 1 } : { model })),
    };
    await shop.deps.population.putRun(other);
    await shop.work.send(messagesOf(other));
    await shop.drain(of === 7 ? 3 : 1);
    const results = await Promise.all(
      MODELS.map((model) => shop.deps.population.getVersion(model, other.id)),
    );
    expect(results[0]?.result).toEqual(learned);
    if (of === 1) expect(results.every((it) => it?.result)).toBe(true);
    const first = await Promise.all(
      MODELS.map((model) => shop.deps.population.getVersion(model, `${asked!.id}-1`)),
    );
    expect(results.map((it) => it?.result)).toEqual(first.map((it) => it?.result));
  }
}, 30_000);

test('people in many pieces are counted the same as many who came one by one', async () => {
  const shop = await aShop({}, 12);
  const { version } = await shop.learn('shapley');
  const asked = await shop.deps.population.getRun(version.id);
  for (const pieceSize of [1, 1_000]) {
    const other = { ...asked!, id: `pieces-${pieceSize}`, of: 1 };
    await shop.deps.population.putRun(other);
    const [begin = ''] = messagesOf(other);
    await onPopulation([{ id: 'm', body: begin }], { ...rowByRow(shop.deps), pieceSize });
    await shop.drain();
    expect((await shop.deps.population.getVersion('shapley', other.id))?.result).toEqual(version.result);
  }
});

/** The same table, a row a page: every place is one where a part may be cut. */
function rowByRow(deps: PopulationDeps): PopulationDeps {
  const scan: typeof deps.table.scan = async (part, of, after) => {
    const { items, next } = await deps.table.scan(part, of, after);
    const [first, more] = items;
    return {
      items: first ? [first] : [],
      ...(first && (more || next) && { next: `${first.pk}\n${first.sk}` }),
    };
  };
  return { ...deps, table: { ...deps.table, scan } };
}

test('a message that came again and cut its part elsewhere counts nobody twice', async () => {
  const shop = await aShop({}, 12);
  const { version } = await shop.learn('shapley');
  const asked = await shop.deps.population.getRun(version.id);
  const other = { ...asked!, id: 'again', of: 1 };
  const { population } = shop.deps;
  await population.putRun(other);
  // A row a page: every one is a cut, until the clock lets a call go on.
  let ms = 0;
  const hasty = {
    ...rowByRow(shop.deps),
    now: () => {
      ms += 30_000;
      return shop.world.clock() + ms;
    },
  };
  const [begin = ''] = messagesOf(other);
  await onPopulation([{ id: 'a', body: begin }], hasty); // cut where its time was over
  await onPopulation([{ id: 'b', body: begin }], { ...hasty, now: shop.world.clock }); // and whole
  await onPopulation([{ id: 'c', body: begin }], { ...hasty, now: shop.world.clock, pieceSize: 3 }); // in many pieces
  await shop.drain(2);
  expect((await population.getVersion('shapley', 'again'))?.result).toEqual(version.result);
});

describe('single orders', () => {
  test('are shared by the newest version, the same in the report as in the order', async () => {
    const shop = await aShop();
    await expect(shop.ask('GET', '/attribution?model=markov')).rejects.toThrow(
      /never learned: POST \/models\/markov/,
    );
    const { version } = await shop.learn('markov', { fewest: 1 });
    const report = await shop.ask('GET', '/attribution?model=markov,linear&from=2026-05-01&to=2026-07-30');
    expect(report.versions).toEqual({ markov: version.id });
    for (const of of ['ppm', 'gross', 'net'] as const)
      expect(sum(report.rows.map((it: Record<string, number>) => it[of] ?? 0))).toBe(report.totals[of]);
    expect(report.comparison.gains.length + report.comparison.losses.length).toBeGreaterThan(0);
    const { weightsOf } = await import('../../lib/attribution/population-share.ts');
    const { conversionView } = await import('../../lib/attribution/view.ts');
    const weights = await weightsOf(['markov'], shop.world.rows);
    const byChannel = new Map<string, number>();
    for await (const { row } of everyOrder(shop))
      for (const { channel, net } of conversionView(row, weights).models.markov ?? [])
        if (net.currency === 'CNY') byChannel.set(channel, (byChannel.get(channel) ?? 0) + net.amount);
    const rows: { name: string; net: number }[] = report.rows;
    expect(new Map(rows.filter(({ net }) => net !== 0).map(({ name, net }) => [name, net]))).toEqual(
      byChannel,
    );
  });

  async function* everyOrder({ world, deps }: Awaited<ReturnType<typeof aShop>>) {
    for (const { pk, sk } of world.rows.rows())
      if (pk.startsWith('P#') && sk === '@')
        for await (const row of deps.conversions.list(pk.slice(2))) yield { row };
  }

  test('an additive Shapley order gives the channels of its path the same, and the population adds up to the orders', async () => {
    const shop = await aShop();
    const { version } = await shop.learn('shapley');
    const report = await shop.ask('GET', '/attribution?model=shapley&from=2026-05-01&to=2026-07-30');
    const orders = new Map(report.rows.map(({ name, ppm }: { name: string; ppm: number }) => [name, ppm]));
    for (const { channel, ppm } of version.result!.channels)
      expect(Math.abs(ppm - Number(orders.get(channel)))).toBeLessThan(100);
  });
});

test('dated touches add up to the same in any order', () => {
  const person = (channel: string, days: number): Dated => ({
    isHeldOut: days > 5,
    minutes: 60,
    exposures: [[channel, 0, days]],
    conversions: [
      {
        touches: [
          [channel, days],
          ['wecom', 1],
        ],
        value: 5,
      },
    ],
  });
  const people = [person('video', 3), person('shop', 9), person('video', 3), person('a', 1)];
  const counted = (list: readonly Dated[]) => {
    const [left, right] = [datedCounter(), datedCounter()];
    for (const it of list.slice(0, 1)) left.add(it);
    for (const it of list.slice(1)) right.add(it);
    left.merge(right.take());
    return left.take();
  };
  expect(counted([...people].reverse())).toEqual(counted(people));
  expect(counted(people)).toMatchObject({ minutes: [180, 60] });
});

test('a version that could not be learned says why, and what held holds on', async () => {
  const shop = await aShop();
  const { version } = await shop.learn('markov', { fewest: 1 });
  const { status, version: refused } = await shop.learn('markov', { order: 4, fewest: 1_000 });
  expect(status).toBe('refused');
  expect(refused.refused).toMatch(/take a lower order/);
  const report = await shop.ask('GET', '/attribution?model=markov');
  expect(report.versions).toEqual({ markov: version.id });
  const { models } = await shop.ask('GET', '/models');
  expect(models[0].versions).toHaveLength(2);
});

test('what is asked wrongly is refused in words', async () => {
  const shop = await aShop({}, 1);
  const inVain = (method: string, path: string, body?: unknown) =>
    shop.ask(method, path, body).catch((error: RejectedError) => [error.status, error.reason]);
  expect(await inVain('POST', '/models/best')).toEqual([404, 'unknown_model']);
  expect(await inVain('POST', '/models/shapley', { order: 2 })).toEqual([400, 'bad_request']);
  expect(await inVain('POST', '/models/markov', { order: 5 })).toEqual([400, 'bad_request']);
  expect(await inVain('POST', '/models/markov', { goal: 'lead' })).toEqual([400, 'bad_request']);
  expect(await inVain('POST', '/models/markov', { from: '2026-06-02', to: '2026-06-02' })).toEqual([
    400,
    'bad_range',
  ]);
  expect(await inVain('GET', '/models/markov/none')).toEqual([404, 'not_found']);
});

test('what was spent is put over the API, stands in the report, and put again is not added', async () => {
  const shop = await aShop({}, 20);
  const spend = [{ day: '2026-05-20', channel: 'wecom', campaign: 'spring', amount: 5_000 }];
  for (let i = 0; i < 2; i++) expect(await shop.ask('PUT', '/spend', { spend })).toEqual({ lines: 1 });
  expect(await shop.ask('GET', '/spend?from=2026-05-01&to=2026-06-30')).toEqual({ spend });
  const report = await shop.ask('GET', '/attribution?from=2026-05-01&to=2026-06-30');
  expect(report.totals.cost.spend).toBe(5_000);
  expect(report.rows.find(({ name }: { name: string }) => name === 'wecom').cost.spend).toBe(5_000);
  const dollars = await shop.ask('GET', '/attribution?from=2026-05-01&to=2026-06-30&currency=USD');
  expect(dollars.totals.cost).toBeUndefined();
  await expect(shop.ask('PUT', '/spend', { spend: [...spend, ...spend] })).rejects.toThrow(/several lines/);
  await expect(shop.ask('GET', '/spend?from=2026-05-01')).rejects.toThrow(/to/);
});

test('at night all models that the brand names are learned of one count', async () => {
  const models = brandShape.shape.models.parse({ nightly: ['shapley', 'learned'], days: 88 });
  const shop = await aShop({ models });
  const { version } = await learnNightly(shop.deps);
  await shop.drain();
  for (const model of ['shapley', 'learned'])
    expect(await shop.ask('GET', `/models/${model}/${version}`)).toMatchObject({ status: 'done' });
  expect(shop.work.bodies.map((body) => runMessage.parse(JSON.parse(body)))).toHaveLength(4 + 2);
  expect(await learnNightly({ ...shop.deps, brand: aBrand() })).toEqual({});
});

test('a holdout counts those who were known before the campaign, and stands beside its credit', async () => {
  const models = brandShape.shape.models.parse({
    holdouts: [{ campaign: 'spring', salt: 'spring', of: 4, below: 1, from: '2026-05-16', to: '2026-06-10' }],
  });
  const shop = await aShop({ models }, 120);
  const { version } = await shop.learn('holdouts');
  const [lift] = version.result!.lifts!;
  expect(lift).toMatchObject({ campaign: 'spring' });
  const { reached, heldOut, credits } = lift!;
  expect(reached.people + heldOut.people).toBeGreaterThan(60);
  expect(reached.people + heldOut.people).toBeLessThan(123);
  expect(heldOut.people).toBeGreaterThan(5);
  expect(heldOut.people).toBeLessThan(reached.people);
  expect(lift!.lift!.perPerson.value).toBeCloseTo(
    reached.converted / reached.people - heldOut.converted / heldOut.people,
    12,
  );
  expect(credits.find(({ model }) => model === 'linear')!.credit).toBeGreaterThan(0);
  const report = await shop.ask('GET', '/attribution?by=campaign');
  expect(report.holdouts).toEqual(version.result!.lifts);
});

test('who is held out is whom the rule `bucket` says', async () => {
  const models = brandShape.shape.models.parse({
    holdouts: [{ campaign: 'late', salt: 'late', of: 4, below: 1, from: '2026-07-26', to: '2026-07-29' }],
  });
  const shop = await aShop({ models, rules: [{ tag: 'held', when: 'bucket("late", 4) < 1' }] });
  const { version } = await shop.learn('holdouts');
  const members = shop.world.rows.rows().filter(({ pk }) => pk.startsWith('T#held#'));
  expect(members.length).toBeGreaterThan(5);
  expect(version.result?.lifts?.[0]?.heldOut.people).toBe(members.length);
  expect(version.result?.lifts?.[0]?.reached.people).toBe(63 - members.length);
});
