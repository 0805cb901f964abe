// Scope: all profiles brought to new rules: told how far it is, the same in however many parts, never two rules mixed.
import { describe, expect, test, vi } from 'vitest';
import { toIso } from '../../lib/platform/clock.ts';
import type { Table } from '../../lib/platform/table.ts';
import { profileStore } from '../../lib/profile/store.ts';
import { beginBackfill, pace } from '../../lib/tags/backfill.ts';
import { answerBackfill } from '../../lib/tags/backfill-told.ts';
import { aBrand, active, anOrder, aVisit, buyer, day, dice, stage } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aSurveyor } from './a-survey.ts';
import { onRecompute } from './on-parts.ts';

const PEOPLE = 40;
const later = 10_000; // the queue delivers later than rules are kept in use

const brand = aBrand({ rules: [buyer, active, stage] });

async function aCrowd(through?: (rows: Table) => Table) {
  const world = aWorld({ brand, ...(through && { through }) });
  world.setClock(day(20));
  const roll = dice(5);
  for (let i = 0; i < PEOPLE; i++) {
    const ids = [`member_id:m${i}`];
    await world.take(
      ...Array.from({ length: 1 + roll(4) }, (_, n) =>
        roll(2) === 0 ? anOrder(roll(20), `o${i}-${n}`, 100, { ids }) : aVisit(roll(20), { ids }),
      ),
    );
  }
  await world.tick();
  await world.recomputeAll();
  const begun = world.recompute.bodies.length;
  const messages = () => world.recompute.bodies.slice(begun);
  const surveyor = await aSurveyor(world);
  await surveyor.work();
  const put = async (tag: string, body: string) => {
    const { status, said } = await surveyor.send('PUT', `/rules/${tag}`, body, 'admin');
    expect(status).toBe(200);
    world.setClock(toIso(world.clock() + later));
    return said;
  };
  return { world, put, messages, ...surveyor };
}

/** Pages of few rows, as if each were large. */
const smallPages = (rows: Table): Table => ({
  ...rows,
  async scan(part, of, after) {
    const { items } = await rows.scan(part, of, after);
    const page = items.slice(0, 3);
    const last = page.at(-1);
    return { items: page, ...(last && page.length < items.length && { next: `${last.pk}\n${last.sk}` }) };
  },
});

const longer = 'events("page_viewed").within("15d").any()';

test('it says how far it is, who asked, and what it changed', async () => {
  const { world, put, ask, work, messages } = await aCrowd();
  const before = new Set(world.members('active'));
  const { rule, backfill } = await put('active', longer);
  expect(await ask(backfill)).toMatchObject({
    ...{ status: 'running', by: 'admin', tag: 'active', version: rule.version, perSecond: 1_000 },
    ...{ parts: { done: 0, of: 4 }, profiles: { looked: 0, changed: 0 } },
  });
  const [first = ''] = messages();
  expect(await onRecompute([{ id: 'm', body: first }], world.worker)).toEqual([]);
  expect(await ask('/backfill')).toMatchObject({ status: 'running', parts: { done: 1 } });
  await work();
  const entered = world.members('active').filter((it) => !before.has(it)).length;
  expect(entered).toBeGreaterThan(0);
  expect(await ask('/backfill')).toMatchObject({
    ...{ status: 'done', parts: { done: 4, of: 4 } },
    profiles: { looked: PEOPLE, changed: entered },
  });
});

test('a deployment that changes the file is told of too; before anything there is none', async () => {
  const world = aWorld({ brand: aBrand({ rules: [buyer] }) });
  const { ask, askInVain } = await aSurveyor(world);
  expect(await askInVain('/backfill')).toMatchObject({ status: 404 });
  await world.take(aVisit(0));
  await world.tick();
  expect(await ask('/backfill')).toMatchObject({ by: 'deployment', status: 'running' });
});

test('one part, 7 or 64, each once or again, whole or in pages: the same profiles, and the same progress', async () => {
  const crowd = await aCrowd();
  const results = [];
  for (const [of, times, through] of [
    [1, 1, undefined],
    [7, 2, smallPages],
    [64, 1, smallPages],
  ] as const) {
    const world = aWorld({ brand, rows: crowd.world.rows.copy(), ...(through && { through }) });
    world.setClock(toIso(crowd.world.clock()));
    const { work } = await aSurveyor(world);
    await world.putRule({ tag: 'active', when: longer });
    world.setClock(toIso(world.clock() + later));
    const { book } = await world.worker.rules();
    const deps = { ...world.worker, table: world.rows, brand };
    const id = await beginBackfill({ book: book.digest, by: 'Li' }, deps, of);
    await work(times);
    const { status, profiles } = await answerBackfill(id, deps);
    const held = world.rowsOf('T#').map(({ sk, value, rule, since }) => [sk, value, rule, since]);
    // What was changed before a part came again, cut in other places, may not be counted.
    const changed = times === 1 ? profiles?.changed : undefined;
    results.push({
      status,
      looked: profiles?.looked,
      changed,
      held: held.sort(),
      digest: await world.digest(),
    });
  }
  const [one, seven, all] = results;
  expect(one).toMatchObject({ status: 'done', looked: PEOPLE });
  expect(seven).toEqual({ ...one, changed: undefined });
  expect(all).toEqual(one);
});

test('who crashes midway is followed by somebody who ends it', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  let crashes = 0;
  const { world, put, ask, messages } = await aCrowd((rows) => ({
    ...smallPages(rows),
    async put(item, guard) {
      if (item.pk.startsWith('N#survey#') && item.sk !== '@' && crashes-- > 0) throw new Error('crash');
      await rows.put(item, guard);
    },
  }));
  const { backfill } = await put('buyer', 'events("order_paid").count() >= 2');
  const bodies = [...messages()];
  crashes = 3;
  for (let i = 0; i < 200 && bodies.length > 0; i++) {
    const body = bodies.shift() ?? '';
    const sent = world.recompute.bodies.length;
    if ((await onRecompute([{ id: 'm', body }], world.worker)).length > 0) bodies.push(body);
    bodies.push(...world.recompute.bodies.slice(sent));
  }
  expect(crashes).toBeLessThanOrEqual(0);
  expect(await ask(backfill)).toMatchObject({ status: 'done', profiles: { looked: PEOPLE } });
  expect(new Set(world.rowsOf('T#buyer#').map(({ rule }) => rule))).toEqual(new Set([2]));
});

test('midway every value is that of the rule whose version it carries', async () => {
  const { world, put } = await aCrowd(smallPages);
  const visits = async (id: string) => {
    const cluster = await world.profiles.get(id);
    if (!cluster || 'joined' in cluster) throw new Error('nobody');
    const { length } = (await world.profiles.events(cluster)).filter(({ type }) => type === 'page_viewed');
    return length;
  };
  await put('visitor', 'events("page_viewed").count() >= 1');
  await world.recomputeAll();
  const from = world.recompute.bodies.length;
  await put('visitor', 'events("page_viewed").count() >= 2');
  const versions = new Set<number>();
  for (let i = from; i < world.recompute.bodies.length; i++) {
    await onRecompute([{ id: 'm', body: world.recompute.bodies[i] ?? '' }], world.worker);
    for (const { sk, rule } of world.rowsOf('T#visitor#')) {
      versions.add(Number(rule));
      expect(await visits(sk)).toBeGreaterThanOrEqual(Number(rule));
    }
  }
  expect([...versions].sort()).toEqual([1, 2]);
  expect(world.rowsOf('T#visitor#').every(({ rule }) => rule === 2)).toBe(true);
});

test('a back-fill that is still under way when the next rule comes leaves nobody with the older one', async () => {
  const { world, put, work } = await aCrowd();
  await world.putRule({ tag: 'active', when: longer });
  world.setClock(toIso(world.clock() + later));
  let isPut = false;
  const { worker } = world;
  const table: Table = {
    ...smallPages(world.rows),
    async scan(part, of, after) {
      const page = await smallPages(world.rows).scan(part, of, after);
      if (!isPut && page.items.some(({ pk }) => pk.startsWith('P#'))) {
        isPut = true;
        await put('active', 'events("page_viewed").count() >= 100');
        await work(); // the newer one is done before the older goes on
      }
      return page;
    },
  };
  for (
    let body: string | undefined = JSON.stringify({ book: 'b', segment: 0, of: 1 });
    body !== undefined;
  ) {
    const next: string[] = [];
    const recompute = { send: async (bodies: readonly string[]) => void next.push(...bodies) };
    const deps = { ...worker, table, profiles: profileStore(table), recompute };
    expect(await onRecompute([{ id: 'm', body }], deps)).toEqual([]);
    body = next[0];
  }
  expect(isPut).toBe(true);
  expect(world.members('active')).toEqual([]);
});

describe('rolling back', () => {
  test('puts what a version said in force as a new version, and everybody is brought to it', async () => {
    const { world, put, send, work, ask } = await aCrowd();
    const before = world.members('active');
    await put('active', longer);
    await work();
    expect(world.members('active')).not.toEqual(before);
    const { status, said } = await send('POST', '/rules/active/rollback', '{"version":1}', 'admin');
    expect([status, said.rule]).toEqual([200, { ...active, version: 3 }]);
    world.setClock(toIso(world.clock() + later));
    await work();
    expect(world.members('active').sort()).toEqual(before.sort());
    expect(await ask(said.backfill)).toMatchObject({ status: 'done', version: 3 });
    const { said: rule } = await send('GET', '/rules/active', '', 'analyst');
    expect(rule.versions.map((it: { version: number; when: string }) => [it.version, it.when])).toEqual([
      [3, active.when],
      [2, longer],
      [1, active.when],
    ]);
  });

  test('is refused without a version, to one that never was, and to whoever may not put rules', async () => {
    const { send, messages } = await aCrowd();
    const back = async (body: string, as: 'admin' | 'operator' = 'admin') =>
      (await send('POST', '/rules/active/rollback', body, as)).status;
    expect(await Promise.all([back('{"version":9}'), back(''), back('{"version":"1"}')])).toEqual([
      404, 400, 400,
    ]);
    expect(await back('{"version":1}', 'operator')).toBe(403);
    expect(messages()).toEqual([]);
  });
});

test('every rule that is put stands in the audit log before it is in force', async () => {
  const { world, put } = await aCrowd();
  await put('active', longer);
  const [entry] = world.rowsOf('U#audit#').map(({ e }) => JSON.parse(String(e)));
  expect(entry).toMatchObject({ what: 'rule_put', who: 'admin', details: { tag: 'active', version: 2 } });
});

test('the pace: the first second is free, then whoever is early waits', async () => {
  let now = 0;
  const waits: number[] = [];
  const wait = pace(
    50,
    () => now,
    async (ms) => {
      waits.push(ms);
      now += ms;
    },
  );
  for (let i = 0; i < 5; i++) await wait(25);
  expect(waits).toEqual([500, 500, 500, 500]);
  now += 10_000;
  await wait(25);
  expect(waits).toHaveLength(4);
});
