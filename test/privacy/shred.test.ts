import { beforeAll, expect, test, vi } from 'vitest';
import type { Event, Identifier } from '../../lib/events/event.ts';
import { directory } from '../../lib/identity/directory.ts';
import { toIso } from '../../lib/platform/clock.ts';
import { keyring } from '../../lib/platform/keyring.ts';
import { keys } from '../../lib/platform/keys.ts';
import { sealedTable } from '../../lib/platform/sealed.ts';
import { shredder } from '../../lib/platform/shredder.ts';
import type { Table } from '../../lib/platform/table.ts';
import { endErasures, onErasures } from '../../lib/privacy/carry-out.ts';
import { type PrivacyRequest, SETTLING_MS } from '../../lib/privacy/request.ts';
import { requestStore } from '../../lib/privacy/request-store.ts';
import { describeTable } from '../../lib/profile/digest.ts';
import { profileStore } from '../../lib/profile/store.ts';
import type { AllNames } from '../laws/erasures.ts';
import { anEventOf } from '../laws/oracle/an-event.ts';
import { NOW } from '../laws/oracle/histories.ts';
import { functionsOf, sharedOf, TICK } from '../laws/wiring.ts';
import type { Fault } from '../laws/world/faults.ts';
import { singles } from '../laws/world/schedules.ts';
import { World, type WorldFunction } from '../laws/world/world.ts';
import { counted } from '../platform/counted.ts';
import { type MemoryTable, memoryTable } from '../platform/memory.ts';

// A copy of the whole table, taken at any moment before an erasure, is what a backup is. The keys lie in the same table here,
// so that every read and write of them is a point at which a run may crash; a backup is the table without them.

const shared = sharedOf('Asia/Shanghai');
const ago = (days: number) => toIso(NOW - days * 86_400_000);
const SEEDS = keys.seeds('').pk;

const visit = (ids: string[], days: number, page = 'p'): Event =>
  anEventOf(ids, ago(days), { type: 'page_viewed', properties: { url: `https://shop.example/${page}` } });
const order = (ids: string[], days: number, id: string): Event =>
  anEventOf(ids, ago(days), {
    type: 'order_paid',
    properties: { order_id: id, paid_amount: 9_999, currency: 'CNY' },
  });
const own = Array.from({ length: 22 }, (_, i) => visit(['member_id:li', 'phone:1'], 40 - i));
const apart = [visit(['device_id:tablet'], 50, 'alone'), order(['phone:2'], 45, 'before')];
const joining = [visit(['device_id:tablet', 'member_id:li'], 9), visit(['phone:2', 'member_id:li'], 8)];
const others = [order(['member_id:wang'], 4, 'wangs'), visit(['member_id:wang', 'device_id:d'], 3)];
const li: Identifier = { kind: 'member_id', scope: 'x', value: 'li' };

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {}); // what fails by plan is logged
});

const dice = counted();
const sealedOver = (table: Table): Table => sealedTable(table, keyring(table, dice), dice);

const erasures: WorldFunction<AllNames> = ({ table: bare, queues, now }) => {
  const table = sealedOver(bare);
  const deps = {
    ...{ table, protector: shared.protector, directory: directory(table, shared.protector) },
    ...{ profiles: profileStore(table), conversions: queues.conversions, shredder: shredder(bare) },
    ...{ rules: async () => shared.rules, done: new Map<string, number>(), now },
  };
  return async (messages) => {
    const asked = messages.filter(({ body }) => body !== TICK);
    if (asked.length < messages.length) await endErasures(deps);
    return onErasures(asked, deps);
  };
};
const plain = functionsOf(shared);
const over =
  (it: WorldFunction<AllNames>): WorldFunction<AllNames> =>
  (io) =>
    it({ ...io, table: sealedOver(io.table) });
const functions = {
  ...{ events: over(plain.events), conversions: over(plain.conversions) },
  ...{ recompute: over(plain.recompute), tick: over(plain.tick), erasures },
};

const aRequest = (id: string, of: Identifier): PrivacyRequest => ({
  ...{ id, right: 'erase', status: 'received', reason: 'a test asks', subject: 'subject', of },
  ...{ asked: { name: 'Li', key: 'key', at: toIso(NOW) }, dueAt: toIso(NOW + 15 * 86_400_000) },
});

async function worldWith(
  steps: readonly (readonly Event[])[],
  table = memoryTable(),
  plan: readonly Fault[] = [],
) {
  const world = new World<AllNames>({ functions, plan, now: NOW + 1, table });
  for (const events of steps) {
    await world.send('events', JSON.stringify({ events, faults: [] }));
    await world.run();
  }
  return world;
}

async function erased(world: World<AllNames>, id = 'request', who = li): Promise<PrivacyRequest> {
  await requestStore(world.table).put(aRequest(id, who), 0);
  await world.send('erasures', JSON.stringify({ request: id }));
  await world.run();
  world.now += SETTLING_MS;
  for (let tick = 0; tick < 3; tick++) {
    await world.send('erasures', TICK);
    await world.run();
  }
  return (await requestStore(world.table).get(id)).it;
}

/** A backup and whatever keys are left: the rows that can be read. */
async function restored(backup: MemoryTable, keysNow: MemoryTable) {
  const table = memoryTable();
  for (const row of backup.rows()) if (!row.pk.startsWith(SEEDS)) await table.put(row);
  for (const row of keysNow.rows()) if (row.pk.startsWith(SEEDS)) await table.put(row);
  const { items } = await sealedOver(table).scan(0, 1);
  return items.filter(({ pk }) => !pk.startsWith(SEEDS));
}
const clusterIn = (rows: Awaited<ReturnType<typeof restored>>, id: Identifier) => {
  const { kind, scope } = id;
  const { pk } = keys.identifier(kind, scope, shared.protector.digest(shared.protector.protect(id)));
  return rows.find((row) => row.pk === pk)?.cluster;
};
const member = (value: string): Identifier => ({ ...li, value });

test('a backup from before an erasure tells nothing of the person afterwards, and everything of everybody else', async () => {
  const world = await worldWith([own, others]);
  const backup = world.table.copy();
  const before = await describeTable(await restored(backup, world.table));
  expect(before.profiles).toBe(2);
  expect(clusterIn(await restored(backup, world.table), li)).toBeDefined();

  const { receipt } = await erased(world);
  expect(receipt?.shredded).toEqual({ clusters: 1, identifiers: 2 });
  const rows = await restored(backup, world.table);
  expect(clusterIn(rows, li), 'nothing leads from an identifier to what was').toBeUndefined();
  const after = await describeTable(rows);
  expect(after.profiles).toBe(1);
  expect(after.lines.filter((line) => line.startsWith('["profile"'))).toEqual(
    before.lines.filter((line) => line.startsWith('["profile"') && line.includes('wang')),
  );
  const bodies = rows.filter(({ pk, sk }) => pk.startsWith('P#') && sk !== '@');
  expect(new Set(bodies.map(({ pk }) => pk))).toEqual(new Set([`P#${clusterIn(rows, member('wang'))}`]));
});

test('what the person was before they were joined is shredded as well, through every cluster that took in another', async () => {
  const world = await worldWith([apart.slice(0, 1), apart.slice(1), own, others]);
  const early = world.table.copy();
  expect((await describeTable(await restored(early, world.table))).profiles).toBe(4);
  await world.send('events', JSON.stringify({ events: joining, faults: [] }));
  await world.run();
  const { receipt } = await erased(world);
  expect(receipt?.shredded?.clusters).toBe(3);
  const after = await describeTable(await restored(early, world.table));
  expect(after.profiles).toBe(1);
  expect(after.lines.join('\n')).not.toMatch(/alone|before/);
});

test('without an erasure a backup is read whole; the bytes alone tell nothing of anybody', async () => {
  const world = await worldWith([own, others]);
  const backup = world.table.copy();
  await worldWith([joining], world.table);
  expect((await describeTable(await restored(backup, world.table))).profiles).toBe(2);
  const bare = backup.rows().filter(({ pk }) => !pk.startsWith(SEEDS));
  const text = JSON.stringify(
    bare.map((row) => Object.values(row).map((it) => (it instanceof Uint8Array ? 0 : it))),
  );
  expect(text).not.toContain('shop.example');
  await expect(describeTable(bare)).rejects.toThrow('stored in form');
});

test('whoever comes back is found, and can be erased again', async () => {
  const world = await worldWith([own, others]);
  await erased(world);
  world.now += 86_400_000;
  const back = { ...visit(['member_id:li', 'phone:1'], -1, 'again'), receivedAt: toIso(world.now) };
  const after = await worldWith([[back]], world.table);
  const backup = after.table.copy();
  expect((await describeTable(await restored(backup, after.table))).profiles).toBe(2);
  after.now = world.now + 86_400_000;
  const { receipt } = await erased(after, 'second');
  expect(receipt?.shredded).toEqual({ clusters: 2, identifiers: 2 }); // and once more the one that was closed before
  const rows = await restored(backup, after.table);
  expect((await describeTable(rows)).profiles).toBe(1);
  expect(clusterIn(rows, li)).toBeUndefined();
});

test('a crash at every read and write of an erasure shreds the same in the end, and nothing before the person is gone', {
  timeout: 120_000,
}, async () => {
  const { table } = await worldWith([own, others]);
  const calm = await worldWith([], table.copy());
  const { receipt } = await erased(calm);
  const facts = (await describeTable((await sealedOver(calm.table).scan(0, 1)).items)).lines;
  const seeds = (it: MemoryTable) => it.rows().filter(({ pk }) => pk.startsWith(SEEDS)).length;
  for (const plan of singles(calm.points)) {
    const how = plan.map(({ at, kind }) => `${at}:${kind}`).join(',');
    const world = await worldWith([], table.copy(), plan);
    const ended = await erased(world);
    expect(ended.status, `${how}\n${world.story}`).toBe('done');
    expect(ended.receipt?.shredded, how).toEqual(receipt?.shredded);
    expect(seeds(world.table), how).toBe(seeds(calm.table));
    expect((await describeTable((await sealedOver(world.table).scan(0, 1)).items)).lines, how).toEqual(facts);
    expect(clusterIn(await restored(table, world.table), li), how).toBeUndefined();
    expect((await describeTable(await restored(table, world.table))).profiles, how).toBe(1);
  }
});
