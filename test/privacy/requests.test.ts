// Scope: what persons have a right to, by the API: an archive to read, an erasure with its receipt, and what comes after.
import { expect, test } from 'vitest';
import { toIso } from '../../lib/platform/clock.ts';
import { endErasures, onErasures } from '../../lib/privacy/carry-out.ts';
import { SETTLING_MS } from '../../lib/privacy/request.ts';
import { naming } from '../../lib/quarantine/remove.ts';
import { memoryQueue } from '../platform/memory.ts';
import { aBrand, anEvent, anId, anOrder } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aCaller } from '../query/a-caller.ts';

const PHONE = '+8613800138000';
const LI = ['member_id:li-secret', `phone:${PHONE}`];

/** A shop with two customers, Li with orders and visits of two months; and who asks in their names. */
async function aShop() {
  const world = aWorld();
  const erasures = memoryQueue();
  for (let i = 0; i < 26; i++) await world.take(anEvent('page_viewed', i, { id: `visit${i}`, ids: LI }));
  await world.take(
    anOrder(30, 'o1', 9_900, { ids: LI }),
    anOrder(31, 'o2', 100, { ids: ['member_id:wang'] }),
  );
  await world.attribute();
  const caller = await aCaller(world, { erasures });
  const ask = (right: string, as: 'privacy' | 'admin' = 'privacy') =>
    caller.send('/privacy/requests', {
      ...{ as, method: 'POST', reason: null },
      body: { right, kind: 'phone', value: PHONE, reason: 'ticket 4711' },
    });
  /** Carries out what was asked, and lets it settle. */
  const carryOut = async () => {
    const failed = await onErasures(
      erasures.bodies.map((body, i) => ({ id: `${i}`, body })),
      world.worker,
    );
    expect(failed).toEqual([]);
    await world.attribute();
    world.setClock(toIso(world.clock() + SETTLING_MS));
    return endErasures(world.worker);
  };
  return { world, caller, ask, carryOut, erasures };
}

test('only privacy asks, with a reason, for somebody who is there', async () => {
  const { ask, caller } = await aShop();
  expect((await ask('erase', 'admin')).status).toBe(403);
  expect((await ask('forget')).status).toBe(400);
  const body = { right: 'erase', kind: 'phone', value: PHONE };
  const post = { as: 'privacy', method: 'POST', reason: null } as const;
  expect((await caller.send('/privacy/requests', { ...post, body })).body.error.reason).toBe('no_reason');
  const nobody = { ...body, value: '+8613900139000', reason: 'ticket 1' };
  expect((await caller.send('/privacy/requests', { ...post, body: nobody })).status).toBe(404);
});

test('an archive holds everything, in clear, as JSON and as a page, for seven days; and reading it is in the log', async () => {
  const { world, ask, caller } = await aShop();
  const { status, body } = await ask('export');
  expect([status, body.status]).toEqual([202, 'done']);
  const archive = await caller.ask(`/privacy/requests/${body.id}/archive`, { as: 'privacy' });
  expect(archive.profile.identifiers).toContainEqual({ kind: 'phone', scope: 'e164', value: PHONE });
  expect(archive.events).toHaveLength(27);
  expect(archive.conversions).toHaveLength(1);
  expect(archive.tags.map(({ tag }: { tag: string }) => tag)).toContain('buyer');
  const page = await caller.send(`/privacy/requests/${body.id}/page`, { as: 'privacy' });
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
  for (const said of [PHONE, 'li-secret', 'page_viewed', 'buyer']) expect(page.body).toContain(said);
  const { entries } = await caller.ask('/audit', { as: 'privacy' });
  expect(entries.map(({ what }: { what: string }) => what)).toEqual(
    expect.arrayContaining(['privacy_request', 'read']),
  );
  world.setClock(toIso(world.clock() + 8 * 86_400_000));
  expect((await caller.send(`/privacy/requests/${body.id}/archive`, { as: 'privacy' })).status).toBe(410);
});

test('an erasure leaves no row of the person, says so in a receipt, and others as they were', async () => {
  const { world, ask, caller, carryOut } = await aShop();
  const wang = await world.state((await world.cluster('member_id:wang')).id);
  const old = (await world.cluster('member_id:li-secret')).id;
  const { body } = await ask('erase');
  expect(body).toMatchObject({ status: 'received', overdue: false });
  await carryOut();
  const done = await caller.ask(`/privacy/requests/${body.id}`, { as: 'privacy' });
  expect(done).toMatchObject({
    status: 'done',
    receipt: { residual: 0, tombstones: 2, found: { identifiers: 2, events: 27, conversions: 1 } },
  });
  expect(done.receipt.found.segments).toBeGreaterThan(0);
  const rows = world.rows.rows().filter(({ pk }) => !/^(N#|U#audit)/.test(pk));
  const ofLi = rows.filter((row) => row.pk.includes(old) || row.sk.includes(old));
  expect(
    ofLi.flatMap(({ pk, sk, joined, s, erasedAt }) => (erasedAt ? [] : [[pk, sk, typeof joined, s]])),
  ).toEqual(
    [[`P#${old}`, '@', 'string', undefined]], // the way to where others would be
  );
  const text = JSON.stringify(rows, (_, value) =>
    value instanceof Uint8Array || value?.type === 'Buffer' ? '' : value,
  );
  for (const value of [PHONE.slice(3), 'li-secret', 'o1"']) expect(text).not.toContain(value);
  expect(await world.state((await world.cluster('member_id:wang')).id)).toEqual(wang);
  const { entries } = await caller.ask('/audit', { as: 'privacy' });
  expect(entries).toContainEqual(
    expect.objectContaining({
      what: 'privacy_request',
      details: { request: body.id, status: 'done', residual: 0, digest: done.receipt.digest },
    }),
  );
  expect((await ask('erase')).status).toBe(404);
});

test('whoever comes back is somebody new: what happened before stays out, with whatever it comes', async () => {
  const { world, ask, carryOut } = await aShop();
  const now = world.clock();
  await ask('erase');
  await carryOut();
  const again = anEvent('page_viewed', 0, { id: 'again', ids: LI });
  const after = toIso(now + 3_600_000);
  await world.take({ ...again, occurredAt: after, receivedAt: after });
  await world.take(anOrder(29, 'o0', 5_000, { ids: ['member_id:li-secret', 'wechat_unionid:u-new'] }));
  world.restart();
  await world.take(anEvent('page_viewed', 3, { id: 'visit3', ids: LI }));
  expect(await world.events('member_id:li-secret')).toEqual(['again']);
  expect((await world.profile('member_id:li-secret')).names).toHaveLength(2);
  await expect(world.cluster('wechat_unionid:u-new')).rejects.toThrow('nobody has');
});

test('an erasure that is handed over again erases nobody who came back since', async () => {
  const { world, ask, carryOut, erasures } = await aShop();
  const now = world.clock();
  await ask('erase');
  await onErasures([{ id: '0', body: erasures.bodies[0] ?? '' }], world.worker);
  const after = toIso(now + 60_000);
  await world.take({
    ...anEvent('page_viewed', 0, { id: 'again', ids: LI }),
    occurredAt: after,
    receivedAt: after,
  });
  await carryOut();
  expect(await world.events('member_id:li-secret')).toEqual(['again']);
});

test('what is in quarantine and names the person goes, however the vendor writes it; what names others stays', async () => {
  const { world, ask, carryOut } = await aShop();
  const fault = (id: string, body: unknown) => ({
    ...{ id: id.padEnd(16, '0'), reason: 'bad_time', message: 'no time', receivedAt: toIso(world.clock()) },
    ...{ source: { channel: 'generic', account: 'pos' }, body: JSON.parse(JSON.stringify(body)) },
  });
  await world.quarantine(fault('phone', { message: { mobile: '13800138000' } }));
  await world.quarantine(fault('member', { text: 'member=LI-SECRET&x=1' }));
  await world.quarantine(fault('other', { message: { mobile: '138001380001', member: 'li-secret-2' } }));
  await ask('erase');
  await carryOut();
  expect(world.rowsOf('Q#').map(({ sk }) => sk)).toEqual(['other'.padEnd(16, '0')]);
});

test('values that could stand for anything are not looked for in bodies', () => {
  expect(naming([anId('member_id:12')])).toBeUndefined();
});

test('what Shopify asks for in a person’s name is carried out by the clock; unsigned it is nothing but an event', async () => {
  const { world } = await aShop();
  const redact = (id: string, verified: 'signed' | 'client') =>
    anEvent('data_erasure_requested', 40, {
      ...{ id, ids: ['member_id:li-secret'], context: { verified } },
      properties: { request_id: '7', request_kind: 'customer_redact' },
    });
  await world.take(redact('unsigned', 'client'));
  expect(world.rowsOf('U#request')).toEqual([]);
  await world.take(redact('signed', 'signed'));
  await endErasures(world.worker);
  const { graph, tail } = await world.cluster('member_id:li-secret'); // where whoever comes back will be
  expect([graph.identifiers.size, tail.length]).toEqual([0, 0]);
  world.setClock(toIso(world.clock() + SETTLING_MS));
  await world.attribute();
  expect(await endErasures(world.worker)).toEqual({ ended: 1 });
  await world.take(redact('signed', 'signed'));
  expect(world.rowsOf('U#request')).toHaveLength(1);
});

test.each([
  ['account', 'account', true],
  ['account', 'personal_data', false],
  ['account', 'profile', false],
  ['all', 'personal_data', true],
  ['none', 'account', false],
] as const)(
  'where revocations of %s ask for erasure, one of %s that WeChat pushes: %s',
  async (revocations, scope, isAsked) => {
    const world = aWorld({ brand: aBrand({ privacy: { revocations } }) });
    const revoked = (id: string, channel: string, verified: 'signed' | 'client') => ({
      ...anEvent('consent_revoked', 40, {
        ...{ id, ids: ['wechat_openid:o1'], properties: { scope }, context: { verified } },
      }),
      source: { channel, account: 'main' },
    });
    await world.take(anOrder(1, 'o1', 100, { ids: ['wechat_openid:o1'] }));
    await world.take(revoked('unsigned', 'wechat-oa', 'client'), revoked('elsewhere', 'generic', 'signed'));
    expect(world.rowsOf('U#request')).toEqual([]);
    await world.take(revoked('signed', 'wechat-oa', 'signed'));
    expect(world.rowsOf('U#request')).toHaveLength(isAsked ? 1 : 0);
    await endErasures(world.worker);
    const { tail } = await world.cluster('wechat_openid:o1');
    expect(tail.length).toBe(isAsked ? 0 : 4);
  },
);
