// Scope: what is taken out of a dead letter after an erasure, what stays, and what is counted.
import { describe, expect, test } from 'vitest';
import { releaseEvent } from '../../lib/identity/tenure.ts';
import { HOUR, MINUTE, toIso } from '../../lib/platform/clock.ts';
import { keys } from '../../lib/platform/keys.ts';
import { bury, NEVER } from '../../lib/privacy/bury.ts';
import { anEvent, anId, aVisit } from '../profile/a-profile.ts';
import { aFault, aShop, isSealed, LI, message, PHONE, visit, WANG, ZHAO } from './a-sweep.ts';

describe('a message of events', () => {
  const TEN = [
    ...[visit('l1', LI), visit('w1', WANG), visit('z1', ZHAO), visit('l2', [LI[1] ?? '']), visit('w2', WANG)],
    ...[visit('z2', ZHAO), visit('l3', LI), visit('w3', WANG), visit('l4', LI), visit('z3', ZHAO)],
  ];

  test('of three persons one of whom is erased keeps what the others did; the receipt says so, and not before', async () => {
    const shop = await aShop();
    await shop.letters.events.send([message(TEN), message([visit('w4', WANG)])]);
    const request = await shop.erase('member_id:li-secret');
    shop.settled();
    expect(await shop.end()).toEqual({ ended: 0 });
    expect(await shop.run()).toEqual({ looked: 3, changed: 1, whole: true });
    expect(shop.left()).toEqual([['w4'], ['w1', 'z1', 'w2', 'z2', 'w3', 'z3']]);
    expect(await shop.end()).toEqual({ ended: 1 });
    const { receipt, deadLetters } = await shop.request(request);
    expect(receipt).toMatchObject({ residual: 0, deadLetters: { messages: 1, events: 4 } });
    expect([receipt && isSealed(receipt), deadLetters, shop.notes()]).toEqual([true, undefined, []]);
  });

  test('is sent back as if the erased had never been in it', async () => {
    const shop = await aShop();
    await shop.letters.events.send([message(TEN)]);
    await shop.erase('member_id:li-secret');
    shop.settled();
    await shop.whole();
    for (const body of shop.letters.events.bodies()) await shop.world.deliver({ body });
    expect(await shop.world.events('member_id:wang-7')).toEqual(['w0', 'w1', 'w2', 'w3']);
    expect(await shop.world.events('member_id:zhao-9')).toEqual(['z0', 'z1', 'z2', 'z3']);
  });

  test('in which there is nothing else is removed, but for what says how much arrived', async () => {
    const shop = await aShop();
    const tally = {
      source: { channel: 'generic', account: 'pos' },
      at: toIso(shop.world.clock()),
      ignored: { ping: 1 },
    };
    await shop.letters.events.send([message([visit('l1', LI)]), message([visit('l2', LI)], [], { tally })]);
    await shop.erase('member_id:li-secret');
    shop.settled();
    await shop.whole();
    expect(shop.letters.events.bodies().map((body) => JSON.parse(body))).toEqual([
      { events: [], faults: [], tally },
    ]);
  });

  test('of somebody else loses the identifiers of whoever is erased', async () => {
    const shop = await aShop();
    const shared = anEvent('page_viewed', 10, { id: 'w1', ids: [...WANG, 'device_id:pad'] });
    await shop.world.take(visit('l1', ['member_id:li-secret', 'device_id:pad'], 2));
    await shop.letters.events.send([message([shared])]);
    const request = await shop.erase('member_id:li-secret');
    shop.settled();
    await shop.whole();
    const [body = ''] = shop.letters.events.bodies();
    expect(JSON.parse(body).events).toEqual([{ ...shared, identifiers: WANG.map(anId) }]);
    expect((await shop.request(request)).deadLetters).toEqual({ messages: 1, events: 1 });
  });

  test('of whoever came back afterwards stays', async () => {
    const shop = await aShop();
    await shop.erase('member_id:li-secret');
    shop.later(MINUTE);
    const at = toIso(shop.world.clock());
    const again = { ...visit('again', LI), occurredAt: at, receivedAt: at };
    await shop.letters.events.send([message([visit('l1', LI), again])]);
    shop.settled();
    await shop.whole();
    expect(shop.left()).toEqual([['again']]);
  });

  test('counts from when it was first seen, where its sender gives no time', async () => {
    const shop = await aShop();
    const seen = visit('untimed', LI, 20);
    const context = { ...seen.context, timeSource: 'received' as const };
    await shop.world.rows.put({ ...keys.firstSeen(seen.id), at: seen.occurredAt });
    await shop.erase('member_id:li-secret');
    shop.later(MINUTE);
    const at = toIso(shop.world.clock());
    const late = { ...seen, occurredAt: at, receivedAt: at, context };
    const other = { ...late, id: 'seen-just-now___' };
    await shop.letters.events.send([message([late, other])]);
    shop.settled();
    await shop.whole();
    expect(shop.left()).toEqual([['seen-just-now']]);
  });

  test('of somebody who had a phone before it was another’s goes; what the other did with it stays', async () => {
    const shop = await aShop();
    const phone = anId(`phone:${PHONE}`);
    const since = toIso(Date.parse(aVisit(5).occurredAt));
    await shop.world.take(releaseEvent(phone, { since, released: true }, toIso(shop.world.clock())));
    await shop.world.take(visit('w1', [...WANG, `phone:${PHONE}`], 8));
    await shop.letters.events.send([
      message([visit('former', [`phone:${PHONE}`], 3), visit('today', [`phone:${PHONE}`], 9)]),
    ]);
    const request = await shop.erase('member_id:li-secret');
    shop.settled();
    await shop.whole();
    expect(shop.left()).toEqual([['today']]);
    expect((await shop.request(request)).deadLetters).toEqual({ messages: 1, events: 1 });
  });
});

describe('an identifier that was claimed for an event which never came to its profile', () => {
  const mail = anId('email:li@example.com');
  async function aClaim() {
    const shop = await aShop();
    const { id: cluster } = await shop.world.cluster('member_id:li-secret');
    const { directory, protector } = shop.world.worker;
    await directory.claim(protector.protect(mail), { cluster });
    await shop.letters.events.send([message([visit('l1', [...LI, 'email:li@example.com'])])]);
    const place = () => shop.world.rowsOf('I#email#')[0];
    return { shop, place };
  }

  test('leads to nobody when that is taken out of a dead letter, as if it had been sent back', async () => {
    const { shop, place } = await aClaim();
    await shop.erase('member_id:li-secret');
    shop.settled();
    expect(place()?.erasedAt).toBeUndefined();
    await shop.whole();
    expect(place()?.erasedAt).toBe(toIso(0));
  });

  test('is left to whoever has it by now', async () => {
    const { shop, place } = await aClaim();
    await shop.world.take(visit('l2', ['member_id:li-secret', 'email:li@example.com'], 11));
    await shop.erase('member_id:li-secret');
    const at = toIso(shop.world.clock() + MINUTE);
    await shop.world.take({
      ...visit('w2', [...WANG, 'email:li@example.com']),
      occurredAt: at,
      receivedAt: at,
    });
    const before = place();
    shop.settled();
    await shop.whole();
    expect([place(), shop.left()]).toEqual([before, []]);
  });
});

describe('bodies that are nobody’s yet', () => {
  test('go if they name the person, in whatever form; others in the same message stay', async () => {
    const shop = await aShop();
    const at = toIso(shop.world.clock());
    const other = aFault('other', { message: { mobile: '138001380001' } }, at);
    const faults = [aFault('phone', { message: { mobile: '13800138000' } }, at), other];
    await shop.letters.events.send([
      message([visit('w1', WANG)], faults),
      `{"version":9,"who":"li-secret"}`,
      `no JSON, and of 138 0013 8000 all the same`,
      `{"version":9,"who":"somebody"}`,
    ]);
    const request = await shop.erase('member_id:li-secret');
    shop.settled();
    await shop.whole();
    const bodies = shop.letters.events.bodies();
    expect(bodies[0]).toBe('{"version":9,"who":"somebody"}');
    expect(JSON.parse(bodies[1] ?? '')).toEqual({ events: [visit('w1', WANG)], faults: [other] });
    expect([bodies.length, (await shop.request(request)).deadLetters]).toEqual([
      2,
      { messages: 3, events: 0 },
    ]);
  });

  test('stay if they came after the erasure', async () => {
    const shop = await aShop();
    await shop.erase('member_id:li-secret');
    shop.later(MINUTE);
    await shop.letters.events.send([
      message([], [aFault('later', { text: 'li-secret' }, toIso(shop.world.clock()))]),
    ]);
    shop.settled();
    expect(await shop.run()).toEqual({ looked: 1, changed: 0, whole: true });
  });
});

describe('what other queues carry', () => {
  const hint = (of: Record<string, string>, at?: number) =>
    JSON.stringify({ source: { channel: 'wecom', account: 'a' }, hint: { what: 'contact', of, at } });

  test('no vendor is asked about a contact who is erased; about others it is', async () => {
    const shop = await aShop();
    await shop.world.take(visit('l1', ['member_id:li-secret', 'wecom_external_userid:wmLi'], 2));
    const before = shop.world.clock();
    await shop.letters.hints.send([
      ...[hint({ external_userid: 'wmLi' }), hint({ external_userid: 'wmLi' }, before - HOUR)],
      ...[hint({ external_userid: 'wmLi' }, before + HOUR), hint({ external_userid: 'wmWang' })],
      hint({ open_kfid: 'li-secret' }),
    ]);
    const request = await shop.erase('member_id:li-secret');
    shop.settled();
    await shop.whole();
    expect(shop.letters.hints.bodies()).toEqual([
      ...[hint({ external_userid: 'wmLi' }, before + HOUR), hint({ external_userid: 'wmWang' })],
    ]);
    expect((await shop.request(request)).deadLetters).toEqual({ messages: 3, events: 0 });
  });

  test('of a contact who never was anybody it is asked', async () => {
    const shop = await aShop();
    const contact = anId('wecom_external_userid:wmNew');
    const { protector, directory } = shop.world.worker;
    await directory.claim(contact, { cluster: 'c' });
    await bury([{ ...contact, digest: protector.digest(contact) }], NEVER, 'c', shop.world.rows);
    await shop.letters.hints.send([hint({ external_userid: 'wmNew' })]);
    expect(await shop.run()).toEqual({ looked: 1, changed: 0, whole: true });
  });

  test('of a cluster that was closed no order is named, and it is told whole', async () => {
    const shop = await aShop();
    const li = (await shop.world.cluster('member_id:li-secret')).id;
    const wang = (await shop.world.cluster('member_id:wang-7')).id;
    const named = (profile: string) =>
      JSON.stringify({ profile, conversions: ['order_paid o-1'], since: aVisit(1).occurredAt });
    await shop.letters.conversions.send([named(li), named(wang), 'none of ours: li-secret']);
    const request = await shop.erase('member_id:li-secret');
    shop.settled();
    await shop.whole();
    expect(shop.letters.conversions.bodies()).toEqual([
      ...[named(wang), JSON.stringify({ profile: li, conversions: 'all' })],
    ]);
    expect((await shop.request(request)).deadLetters).toEqual({ messages: 2, events: 0 });
  });

  test('a walk that was to go on at a row which is no more begins anew', async () => {
    const shop = await aShop();
    const [row] = shop.world.rowsOf('T#buyer');
    const wang = (await shop.world.cluster('member_id:wang-7')).id;
    const part = (after: string) => JSON.stringify({ book: 'b', segment: 1, of: 4, after });
    const { pk, sk } = keys.profile(wang);
    await shop.letters.recompute.send([part(`${row?.pk}\n${row?.sk}`), part(`${pk}\n${sk}`)]);
    await shop.letters.surveys.send([JSON.stringify({ survey: 's', part: 2, after: 'A#gone\nx' })]);
    await shop.letters.models.send([JSON.stringify({ run: 'r', fit: 'markov' })]);
    await shop.erase('member_id:li-secret');
    shop.settled();
    await shop.whole();
    await shop.end();
    shop.later(HOUR);
    await shop.run();
    expect(shop.letters.recompute.bodies()).toEqual([
      part(`${pk}\n${sk}`),
      '{"book":"b","segment":1,"of":4}',
    ]);
    expect(shop.letters.surveys.bodies()).toEqual(['{"survey":"s","part":2}']);
    expect(shop.letters.models.bodies()).toEqual(['{"run":"r","fit":"markov"}']);
  });
});
