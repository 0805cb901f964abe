// Scope: identifiers that change hands: who says so, what it divides, and how it is asked for, shown and taken back.
import { describe, expect, test } from 'vitest';
import type { Event } from '../../lib/events/event.ts';
import { addGraph, addSightings, emptyGraph, isStatement } from '../../lib/identity/graph.ts';
import { isRelease, releaseEvent } from '../../lib/identity/tenure.ts';
import { packGraph, storedGraph, unpackGraph } from '../../lib/profile/graph-codec.ts';
import { anEvent, anId, anOrder, aVisit, day, START, shuffled } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aDecider } from './a-decider.ts';
import { aSighting, graphOf, profilesIn, reviewsIn } from './a-graph.ts';

const PHONE = 'phone:+8613800138000';
const phone = { kind: 'phone', value: '138 0013 8000' };

/** A carrier's word on the day. */
const released = (days: number, ...ids: string[]): Event =>
  anEvent('identifier_released', days, { ids: ids.length > 0 ? ids : [PHONE] });

/** What people say on day 9 of a day. */
const word = (days: number, is: boolean, said = 9): Event =>
  releaseEvent(anId(PHONE), { since: day(days), released: is }, day(said));

/** A graph that heard what is said before it saw what was done: the fold reads its journal again for the same. */
const heard = (...all: readonly Event[]) => graphOf(...all.filter(isStatement), ...all);

describe('a released phone', () => {
  const former = [aSighting(0, 'member_id:m1', PHONE), aSighting(1, PHONE)];

  test('points to nobody until somebody is seen with it, who is somebody else', () => {
    expect(profilesIn(heard(...former, released(2)))).toEqual([['member_id:m1']]);
    expect(profilesIn(heard(...former, released(2), aSighting(3, PHONE)))).toEqual([
      ['member_id:m1'],
      [PHONE],
    ]);
    const next = heard(...former, released(2), aSighting(3, 'member_id:m2', PHONE));
    expect(profilesIn(next)).toEqual([['member_id:m1'], ['member_id:m2', PHONE]]);
    expect(reviewsIn(next)).toEqual([]);
  });

  test('is the next owner’s from the very instant on', () => {
    expect(profilesIn(heard(...former, released(1)))).toEqual([['member_id:m1'], [PHONE]]);
  });

  test('comes back to who had it before, if it is seen with them: one phone is no conflict', () => {
    const back = heard(...former, released(2), aSighting(3, 'member_id:m1', PHONE));
    expect(profilesIn(back)).toEqual([['member_id:m1', PHONE]]);
    expect(reviewsIn(back)).toEqual([]);
  });

  test('changes hands more than once', () => {
    const all = [1, 2, 3].flatMap((i) => [aSighting(2 * i, `member_id:m${i}`, PHONE), released(2 * i + 1)]);
    expect(profilesIn(heard(...all))).toEqual([['member_id:m1'], ['member_id:m2'], ['member_id:m3']]);
    expect(profilesIn(heard(...all.slice(0, -1)))).toContainEqual(['member_id:m3', PHONE]);
  });

  test('is as it was where the word is taken back; of two words on one instant the newer counts', () => {
    const all = [...former, word(2, true), aSighting(3, PHONE), word(2, false, 10)];
    for (const seed of [1, 2, 3])
      expect(profilesIn(heard(...shuffled(all, seed)))).toEqual([['member_id:m1', PHONE]]);
    expect(profilesIn(heard(...all, word(2, true, 11)))).toHaveLength(2);
  });

  test('leaves a device with who used it then', () => {
    const device = [aSighting(1, PHONE, 'device_id:d'), aSighting(4, 'device_id:d')];
    expect(profilesIn(heard(...former, ...device, released(2), aSighting(3, PHONE)))).toEqual([
      ['member_id:m1', 'device_id:d'],
      [PHONE],
    ]);
  });

  test('may bring an e-mail with it where both are given up, and a member id where that is said', () => {
    const both = released(2, PHONE, 'email:a@x.cn');
    const seen = [aSighting(0, 'member_id:m1', PHONE, 'email:a@x.cn'), aSighting(3, 'email:a@x.cn')];
    expect(profilesIn(heard(...seen, both))).toEqual([['email:a@x.cn'], ['member_id:m1']]);
    const card = anEvent('identifier_released', 2, {
      ids: ['member_id:m1', PHONE],
      properties: { kind: 'member_id' },
    });
    expect(profilesIn(heard(...seen.slice(0, 1), card, aSighting(3, 'member_id:m1')))).toEqual([
      ['member_id:m1'],
      [PHONE, 'email:a@x.cn'],
    ]);
  });
});

describe('a release', () => {
  test('takes a sender who signs, and an identifier that says who it is', () => {
    const unsigned = { ...released(2), context: { ...released(2).context, verified: 'client' as const } };
    const ofDevice = anEvent('identifier_released', 2, {
      ids: ['device_id:d'],
      properties: { kind: 'device_id' },
    });
    expect([released(2), unsigned, ofDevice].map(isRelease)).toEqual([true, false, false]);
    expect(profilesIn(heard(aSighting(0, 'member_id:m1', PHONE), unsigned))).toHaveLength(1);
  });

  test('is a union like everything in a graph: two that heard different words know both', () => {
    const seen = [0, 2, 4, 6].map((i) => aSighting(i, `member_id:m${i}`, PHONE));
    const [a, b] = [heard(...seen, released(1)), heard(...seen, released(3), released(5))];
    const whole = profilesIn(heard(...seen, released(1), released(3), released(5)));
    for (const order of [
      [a, b],
      [b, a, b],
    ]) {
      const joined = emptyGraph();
      for (const part of order) addGraph(joined, part);
      for (const event of seen) addSightings(joined, event);
      expect(profilesIn(joined)).toEqual(whole);
    }
    expect(whole).toHaveLength(4);
  });

  test('is stored whole, and costs nothing where there is none', () => {
    const graph = heard(aSighting(0, 'member_id:m1', PHONE), released(2), word(1, true), aSighting(3, PHONE));
    const packed = JSON.parse(JSON.stringify(packGraph(graph, START)));
    expect(unpackGraph(storedGraph(packed), START)).toEqual(graph);
    expect(packGraph(graphOf(aSighting(0, 'member_id:m1', PHONE)), START)).toHaveLength(4);
  });
});

describe('an operator', () => {
  async function held() {
    const world = aWorld();
    await world.take(aVisit(0, { id: 'visit', ids: ['member_id:m1', PHONE] }));
    await world.take(anOrder(1, 'o1', 100, { ids: [PHONE] }), anOrder(4, 'o2', 200, { ids: [PHONE] }));
    await world.attribute();
    return { world, ...(await aDecider(world)) };
  }
  const buyersOf = (world: ReturnType<typeof aWorld>) => world.members('buyer').length;

  test('gives a phone up from a day on: what was bought with it later is another person’s, and who and why are in the log', async () => {
    const it = await held();
    const reply = await it.ask('/identity/release', { identifier: phone, at: day(3), why: 'carrier list' });
    expect(reply).toMatchObject({ status: 202, body: { since: day(3), released: true } });
    await it.settle();
    expect(buyersOf(it.world)).toBe(2);
    const { body } = await it.ask('/profiles/member_id/m1/identity');
    expect(body.identifiers).toMatchObject([{ kind: 'member_id' }]);
    expect(body.edges).toMatchObject([{ state: 'former' }]);
    expect((await it.world.profile(PHONE)).names).toHaveLength(1);
    const text = JSON.stringify(it.world.rows.rows().filter(({ pk }) => pk.startsWith('U#')));
    expect(text).toContain('identity_decided');
    expect(text).toContain(reply.body.id);
    expect(text).toContain('carrier list');
    expect(text).not.toContain('13800138000');
  });

  test('takes it back, and the table is what it was', async () => {
    const it = await held();
    const before = await it.world.digest();
    await it.ask('/identity/release', { identifier: phone, at: day(3), why: 'carrier list' });
    await it.settle();
    expect(await it.world.digest()).not.toBe(before);
    it.world.setClock(day(101));
    await it.ask('/identity/release', { identifier: phone, at: day(3), released: false, why: 'a mistake' });
    await it.settle();
    it.world.setClock(day(100));
    expect(await it.world.digest()).toBe(before);
    expect(buyersOf(it.world)).toBe(1);
    expect((await it.world.profile(PHONE)).names).toHaveLength(2);
  });

  test('is told what cannot be given up: nobody’s phone, a device, the future; and needs the role', async () => {
    const { ask } = await held();
    const asked = (identifier: object, more: object = {}, as: 'admin' | 'operator' = 'admin') =>
      ask('/identity/release', { identifier, why: 'carrier list', ...more }, as);
    expect(await asked({ kind: 'phone', value: '13900139000' })).toMatchObject({ status: 404 });
    expect(await asked({ kind: 'device_id', value: 'd' })).toMatchObject({ reason: 'weak' });
    expect(await asked(phone, { at: day(400) })).toMatchObject({ reason: 'future' });
    expect(await asked(phone, {}, 'operator')).toMatchObject({ status: 403 });
  });

  test('gives up what nobody has seen since: it points to nobody', async () => {
    const it = await held();
    await it.ask('/identity/release', { identifier: phone, why: 'carrier list' });
    await it.settle();
    expect((await it.ask('/profiles/phone/13800138000/identity')).status).toBe(404);
  });
});
