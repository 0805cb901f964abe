// Scope: access and correction over the API: what is kept and why, and what is put right with proof.
import { expect, test } from 'vitest';
import { CORRECTED } from '../../lib/consent/said.ts';
import { toIso } from '../../lib/platform/clock.ts';
import { keptWords, placeWords, purposeWords } from '../../lib/privacy/access-words.ts';
import { purposes } from '../../lib/privacy/classes.ts';
import { queueClasses, rowClasses } from '../../lib/privacy/data-map-rows.ts';
import { withdrawn } from '../consent/a-consent.ts';
import { memoryQueue } from '../platform/memory.ts';
import { aBrand, anEvent, anOrder, aVisit } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aCaller } from '../query/a-caller.ts';

const PHONE = '+8613800138000';
const RIGHT = '+8613900139000';
const LI = ['member_id:li', `phone:${PHONE}`];

async function aShop() {
  const world = aWorld({
    brand: aBrand({
      rules: [
        { tag: 'local', when: 'trait("city") == "Hangzhou"' },
        { tag: 'buyer', when: 'events("order_paid").any()' },
      ],
    }),
  });
  await world.take(
    aVisit(1, { id: 'visit', ids: LI, traits: { city: 'Shanghai', skin_tone: 'fair' } }),
    anOrder(2, 'o1', 9_900, { id: 'order', ids: LI }),
  );
  const events = memoryQueue();
  const caller = await aCaller(world, { events, erasures: memoryQueue() });
  let delivered = 0;
  const settle = async () => {
    for (const body of events.bodies.slice(delivered)) expect(await world.deliver({ body })).toEqual([]);
    delivered = events.bodies.length;
    await world.attribute();
  };
  const ask = (body: object) =>
    caller.send('/privacy/requests', {
      ...{ as: 'privacy', method: 'POST', reason: null },
      body: { kind: 'phone', value: PHONE, reason: 'ticket 4711', ...body },
    });
  return { world, caller, ask, settle, events };
}

test('who asks for access is told what is kept, what for, from whom, who sees it and how long; in both languages', async () => {
  const { caller, ask } = await aShop();
  const { status, body } = await ask({ right: 'access' });
  expect([status, body.status]).toEqual([202, 'done']);
  const path = `/privacy/requests/${body.id}/access`;
  const told = await caller.ask(path, { as: 'privacy' });
  expect(told.identifiers).toContainEqual({ kind: 'phone', scope: 'e164', value: PHONE });
  expect(told.data).toContainEqual({
    ...{ family: 'property', name: 'paid_amount', class: 'internal', purpose: 'contract' },
    channels: ['generic'],
  });
  expect(told.unclassified).toEqual(['trait skin_tone']);
  expect(told.sources).toEqual([
    { channel: 'generic', account: 'shop', events: 2, from: expect.anything(), to: expect.anything() },
  ]);
  expect(told.purposes.map(({ purpose }: { purpose: string }) => purpose)).toContain('contract');
  const kept = told.retention.map(({ what }: { what: { en: string } }) => what.en);
  expect(kept).toContain(rowClasses.get('segment')?.what);
  expect(kept).not.toContain(rowClasses.get('apiKey')?.what);
  expect(told.conclusions).toMatchObject([{ tag: 'buyer', value: true, version: 1 }]);
  expect(JSON.stringify(told.recipients)).toContain('operator, admin, privacy');
  const page = await caller.send(`${path}/page`, { as: 'privacy' });
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
  for (const said of [PHONE, '谁能看到', 'Who may see it', 'paid_amount', '履行您的订单'])
    expect(page.body).toContain(said);
});

test('access is no archive, an archive no access; both end after seven days, and each look is logged', async () => {
  const { world, caller, ask } = await aShop();
  const [access, archive] = [
    (await ask({ right: 'access' })).body.id,
    (await ask({ right: 'export' })).body.id,
  ];
  expect((await caller.send(`/privacy/requests/${access}/archive`, { as: 'privacy' })).status).toBe(409);
  expect((await caller.send(`/privacy/requests/${archive}/access`, { as: 'privacy' })).status).toBe(409);
  expect((await caller.send(`/privacy/requests/${access}/access`, { as: 'admin' })).status).toBe(403);
  await caller.ask(`/privacy/requests/${access}/access`, { as: 'privacy' });
  const { entries } = await caller.ask('/audit', { as: 'privacy' });
  expect(entries.map(({ on }: { on: string }) => on)).toContain('GET /privacy/requests/{id}/access');
  world.setClock(toIso(world.clock() + 8 * 86_400_000));
  expect((await caller.send(`/privacy/requests/${access}/access`, { as: 'privacy' })).status).toBe(410);
});

test('a page says nothing as markup that a sender wrote', async () => {
  const { world, caller, ask } = await aShop();
  await world.take(anEvent('page_viewed', 3, { ids: LI, properties: { '<script>x': '<b>' } }));
  const { body } = await ask({ right: 'access' });
  const page = await caller.send(`/privacy/requests/${body.id}/access/page`, { as: 'privacy' });
  expect(page.body).not.toContain('<script>');
});

test('there are words for every purpose, and Chinese ones for every place that holds something of a person', () => {
  for (const it of purposes) expect(purposeWords[it].zh).toMatch(/[一-鿿]/);
  const held = [...rowClasses, ...queueClasses].filter(([, { holds }]) => holds.some((it) => it !== 'none'));
  for (const [name, { what }] of held)
    if (!/^(taken|seeds)$/.test(name)) expect(placeWords(name, what).zh, name).toMatch(/[一-鿿]/);
  expect(keptWords('30 days')).toEqual({ zh: '30 天', en: '30 days' });
  expect(keptWords('as long as the profile').zh).toMatch(/[一-鿿]/);
});

test('a trait is put right by an event that says who, why and on what proof, whatever the person allows', async () => {
  const { world, caller, ask, settle } = await aShop();
  await world.take(withdrawn(3, 'analytics', { ids: ['member_id:li'] }));
  const correct = { traits: { city: 'Hangzhou', skin_tone: null }, proof: 'identity card seen at the till' };
  const { status, body } = await ask({ right: 'rectify', correct });
  expect([status, body.status, body.corrected]).toEqual([202, 'received', ['city', 'skin_tone']]);
  await settle();
  expect(await world.traits('member_id:li')).toEqual({ city: 'Hangzhou', skin_tone: null });
  expect(await world.tags('member_id:li')).toMatchObject({ local: true });
  expect((await caller.ask(`/privacy/requests/${body.id}`, { as: 'privacy' })).status).toBe('done');
  const { events } = await caller.ask('/profiles/member_id/li/events');
  expect(events[0]).toMatchObject({
    ...{ type: CORRECTED.type, source: CORRECTED.source },
    properties: { by: 'privacy', why: 'ticket 4711', proof: 'identity card seen at the till' },
  });
  const asked = (await ask({ right: 'access' })).body.id;
  const { unclassified } = await caller.ask(`/privacy/requests/${asked}/access`, { as: 'privacy' });
  expect(unclassified).toEqual(['trait skin_tone']); // the correction's own properties have a class
  expect(JSON.stringify(world.rowsOf('U#request').map(({ pk, sk }) => [pk, sk]))).not.toContain('Hangzhou');
});

test('a wrong identifier is set apart, and the right one comes in its place', async () => {
  const { world, caller, ask, settle } = await aShop();
  const correct = { identifier: { kind: 'phone', value: RIGHT }, proof: 'SMS code sent and returned' };
  const { status, body } = await ask({ right: 'rectify', correct });
  expect([status, body.corrected]).toEqual([202, ['phone']]);
  await settle();
  expect((await caller.ask(`/privacy/requests/${body.id}`, { as: 'privacy' })).status).toBe('done');
  const names = (await world.profile('member_id:li')).names.map((name) => name.split('\n')[0]);
  expect(names.sort()).toEqual(['member_id', 'phone']);
  expect((await world.profile(`phone:${RIGHT}`)).id).toBe((await world.profile('member_id:li')).id);
  expect((await world.profile(`phone:${PHONE}`)).id).not.toBe((await world.profile('member_id:li')).id);
  expect(await world.tags('member_id:li')).toMatchObject({ buyer: true });
});

test('what cannot be put right is refused, and says why', async () => {
  const { world, ask } = await aShop();
  await world.take(
    aVisit(3, { ids: ['member_id:wang', `phone:${RIGHT}`] }),
    aVisit(4, { ids: ['member_id:zhao'] }),
  );
  const proof = 'identity card';
  const reasonOf = async (body: object) => (await ask({ right: 'rectify', ...body })).body.error?.reason;
  expect(await reasonOf({})).toBe('bad_body');
  expect(await reasonOf({ right: 'erase', correct: { traits: { city: 'X' }, proof } })).toBe('bad_body');
  expect(await reasonOf({ correct: { proof } })).toBe('nothing');
  expect(await reasonOf({ correct: { traits: { Mobile: PHONE }, proof } })).toBe('personal_trait');
  expect(await reasonOf({ correct: { traits: { city: 'X' }, proof: `seen ${PHONE}` } })).toBe('bad_reason');
  expect(await reasonOf({ correct: { identifier: { kind: 'phone', value: RIGHT }, proof } })).toBe('taken');
  expect(await reasonOf({ correct: { identifier: { kind: 'phone', value: 'abc' }, proof } })).toBe(
    'bad_identifier',
  );
  const zhao = {
    kind: 'member_id',
    value: 'zhao',
    correct: { identifier: { kind: 'member_id', value: 'new' }, proof },
  };
  expect(await reasonOf(zhao)).toBe('only_identifier');
});
