// Laws 2, 3, 5 and 10 with consent: whatever order, batches and repetitions events of a few people come in, who join and
// are taken apart, the table says the same, and what counts is what a plain reader of the definition says.
import { expect, test } from 'vitest';
import { conversionReader } from '../../lib/attribution/read.ts';
import { byTime, type Event } from '../../lib/events/event.ts';
import { aDecision } from '../laws/oracle/decisions.ts';
import { aBrand, anId, anOrder, aVisit, day, dice, shuffled } from '../profile/a-profile.ts';
import { aWorld, type World } from '../profile/a-world.ts';
import { granted, isAllowed, withdrawn } from './a-consent.ts';

const CASES = 50;
const IDS = ['member_id:m1', 'phone:+8613800138000', 'device_id:d1', 'wechat_unionid:u1'];
const PURPOSES = ['analytics', 'analytics', 'all', 'marketing', 'marketing.wecom', 'analytics sharing'];

const counts = Array.from({ length: 12 }, (_, i) => 12 - i);
const rules = [
  {
    tag: 'visits',
    values: Object.fromEntries(counts.map((n) => [`n${n}`, `events("page_viewed").count() == ${n}`])),
  },
  { tag: 'recent', when: 'events("page_viewed").within("3d").any()' },
  { tag: 'reach', when: 'consent("marketing.wecom")' },
  { tag: 'shared', when: 'consent("sharing") && !hasTag("reach")' },
];

/** Up to sixteen events, a third of them of consent, at instants that they often share. */
function historyOf(seed: number): Event[] {
  const roll = dice(seed);
  const events = Array.from({ length: 6 + roll(11) }, (_, i): Event => {
    const id = `e${seed}x${i}`;
    const home = IDS[roll(IDS.length)] ?? '';
    const other = IDS[roll(IDS.length)] ?? '';
    const ids = roll(4) === 0 ? [...new Set([home, other])] : [home];
    const at = roll(40) / 2;
    const purpose = PURPOSES[roll(PURPOSES.length)] ?? '';
    const kind = roll(10);
    if (kind === 5 && other !== home && [home, other].some((it) => !it.startsWith('device_id')))
      return aDecision(
        [anId(home), anId(other)],
        roll(3) === 0 ? 'open' : 'apart',
        day(at + 0.1),
        `d${seed}x${i}`,
      );
    if (kind < 2) return granted(at, purpose, { id, ids });
    if (kind < 4) return withdrawn(at, purpose, { id, ids });
    if (kind === 4 || kind > 7) return anOrder(at, `o${roll(5)}`, 1_000, { id, ids });
    return aVisit(at, { id, ids, context: { campaign: { channel: roll(2) ? 'wecom' : 'douyin' } } });
  });
  return events.sort(byTime);
}

/** Delivers in batches of one to four, some of them twice. */
async function delivered(events: readonly Event[], seed: number, usually: boolean): Promise<World> {
  const roll = dice(seed);
  const consent = usually ? {} : ({ analytics: 'asked', marketing: 'asked' } as const);
  const world = aWorld({ brand: aBrand({ rules, consent, attribution: { lookbackDays: 3 } }) });
  for (let i = 0; i < events.length; ) {
    const size = 1 + roll(4);
    const batch = events.slice(i, i + size);
    await world.take(...batch);
    if (roll(3) === 0) await world.take(...batch);
    if (roll(3) === 0) await world.attribute();
    i += size;
  }
  await world.attribute();
  return world;
}

test.each(Array.from({ length: CASES }, (_, seed) => seed + 1))('history %i', async (seed) => {
  const usually = seed % 3 !== 0;
  const events = historyOf(seed);
  const world = await delivered(events, seed, usually);
  const digest = await world.digest();
  for (const again of [1, 2])
    expect(await (await delivered(shuffled(events, seed + again), seed + again, usually)).digest()).toBe(
      digest,
    );

  const { brand } = world;
  const { split } = await import('../../lib/profile/cluster.ts');
  const { partition, nameOf } = await import('../../lib/identity/graph.ts');
  const seen = new Set<string>();
  for (const id of IDS.filter((it) =>
    events.some((event) => event.identifiers.some(({ kind }) => it.startsWith(kind))),
  )) {
    const cluster = await world.cluster(id);
    const division = partition(cluster.graph);
    const all = await world.profiles.events(cluster);
    const member = division.memberOf.get(nameOf(world.protector.protect(anId(id)))) ?? -1;
    const own = split(all, division)[member] ?? [];
    if (own.length === 0) continue;
    const counted = own.filter((event) => isAllowed(own, 'analytics', event.occurredAt, usually));
    const visits = counted.filter(({ type }) => type === 'page_viewed');
    const now = day(100);
    const tags = await world.tags(id);
    expect(tags.visits).toBe(visits.length > 0 ? `n${visits.length}` : undefined);
    expect(tags.reach).toBe(isAllowed(own, 'marketing.wecom', now, usually) || undefined);
    expect(tags.shared).toBe((isAllowed(own, 'sharing', now, true) && !tags.reach) || undefined);

    if (seen.has(cluster.id)) continue;
    seen.add(cluster.id);
    const allowed = new Set(
      split(all, division).flatMap((part) =>
        part
          .filter((event) => isAllowed(part, 'analytics', event.occurredAt, usually))
          .map((event) => event.id),
      ),
    );
    for await (const { path } of conversionReader(world.rows).list(cluster.id))
      expect(path.touches.filter(({ eventId }) => !allowed.has(eventId))).toEqual([]);
  }
  expect(brand.consent.analytics).toBe(usually ? 'granted' : 'asked');
});
