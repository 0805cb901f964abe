// Scope: of two who had one phone one asks to be erased, to the end, keys and all: the phone still leads to the other.
import { expect, test, vi } from 'vitest';
import type { Event, Identifier } from '../../lib/events/event.ts';
import { directory } from '../../lib/identity/directory.ts';
import { partition } from '../../lib/identity/graph.ts';
import { toIso } from '../../lib/platform/clock.ts';
import { keyring } from '../../lib/platform/keyring.ts';
import { sealedTable } from '../../lib/platform/sealed.ts';
import { shredder } from '../../lib/platform/shredder.ts';
import type { Table } from '../../lib/platform/table.ts';
import { endErasures, onErasures } from '../../lib/privacy/carry-out.ts';
import { SETTLING_MS } from '../../lib/privacy/request.ts';
import { requestStore } from '../../lib/privacy/request-store.ts';
import { split } from '../../lib/profile/cluster.ts';
import { readCluster } from '../../lib/profile/read.ts';
import { profileStore } from '../../lib/profile/store.ts';
import type { AllNames } from '../laws/erasures.ts';
import { anEventOf } from '../laws/oracle/an-event.ts';
import { NOW } from '../laws/oracle/histories.ts';
import { functionsOf, sharedOf, TICK } from '../laws/wiring.ts';
import { World, type WorldFunction } from '../laws/world/world.ts';
import { counted } from '../platform/counted.ts';

vi.spyOn(console, 'error').mockImplementation(() => {});

const shared = sharedOf('Asia/Shanghai');
const dice = counted();
const ago = (days: number) => toIso(NOW - days * 86_400_000);
const visit = (ids: string[], days: number): Event =>
  anEventOf(ids, ago(days), { type: 'page_viewed', properties: { url: 'https://shop.example/p' } });
const sealed = (table: Table): Table => sealedTable(table, keyring(table, dice), dice);
const depsOver = (table: Table) => ({
  ...{
    table: sealed(table),
    protector: shared.protector,
    directory: directory(sealed(table), shared.protector),
  },
  profiles: profileStore(sealed(table)),
});

const erasures: WorldFunction<AllNames> = ({ table, queues, now }) => {
  const deps = {
    ...depsOver(table),
    ...{ conversions: queues.conversions, shredder: shredder(table), rules: async () => shared.rules },
    ...{ done: new Map<string, number>(), now },
  };
  return async (messages) => {
    const asked = messages.filter(({ body }) => body !== TICK);
    if (asked.length < messages.length) await endErasures(deps);
    return onErasures(asked, deps);
  };
};
const over =
  (it: WorldFunction<AllNames>): WorldFunction<AllNames> =>
  (io) =>
    it({ ...io, table: sealed(io.table) });
const { events, conversions, recompute, tick } = functionsOf(shared);
const functions = {
  ...{ events: over(events), conversions: over(conversions) },
  ...{ recompute: over(recompute), tick: over(tick), erasures },
};

const send = async (world: World<AllNames>, ...list: readonly Event[]) => {
  await world.send('events', JSON.stringify({ events: list, faults: [] }));
  await world.run();
};

/** How many events whoever has an identifier today has, and which kinds of identifiers. */
async function holder(world: World<AllNames>, id: Identifier) {
  const { directory: places, profiles } = depsOver(world.table);
  const place = await places.find(shared.protector.protect(id));
  const cluster = place && (await readCluster(profiles, place.cluster));
  if (!cluster) return undefined;
  const division = partition(cluster.graph);
  const { kind, scope, value } = shared.protector.protect(id);
  const member = division.memberAt(`${kind}\n${scope}\n${value}`);
  if (member === undefined) return undefined;
  const own = split(await profiles.events(cluster), division)[member] ?? [];
  return { events: own.length, kinds: division.members[member]?.names.map((name) => name.split('\n')[0]) };
}

const id = (kind: string, value: string): Identifier => ({ kind, scope: 'x', value });

test.each([
  ['who had it first', id('member_id', 'li'), { events: 3, kinds: ['member_id', 'phone'] }],
  ['who has it since', id('phone', '1'), undefined],
])('%s is erased, and the phone leads to whom it should', async (_, who, left) => {
  const world = new World<AllNames>({ functions, now: NOW + 1 });
  await send(world, visit(['member_id:li', 'phone:1'], 40), visit(['phone:1'], 39));
  await send(world, anEventOf(['phone:1'], ago(30), { type: 'identifier_released' }));
  await send(world, visit(['member_id:wang', 'phone:1'], 20), visit(['phone:1'], 19));
  await requestStore(world.table).put(
    {
      of: shared.protector.protect(who),
      ...{ id: 'request', right: 'erase', status: 'received', reason: 'a test asks', subject: 's' },
      ...{ asked: { name: 'Li', key: 'key', at: toIso(NOW) }, dueAt: toIso(NOW + 15 * 86_400_000) },
    },
    0,
  );
  await world.send('erasures', JSON.stringify({ request: 'request' }));
  await world.run();
  world.now += SETTLING_MS;
  for (const body of [TICK, TICK]) {
    await world.send('erasures', body);
    await world.run();
  }
  expect((await requestStore(world.table).get('request')).it.receipt).toMatchObject({ residual: 0 });
  await send(world, visit(['phone:1'], 38), visit(['phone:1'], 18)); // late, of each owner's time
  expect(await holder(world, id('phone', '1'))).toEqual(left);
  const other = who.kind === 'phone' ? id('member_id', 'li') : id('member_id', 'wang');
  expect(await holder(world, other)).toMatchObject({ events: 3 });
});
