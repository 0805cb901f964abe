import { beforeAll, expect, test, vi } from 'vitest';
import type { Event } from '../../lib/events/event.ts';
import { DAY, HOUR, toIso } from '../../lib/platform/clock.ts';
import { restrictionEvent } from '../../lib/privacy/restriction.ts';
import { isKeptAt, type Kept } from './oracle/expiry.ts';
import { family } from './oracle/family.ts';
import { NOW } from './oracle/histories.ts';
import { expectedPerson } from './oracle/oracle.ts';
import { byText } from './oracle/order.ts';
import { ownersOf } from './oracle/tenures.ts';
import { anything, pick, release } from './recycled-people.ts';
import { replayOf, seeds } from './runs.ts';
import { seenWorld } from './seen.ts';
import { played, type Step } from './story.ts';
import { factsOf, mustBeSame } from './verdict.ts';
import { type Shared, sharedOf } from './wiring.ts';
import { disorderly } from './world/mailbox.ts';
import { type Dice, dice } from './world/random.ts';

// Phones change hands, events expire and people are restricted, all in one history. Who has which events is what a plain walk
// says of all that was ever taken; what they hold and are credited with is told of what is kept; and of whoever is restricted
// nothing is used from then on.

const FILE = 'together';
const CASES = 150;
const zone = 'Asia/Shanghai';
const counts = { worlds: 0, taken: 0, expired: 0, restricted: 0, parted: 0 };

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {}); // conflicts between workers are logged, and are no failures
});

const members = ['member_id:m1', 'member_id:m2', 'wechat_unionid:u1', 'wechat_unionid:u2'];

/** Restrictions, and their ends, of identifiers that nobody else ever has. */
const someWords = (events: readonly Event[], thrown: Dice, apart: number): Event[] => {
  const known = events
    .flatMap(({ identifiers }) => identifiers)
    .filter(({ kind, value }) => members.includes(`${kind}:${value}`));
  if (known.length === 0) return [];
  return Array.from({ length: thrown.below(4) }, () =>
    restrictionEvent(
      pick(known, thrown),
      thrown.chance(0.75),
      toIso(NOW - (2 + apart * thrown.below(12)) * DAY - thrown.below(2) * HOUR),
    ),
  );
};

/** Since when somebody is restricted, by what was said as any of their identifiers. */
function restrictedSince(said: readonly Event[], names: readonly string[]): string | undefined {
  const runs = names.flatMap((name) => {
    const own = said.filter(({ identifiers }) =>
      identifiers.some(({ kind, value }) => `${kind}:${value}` === name),
    );
    let from: string | undefined;
    for (const at of [...new Set(own.map(({ occurredAt }) => occurredAt))].sort(byText)) {
      const isOn = own.some((it) => it.occurredAt === at && it.type === 'processing_restricted');
      from = isOn ? (from ?? at) : undefined;
    }
    return from ?? [];
  });
  return runs.sort(byText)[0];
}

/** A person as they must be, of what is kept of their events. */
function told(own: readonly Event[], restricted: string | undefined, end: number, { brand }: Shared) {
  const all = expectedPerson(own, brand, family, end);
  const { events, firstSeenAt, lastSeenAt } = all;
  return restricted === undefined ? all : { events, firstSeenAt, lastSeenAt, tags: [] };
}

const first = ({ events }: { readonly events: readonly string[] }) => events[0] ?? '';

test('what changed hands, what is expired and who is restricted are told by one plain reader, in any order', {
  timeout: 120_000,
}, async () => {
  for (const seed of seeds(150_001, CASES)) {
    const thrown = dice(seed);
    const idleDays = seed % 2 === 0 ? 40 : undefined;
    const apart = idleDays === undefined ? 1 : 15;
    const kept: Kept = { days: 8 * apart, types: { order_paid: 14 * apart, order_refunded: 14 * apart } };
    const shared = sharedOf(zone, {
      ...(idleDays !== undefined && { identity: { phoneIdleDays: idleDays } }),
      retention: { events: { days: 8 * apart, orders: 14 * apart } },
    });
    const size = 4 + thrown.below(9) + (thrown.chance(0.1) ? 24 : 0);
    const events = Array.from({ length: size }, (_, i) => anything(seed, i, thrown, apart));
    const releases = Array.from({ length: thrown.below(3) }, (_, i) => release(seed, i, thrown, apart));
    const words = someWords(events, thrown, apart);
    const late = events.filter(() => thrown.chance(0.2));
    const soon = [...events.filter((it) => !late.includes(it)), ...releases, ...words];
    const passMs = thrown.below(9 * apart) * DAY;
    const end = NOW + passMs;

    const isTaken = (event: Event) => isKeptAt(event, late.includes(event) ? end : NOW, zone, kept);
    const taken = events.filter(isTaken);
    const { people } = ownersOf([...taken, ...releases], idleDays);
    const must = people
      .map(({ names, events: ids }) => ({
        names,
        own: ids.flatMap((id) => taken.find((it) => it.id === id) ?? []),
      }))
      .map(({ names, own }) => ({ names, own: own.filter((it) => isKeptAt(it, end, zone, kept)) }))
      .filter(({ own }) => own.length > 0)
      .map(({ names, own }) => told(own, restrictedSince(words, names), end, shared))
      .sort((a, b) => byText(first(a), first(b)));

    const messages = (all: readonly Event[]): Event[][] => {
      const left = [...all, ...all.filter(() => thrown.chance(0.2))];
      return Array.from({ length: left.length }, () => [thrown.take(left)]);
    };
    const steps = (isWhole: boolean): Step[] => [
      { send: isWhole ? [soon] : messages(soon) },
      ...(passMs > 0 && !isWhole && thrown.chance(0.5) ? [{ tick: true } as const] : []),
      ...[{ passMs }, { tick: true } as const, { send: isWhole ? [late] : messages(late) }],
      ...(isWhole ? [] : [{ again: true } as const]),
      ...[{ redrive: true } as const, { tick: true } as const, { tick: true } as const],
    ];
    const plain = await played(steps(true), shared, { seed });
    const any = await played(steps(false), shared, {
      ...{ seed, workers: 1 + thrown.below(2), disorder: disorderly, batch: { events: 1 + thrown.below(4) } },
    });
    const of = { replay: replayOf(FILE, seed), how: `${passMs / DAY} days later` };
    for (const world of [plain, any]) {
      const { profiles } = await seenWorld(world.table, shared, end);
      const seen = [...profiles]
        .sort((a, b) => byText(first(a), first(b)))
        .map((it, i) =>
          Object.fromEntries(Object.keys(must[i] ?? it).map((key) => [key, Reflect.get(it, key)])),
        );
      expect(seen, `${of.how}: ${of.replay}`).toEqual(must);
    }
    mustBeSame(await factsOf(plain), await factsOf(any), any, of);

    counts.worlds += 2;
    counts.taken += taken.length;
    counts.expired += taken.filter((it) => !isKeptAt(it, end, zone, kept)).length;
    counts.restricted += must.filter((it) => !('conversions' in it)).length;
    if (JSON.stringify(people) !== JSON.stringify(ownersOf(taken).people)) counts.parted++;
  }
});

test('those were hundreds of worlds, in which all three happened', () => {
  if (process.env.LAWS_SEED !== undefined) return;
  process.stdout.write(`${FILE}: ${JSON.stringify(counts)}\n`);
  expect(counts.worlds).toBeGreaterThanOrEqual(2 * CASES);
  expect(counts.expired).toBeGreaterThan(0.2 * counts.taken);
  expect(counts.restricted).toBeGreaterThan(0.3 * CASES);
  expect(counts.parted).toBeGreaterThan(0.25 * CASES);
});
