// Scope: the digest tells what is so, not when we learned it.
import { expect, test } from 'vitest';
import { describeTable, digestTable } from '../../lib/profile/digest.ts';
import { apiKeyItem } from '../../lib/query/auth.ts';
import { anOrder, aVisit, day } from './a-profile.ts';
import { aWorld, type World } from './a-world.ts';

const PHONE = 'phone:+8613800138000';
const story = () => [
  anOrder(0, 'o1', 100, { id: 'order', ids: ['member_id:m1'] }),
  aVisit(1, { id: 'visit', ids: [PHONE] }),
  aVisit(2, { id: 'meeting', ids: ['member_id:m1', PHONE] }),
];

async function told(change: (world: World) => Promise<unknown> = async () => {}, events = story()) {
  const world = aWorld();
  await world.takeEach(...events);
  await world.attribute();
  await change(world);
  return { world, digest: await world.digest() };
}

test('what depends on when we learned it does not change it', async () => {
  const { digest } = await told();
  const later = story().map((event) => ({ ...event, receivedAt: day(50) }));
  expect((await told(undefined, later)).digest, 'received later').toBe(digest);
  expect((await told(undefined, story().reverse())).digest, 'in another order').toBe(digest);
  const again = await told((world) => world.takeEach(...story()));
  expect(again.digest, 'delivered again').toBe(digest);
  const key = await told((world) =>
    world.rows.put(apiKeyItem('a key of twenty letters', { role: 'admin', name: 'Li' })),
  );
  expect(key.digest, 'with an API key').toBe(digest);
  const gone = await told(async (world) => {
    for (const row of world.rows.rows()) if (row.gone === true) await world.rows.remove(row);
  });
  expect(gone.digest, 'without the marks of what is gone').toBe(digest);
  const ticked = (times: number) =>
    told(async (world) => {
      for (let i = 0; i < times; i++) await world.tick();
    });
  expect((await ticked(3)).digest, 'after the clock looked again').toBe((await ticked(1)).digest);
});

test.each([
  [
    'an amount',
    (it: ReturnType<typeof story>) => [
      anOrder(0, 'o1', 101, { id: 'order', ids: ['member_id:m1'] }),
      ...it.slice(1),
    ],
  ],
  [
    'a time',
    (it: ReturnType<typeof story>) => [
      ...it.slice(0, 1),
      { ...it[1]!, occurredAt: day(1.001) },
      ...it.slice(2),
    ],
  ],
  ['who it was', (it: ReturnType<typeof story>) => it.slice(0, 2)],
  ['one event more', (it: ReturnType<typeof story>) => [...it, aVisit(3, { id: 'more' })]],
  [
    'what it is called',
    (it: ReturnType<typeof story>) => [...it.slice(0, 1), { ...it[1]!, type: 'page_left' }, ...it.slice(2)],
  ],
  [
    'where it came from',
    (it: ReturnType<typeof story>) => [
      ...it.slice(0, 1),
      { ...it[1]!, source: { channel: 'app', account: 'x' } },
      ...it.slice(2),
    ],
  ],
])('%s changes it', async (_what, change) => {
  const { digest } = await told();
  expect((await told(undefined, change(story()))).digest).not.toBe(digest);
});

test('a derived row that is missing, wrong or too many changes it', async () => {
  const { digest } = await told();
  for (const prefix of ['T#', 'A#', 'V#', 'I#']) {
    const missing = await told(async (world) => {
      const [row] = world.rowsOf(prefix);
      if (row) await world.rows.remove(row);
    });
    expect(missing.digest, `${prefix} missing`).not.toBe(digest);
  }
  const wrong = await told(async (world) => {
    const [row] = world.rowsOf('A#');
    if (row) await world.rows.put({ ...row, orders: 9 });
  });
  expect(wrong.digest).not.toBe(digest);
  const many = await told(async (world) => {
    const [row] = world.rowsOf('T#');
    if (row) await world.rows.put({ ...row, sk: 'somebodyelse----' });
  });
  expect(many.digest).not.toBe(digest);
});

test('it counts profiles and events, and says when a join is not ended', async () => {
  const { world } = await told(undefined, story().slice(0, 2));
  expect(await digestTable(world.rows.rows())).toMatchObject({ profiles: 2, events: 2, unfinished: 0 });
  const [a, b] = [await world.cluster('member_id:m1'), await world.cluster(PHONE)];
  await world.profiles.freeze(b, a.id, day(3));
  expect(await digestTable(world.rows.rows())).toMatchObject({ unfinished: 1 });
});

test('what it is taken of can be read, a fact a line, without the ids that chance gave', async () => {
  const { world } = await told();
  const { lines } = await describeTable(world.rows.rows());
  expect(lines).toEqual([...lines].sort());
  expect(lines.filter((line) => line.startsWith('["profile"'))).toHaveLength(1);
  const facts = lines.filter((line) => !line.startsWith('["I#')); // there it is a look-up digest
  expect(facts.join('\n')).not.toContain((await world.cluster('member_id:m1')).id);
});
