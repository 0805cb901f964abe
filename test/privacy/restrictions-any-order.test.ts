// Laws 2, 3, 5 and 10 with restrictions: in whatever order events, joins and restrictions come, the table says the same; what
// was lifted is as if it had never been; and what is shown of who is restricted is what a plain reader says.
import { expect, test } from 'vitest';
import { conversionReader } from '../../lib/attribution/read.ts';
import { byTime, type Event } from '../../lib/events/event.ts';
import { nameOf, partition } from '../../lib/identity/graph.ts';
import { isRestriction, restrictionEvent } from '../../lib/privacy/restriction.ts';
import { split } from '../../lib/profile/cluster.ts';
import { withdrawn } from '../consent/a-consent.ts';
import { aDecision } from '../laws/oracle/decisions.ts';
import { aBrand, anId, anOrder, aVisit, day, dice, shuffled } from '../profile/a-profile.ts';
import { aWorld, type World } from '../profile/a-world.ts';

const CASES = 25;
const IDS = ['member_id:m1', 'phone:+8613800138000', 'device_id:d1', 'wechat_unionid:u1'];
const rules = [
  {
    tag: 'visits',
    values: Object.fromEntries(
      Array.from({ length: 12 }, (_, i) => [`n${12 - i}`, `events("page_viewed").count() == ${12 - i}`]),
    ),
  },
  { tag: 'anybody', when: 'true' },
  { tag: 'stage', values: { fresh: 'events("order_paid").within("9d").any()', old: 'true' } },
];

/** Up to fourteen things that happen, sometimes so many that journals are sealed, and up to five restrictions and liftings, at instants that they often share. */
function historyOf(seed: number): { events: Event[]; said: Event[] } {
  const roll = dice(seed);
  const pick = () => IDS[roll(IDS.length)] ?? '';
  const events = Array.from({ length: seed % 5 === 0 ? 40 : 5 + roll(10) }, (_, i): Event => {
    const id = `e${seed}x${i}`;
    const [home, other] = [pick(), pick()];
    const ids = roll(4) === 0 ? [...new Set([home, other])] : [home];
    const at = roll(40) / 2;
    const kind = roll(10);
    if (kind === 0 && other !== home && [home, other].some((it) => !it.startsWith('device_id')))
      return aDecision([anId(home), anId(other)], roll(3) ? 'apart' : 'open', day(at + 0.1), `d${seed}x${i}`);
    if (kind === 1) return withdrawn(at, 'analytics', { id, ids });
    if (kind > 6) return anOrder(at, `o${roll(5)}`, 1_000, { id, ids });
    return aVisit(at, { id, ids, context: { campaign: { channel: roll(2) ? 'wecom' : 'douyin' } } });
  }).sort(byTime);
  const known = [...new Set(events.flatMap((it) => it.identifiers.map((id) => `${id.kind}:${id.value}`)))];
  const said = Array.from({ length: 1 + roll(5) }, () =>
    restrictionEvent(anId(known[roll(known.length)] ?? ''), roll(3) > 0, day(roll(40) / 2)),
  );
  return { events, said };
}

const liftedAfter = (said: readonly Event[]): Event[] =>
  [...new Map(said.flatMap((it) => it.identifiers.map((id) => [nameOf(id), id]))).values()].map((id) =>
    restrictionEvent(id, false, day(50)),
  );

/** Delivers in batches of one to four, some of them twice. */
async function delivered(events: readonly Event[], seed: number): Promise<World> {
  const roll = dice(seed);
  const world = aWorld({ brand: aBrand({ rules, attribution: { lookbackDays: 3 } }) });
  for (let i = 0; i < events.length; ) {
    const size = 1 + roll(4);
    const batch = events.slice(i, i + size);
    i += size;
    await world.take(...batch);
    if (roll(3) === 0) await world.take(...batch);
    if (roll(3) === 0) await world.attribute();
    if (roll(4) === 0) await world.tick();
  }
  await world.tick(); // notes the rules, once at least
  await world.attribute();
  return world;
}

/** From when on a profile is restricted, read from the definition: instant by instant, for each of its identifiers. */
function plainly(said: readonly Event[], names: readonly string[]): string | undefined {
  const runs = names.flatMap((name) => {
    const own = said.filter((it) => it.identifiers.some((id) => nameOf(id) === name));
    const instants = [...new Set(own.map((it) => it.occurredAt))].sort();
    let from: string | undefined;
    for (const at of instants) {
      const isRestricted = own.some((it) => it.occurredAt === at && it.type === 'processing_restricted');
      from = isRestricted ? (from ?? at) : undefined;
    }
    return from ?? [];
  });
  return runs.sort()[0];
}

test.each(Array.from({ length: CASES }, (_, seed) => seed + 1))('history %i', async (seed) => {
  const { events, said } = historyOf(seed);
  const all = [...events, ...said];
  const world = await delivered([...all].sort(byTime), seed);
  const digest = await world.digest();
  expect(await (await delivered(shuffled(all, seed + 1), seed + 1)).digest()).toBe(digest);

  const never = await (await delivered(events, seed)).digest();
  const lifted = [...all, ...liftedAfter(said)];
  expect(await (await delivered(shuffled(lifted, seed + 2), seed + 2)).digest()).toBe(never);
  const later = [...(await orderly(world, lifted, all))];
  expect(later).toEqual([never]);

  const stored = said.map((it) => ({
    ...it,
    identifiers: it.identifiers.map((id) => world.protector.protect(id)),
  }));
  const again = await delivered([...all].sort(byTime), seed);
  const seen = new Set<string>();
  for (const name of IDS.filter((it) =>
    events.some(({ identifiers }) => identifiers.some((id) => it.startsWith(id.kind))),
  )) {
    const cluster = await again.cluster(name);
    if (seen.has(cluster.id)) continue;
    seen.add(cluster.id);
    const division = partition(cluster.graph);
    const parts = split(await again.profiles.events(cluster), division);
    const shown = [...cluster.shown.values()];
    const restricted = division.members.map(({ names }) => plainly(stored, names));
    for (const [i, since] of restricted.entries()) {
      const own = parts[i] ?? [];
      if (own.length === 0) continue;
      expect(shown[i]?.tags.size === 0, `${name} ${i}`).toBe(since !== undefined);
    }
    const after = new Set(
      parts.flatMap((own, i) =>
        own.filter((it) => restricted[i] !== undefined && it.occurredAt >= restricted[i]).map(({ id }) => id),
      ),
    );
    for await (const { path, conversion } of conversionReader(again.rows).list(cluster.id)) {
      expect(path.touches.filter(({ eventId }) => after.has(eventId))).toEqual([]);
      if (after.has(conversion.eventId)) expect(path.touches).toEqual([]);
    }
  }
  expect(
    (await Promise.all(IDS.map((id) => again.events(id).catch(() => [])))).flat().length,
  ).toBeGreaterThan(0);
  expect(events.some(isRestriction)).toBe(false);
});

/** The digest after what a world does not know yet has come to it as well. */
async function orderly(world: World, lifted: readonly Event[], known: readonly Event[]): Promise<string[]> {
  await world.takeEach(...lifted.slice(known.length));
  await world.attribute();
  return [await world.digest()];
}
