import { beforeAll, expect, test, vi } from 'vitest';
import type { Event } from '../../lib/events/event.ts';
import { nameOf, partition } from '../../lib/identity/graph.ts';
import { profileIds, split } from '../../lib/profile/cluster.ts';
import { isRedirect, profileStore } from '../../lib/profile/store.ts';
import { someDecisions } from './oracle/decisions.ts';
import { NOW } from './oracle/histories.ts';
import { byText } from './oracle/order.ts';
import { type Owned, ownersOf } from './oracle/tenures.ts';
import { anything, pick, release } from './recycled-people.ts';
import { replayOf, seeds } from './runs.ts';
import { played } from './story.ts';
import { factsOf, mustBeSame, type Ran } from './verdict.ts';
import { type Shared, sharedOf } from './wiring.ts';
import type { Fault, FaultKind } from './world/faults.ts';
import { disorderly, orderly } from './world/mailbox.ts';
import { type Dice, dice } from './world/random.ts';

// Phones change hands. Every case is a history of a few people with two phones, with words that a phone was given up (or
// was not after all) and decisions on who is who, in any order between, before and after the events, some of it twice. Who
// has which events is what a plain walk through everything in the order of its times says, however it came.

const FILE = 'recycled';
const CASES = 260;
const IDLE_DAYS = 40;
const zone = 'Asia/Shanghai';
let worlds = 0;
let divided = 0;
let idle = 0;

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {}); // conflicts between workers are logged, and are no failures
});

/** Every other case is of a brand that does not follow phones which lie idle; its events lie further apart. */
const cases = seeds(70_001, CASES, [900_535]).map((seed) => {
  const thrown = dice(seed);
  const isIdle = seed % 2 === 0;
  const apart = isIdle ? 15 : 1;
  const many = thrown.chance(0.08) ? 24 : 0; // more than a tail holds: what is divided lies in sealed segments
  const events = Array.from({ length: 3 + many + thrown.below(9) }, (_, i) =>
    anything(seed, i, thrown, apart),
  );
  const words = thrown.below(isIdle ? 2 : 3) + (isIdle ? 0 : 1);
  const releases = Array.from({ length: words }, (_, i) => release(seed, i, thrown, apart));
  const isStrong = ({ identifiers }: Event) => identifiers.every(({ kind }) => kind !== 'device_id');
  const decisions = thrown.chance(0.5)
    ? someDecisions(events, NOW, thrown, 2).filter(
        (it) => isStrong(it) || it.properties.verdict !== 'together',
      )
    : [];
  return {
    seed,
    thrown,
    events,
    said: [...releases, ...decisions],
    idleDays: isIdle ? IDLE_DAYS : undefined,
  };
});

/** All in any order, some of it twice, each message with one to three. */
function mixed(all: readonly Event[], thrown: Dice): Event[][] {
  const left = [...all, ...all.filter(() => thrown.chance(0.25))];
  const messages: Event[][] = [];
  while (left.length > 0)
    messages.push(
      Array.from({ length: Math.min(left.length, 1 + thrown.below(3)) }, () => thrown.take(left)),
    );
  return messages;
}

const kinds: readonly FaultKind[] = ['crash-before', 'crash-after', 'lost-reply', 'throttle'];
const faultsOf = (thrown: Dice): Fault[] =>
  Array.from({ length: 3 }, () => ({ at: thrown.below(90), kind: pick(kinds, thrown) }));

/** Who has which events, as the table has it. */
async function seenIn({ table }: Ran, { protector }: Shared): Promise<{ people: Owned[]; idle: string[] }> {
  const store = profileStore(table);
  const found: Owned[] = [];
  const idle: string[] = [];
  for (const { pk, sk } of table.rows()) {
    if (!pk.startsWith('P#') || sk !== '@') continue;
    const cluster = await store.get(pk.slice(2));
    if (!cluster || isRedirect(cluster)) continue;
    const division = partition(cluster.graph);
    const clear = (name: string) => {
      const id = cluster.graph.identifiers.get(name);
      if (!id || nameOf(id) !== name) throw new Error('an identifier is not what it is called');
      return `${id.kind}:${protector.reveal(id).value}`;
    };
    for (const { a, b, reason } of division.reviews)
      if (reason === 'idle') idle.push(`${clear(a)} ${clear(b)}`);
    const parts = split(await store.events(cluster), division);
    expect(new Set(profileIds(cluster.id, cluster.graph, division)).size).toBe(division.members.length);
    for (const [i, { names }] of division.members.entries()) {
      const events = parts[i]?.map(({ id }) => id) ?? [];
      if (events.length > 0) found.push({ names: names.map(clear).sort(byText), events });
    }
  }
  found.sort((a, b) => byText(a.events[0] ?? '', b.events[0] ?? ''));
  return { people: found, idle };
}

test('an identifier that was given up is somebody else’s from then on: what a plain walk says, in any order', {
  timeout: 120_000,
}, async () => {
  for (const { seed, thrown, events, said, idleDays } of cases) {
    const shared = sharedOf(zone, idleDays === undefined ? {} : { identity: { phoneIdleDays: idleDays } });
    const again = replayOf(FILE, seed);
    const all = [...events, ...said];
    const must = ownersOf(all, idleDays);
    if (JSON.stringify(must) !== JSON.stringify(ownersOf(events))) divided++;
    if (must.idle.length > 0) idle++;
    const plain = await played([{ send: [events, said] }], shared, { seed, disorder: orderly });
    const plan = thrown.chance(0.3) ? faultsOf(thrown) : [];
    const any = await played([{ send: mixed(all, thrown) }, { redrive: true }], shared, {
      ...{ seed, plan, workers: 1 + thrown.below(2), disorder: disorderly },
      batch: { events: 1 + thrown.below(4) },
    });
    worlds += 2;
    for (const world of [plain, any]) {
      const seen = await seenIn(world, shared);
      expect(seen.people, `${world === plain ? 'the words last' : 'in any order'}; again: ${again}`).toEqual(
        must.people,
      );
      expect(new Set(seen.idle), again).toEqual(new Set(must.idle));
    }
    mustBeSame(await factsOf(plain), await factsOf(any), any, { replay: again, how: 'in any order' });
  }
});

test('those were hundreds of worlds, in half of which somebody’s events were another’s', () => {
  if (process.env.LAWS_SEED !== undefined) return;
  expect(worlds).toBeGreaterThanOrEqual(500);
  expect(divided).toBeGreaterThan(0.5 * cases.length);
  expect(idle).toBeGreaterThan(0.2 * cases.length);
});
