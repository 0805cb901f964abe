// Scope: how much one key may have under way, and what the next one is told.
import { expect, test } from 'vitest';
import { toIso } from '../../lib/platform/clock.ts';
import { authorize } from '../../lib/query/auth.ts';
import { rulesApi } from '../../lib/tags/rules-api.ts';
import { aBrand, active, aVisit, buyer } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { keyOf } from '../query/a-caller.ts';
import { aSurveyor } from './a-survey.ts';

const draft = 'events("page_viewed").within("12d").any()';

async function aBusyKey() {
  const world = aWorld({ brand: aBrand({ rules: [buyer, active] }) });
  await world.take(aVisit(0));
  const surveyor = await aSurveyor(world);
  const ask = async (as: 'operator' | 'admin' = 'operator') => {
    world.setClock(toIso(world.clock() + 1));
    return surveyor.send('POST', '/rules/active/forecast', draft, as);
  };
  for (let i = 0; i < 3; i++) expect((await ask()).status).toBe(202);
  return { world, ...surveyor, ask };
}

test('the fourth is told in words to wait, and nothing is asked for', async () => {
  const { world, ask, send } = await aBusyKey();
  const sent = world.recompute.bodies.length;
  const { status, said } = await ask();
  expect([status, said.error.reason]).toEqual([429, 'too_many_surveys']);
  expect(said.error.message).toContain('wait until one is done');
  expect((await send('POST', '/rfm', '', 'operator')).status).toBe(429);
  expect((await send('POST', '/effect', '', 'operator')).status).toBe(429);
  expect(world.recompute.bodies).toHaveLength(sent);
});

test('another key, and the same once one is done, or an hour old, may ask', async () => {
  const { world, ask, work } = await aBusyKey();
  expect((await ask('admin')).status).toBe(202);
  await work();
  expect((await ask()).status).toBe(202);
  for (let i = 0; i < 2; i++) expect((await ask()).status).toBe(202);
  expect((await ask()).status).toBe(429);
  world.setClock(toIso(world.clock() + 3_600_000));
  expect((await ask()).status).toBe(202);
});

test('whoever is told to wait is told how long', async () => {
  const { world } = await aBusyKey();
  const { rows: table, brand, recompute, clock: now, worker, profiles, protector } = world;
  const stores = { table, profiles, rules: worker.store, protector: async () => protector };
  const deps = { ...stores, ...{ brand, recompute, now, authorize } };
  world.setClock(toIso(world.clock() + 1));
  const request = {
    ...{ method: 'POST', path: '/rules/active/forecast', params: { tag: 'active' }, query: {}, rawQuery: '' },
    headers: { authorization: `Bearer ${keyOf('operator')}` },
    body: Buffer.from(draft),
  };
  expect(await rulesApi(request, deps)).toMatchObject({ status: 429, headers: { 'retry-after': '30' } });
});

test('two who ask at once with one key cannot both be the last', async () => {
  const { send, work } = await aBusyKey();
  await work();
  const path = (days: number) => `/rules/active/forecast?days=${days}`;
  const replies = await Promise.all(
    [1, 2, 3, 4, 5].map((days) => send('POST', path(days), draft, 'operator')),
  );
  expect(replies.map(({ status }) => status).sort()).toEqual([202, 202, 202, 429, 429]);
});
