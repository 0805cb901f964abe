// Scope: whoever looks at everybody leaves out who is restricted: drafts, comparisons, RFM, the population's cuts, paths.
import { expect, test } from 'vitest';
import { restrictionEvent } from '../../lib/privacy/restriction.ts';
import { readHistory } from '../../lib/profile/history.ts';
import { aBrand, anId, anOrder, aVisit, buyer, day } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aSurveyor } from '../tags/a-survey.ts';

const PEOPLE = 6;

async function aShop() {
  const world = aWorld({ brand: aBrand({ rules: [buyer], privacy: { k: 1 } }) });
  world.setClock(day(20));
  for (let i = 0; i < PEOPLE; i++) {
    const ids = [`member_id:m${i}`];
    await world.take(aVisit(1, { ids }), anOrder(12, `o${i}`, 100 + i, { ids }));
  }
  await world.take(restrictionEvent(anId('member_id:m0'), true, day(15)));
  await world.tick();
  return { world, ...(await aSurveyor(world)) };
}

test('a forecast counts everybody else', async () => {
  const { forecast } = await (await aShop()).forecast('buyer', 'events("page_viewed").any()');
  expect(forecast).toMatchObject({ profiles: 5, before: { members: 5 }, after: { members: 5 } });
});

test('so does a comparison of holders and others', async () => {
  const { post, work, ask } = await aShop();
  const { result } = await post('/tags/buyer/effect?from=2026-05-11&to=2026-05-14', '');
  await work();
  const { effect } = await ask(result);
  expect([effect.holders.profiles, effect.others.profiles]).toEqual(['<1', 5]);
});

test('so do RFM and the population’s cuts', async () => {
  const { post, send, work, ask } = await aShop();
  const { result } = await post('/rfm', '');
  await work();
  expect((await ask(result)).result.customers).toHaveLength(5);
  await send('POST', '/rfm/quintiles', '', 'admin');
  await work();
  const { quintiles } = (await send('GET', '/rfm/quintiles', '', 'operator')).said;
  expect(quintiles.customers).toBe(5);
});

test('who counts paths is told who is restricted, and since when', async () => {
  const { world } = await aShop();
  const restricted = async (id: string) => {
    const history = await readHistory(world.profiles, (await world.cluster(id)).id);
    return history?.people.map((it) => it.restricted);
  };
  expect(await restricted('member_id:m0')).toEqual([day(15)]);
  expect(await restricted('member_id:m1')).toEqual([undefined]);
});
