import { describe, expect, test } from 'vitest';
import type { Event } from '../../lib/events/event.ts';
import { rfmSettings } from '../../lib/platform/brand.ts';
import { copyPerson, emptyPerson, forget, viewOf, walk, watch } from '../../lib/profile/person.ts';
import type { FoldedEvent } from '../../lib/tags/cells.ts';
import { nextChange } from '../../lib/tags/changes.ts';
import { checkRule } from '../../lib/tags/check.ts';
import { evidence, explainTag } from '../../lib/tags/explain.ts';
import { compileRules, type RuleBook } from '../../lib/tags/rulebook.ts';
import { dice } from '../laws/world/random.ts';
import { aBrand } from '../profile/a-profile.ts';
import { type Era, someEra, someHistory, someRule } from './grammar.ts';
import { dayOf, says } from './naive.ts';
import { DAY_MS, HOUR_MS, midnight } from './oracle.ts';
import { type Rule, textOf } from './spoken.ts';

const rfm = rfmSettings.parse({});
const HORIZON_DAYS = 70;

/** A value that is entered by one condition and left by another. */
interface Stage {
  readonly name: string;
  readonly enter: Rule;
  readonly leave: Rule;
}

interface Machine {
  readonly zone: string;
  readonly stages: readonly Stage[];
  readonly book: RuleBook;
}

function someMachine(throws: ReturnType<typeof dice>, era: Era, zone: string): Machine {
  const stages = ['one', 'two', 'three'].map((name) => ({
    name,
    enter: someRule(throws, era, [], 1),
    leave: someRule(throws, era, [], 1),
  }));
  const values = Object.fromEntries(
    stages.map(({ name, enter, leave }) => [name, `held(${textOf(enter)}, ${textOf(leave)})`]),
  );
  const rules = [
    { tag: 'stage', version: 1, values },
    { tag: 'second', version: 1, when: 'tagValue("stage") == "two"' },
  ];
  return { zone, stages, book: compileRules(rules, { timezone: zone, rfm }) };
}

/** Every instant up to a last one at which a window may end, and every event. */
function everyInstant(events: readonly FoldedEvent[], to: number, zone: string): number[] {
  const first = events[0]?.at ?? to;
  const [from, last] = [dayOf(first, zone), dayOf(to, zone)];
  const midnights = Array.from({ length: last - from }, (_, i) => midnight(from + 1 + i, zone));
  const hours = events.flatMap(({ at }) => [1, 12, 23, 24, 36, 48].map((length) => at + length * HOUR_MS));
  return [...new Set([...events.map(({ at }) => at), ...midnights, ...hours])]
    .filter((at) => at >= first && at <= to)
    .sort((a, b) => a - b);
}

/** The stage at one instant after the other, by asking the raw events at each and remembering the answer before. */
function history({ stages, zone }: Machine, events: readonly FoldedEvent[], to: number) {
  let stage: string | undefined;
  return everyInstant(events, to, zone).map((now) => {
    const past = { events, traits: {}, now, zone, tag: () => false };
    stage = stages.find(
      ({ name, enter, leave }) =>
        says(enter, past) === true || (stage === name && says(leave, past) !== true),
    )?.name;
    return { at: now, stage };
  });
}

/** As the profile keeps it. */
const told = ({ id, type, at, channel, properties }: FoldedEvent): Event => ({
  id,
  type,
  occurredAt: new Date(at).toISOString(),
  receivedAt: new Date(at).toISOString(),
  source: { channel, account: 'x' },
  identifiers: [],
  properties,
  context: { timeSource: 'sender', verified: 'signed' },
});

describe.each(['Asia/Shanghai', 'America/New_York'])('in %s', (zone) => {
  const brand = aBrand({ timezone: zone });

  test('a machine with memory is in the stage, since the instant and until the change, that asking at every instant finds', () => {
    const throws = dice(zone.length);
    let [found, changes] = [0, 0];
    for (let i = 0; i < 150; i++) {
      const era = { ...someEra(throws), days: 20 };
      const machine = someMachine(throws, era, zone);
      const events = someHistory(throws, era, zone);
      if (events.length === 0) continue;
      const rules = { book: machine.book, brand };
      const cut = throws.below(events.length);
      const now = (events.at(-1)?.at ?? 0) + throws.below(30 * DAY_MS);
      const all = history(machine, events, midnight(dayOf(now, zone) + HORIZON_DAYS, zone));

      // Walked in two parts with what no window can see forgotten between, looked at on the way or not.
      const person = emptyPerson();
      const first = events.slice(0, cut);
      walk(person, first.map(told), rules);
      if (throws.chance(0.5)) forget(person, rules);
      const looked = copyPerson(person);
      const next = events[cut]?.at ?? now;
      if (throws.chance(0.5)) watch(looked, next - 1, rules);
      const rest = events.slice(cut).filter(({ at }) => at > looked.walkedTo);
      walk(looked, rest.map(told), rules);
      watch(looked, now, rules);
      const seen = [...first, ...rest];
      const told2 = seen.length === events.length ? all : history(machine, seen, all.at(-1)?.at ?? now);

      const [before, after] = [told2.filter(({ at }) => at <= now), told2.filter(({ at }) => at > now)];
      const stage = before.at(-1)?.stage;
      const since = before[before.findLastIndex((it) => it.stage !== stage) + 1]?.at;
      const how = JSON.stringify({ rules: machine.book.ruleOf('stage')?.rule, at: new Date(now), seen });
      expect(looked.tags.get('stage')?.value, how).toBe(stage);
      expect(looked.tags.has('second'), how).toBe(stage === 'two');
      if (stage !== undefined) expect(looked.tags.get('stage')?.since, how).toBe(since);
      const change = nextChange(machine.book, viewOf(looked), now, { tag: 'stage', limit: 10_000 });
      const expected = after.find((it) => it.stage !== stage)?.at;
      if (expected !== undefined) expect(change, how).toEqual({ at: expected, exact: true });
      else expect((change?.at ?? Number.POSITIVE_INFINITY) > (told2.at(-1)?.at ?? 0), how).toBe(true);
      if (stage !== undefined) found++;
      if (expected !== undefined) changes++;
    }
    expect(found).toBeGreaterThan(40);
    expect(changes).toBeGreaterThan(8);
  });
});

const day = (n: number) => Date.UTC(2026, 0, 1) + n * DAY_MS;
const order = (n: number): FoldedEvent => ({
  id: `o${n}`,
  type: 'order_paid',
  at: day(n),
  channel: 'shop',
  properties: {},
});
const bookOf = (when: string) => compileRules([{ tag: 'it', when, version: 1 }], { timezone: 'UTC', rfm });
const REGULAR =
  'held(events("order_paid").within("10d").count() >= 2, !events("order_paid").within("30d").any())';

/** Walked over the events, and looked at on a day. */
function onDay(n: number, when: string, ...events: FoldedEvent[]) {
  const rules = { book: bookOf(when), brand: aBrand({ timezone: 'UTC' }) };
  const person = emptyPerson();
  walk(person, events.filter(({ at }) => at <= day(n)).map(told), rules);
  watch(person, day(n), rules);
  return { person, book: rules.book, view: viewOf(person) };
}

test('who has bought twice in ten days is a regular until thirty days without an order, not until eleven', () => {
  const days = [0, 5, 6, 16, 17, 35, 36, 60];
  const held = days.map((n) => onDay(n, REGULAR, order(0), order(6)).person.tags.has('it'));
  expect(held).toEqual([false, false, true, true, true, true, false, false]);
  expect(onDay(40, REGULAR, order(0), order(6), order(37)).person.tags.has('it')).toBe(false);
});

test('it says since when, until when, and shows what earned it: without these events it is not held', () => {
  const events = [order(0), order(6), order(30), order(45)];
  const { person, book, view } = onDay(50, REGULAR, ...events);
  expect(person.tags.get('it')?.since).toBe(day(6));
  const explained = explainTag(book, 'it', view, day(50));
  expect([explained.value, explained.nextChangeAt]).toEqual([true, new Date(day(75)).toISOString()]);
  expect(explained.leaves.map(({ value }) => value)).toEqual([1, true]);
  const shown = evidence(book, 'it', events, day(50), {}, person.tags);
  expect(shown).toEqual(['o0', 'o6', 'o30', 'o45']);
  expect(evidence(book, 'it', events, day(50))).toEqual(['o30', 'o45']);
  const left = events.filter(({ id }) => id !== 'o0');
  expect(onDay(50, REGULAR, ...left).person.tags.has('it')).toBe(false);
});

test('whoever enters and leaves at once is in; what is missing neither enters nor leaves', () => {
  expect(onDay(1, 'held(true, true)', order(0)).person.tags.has('it')).toBe(true);
  expect(onDay(1, 'held(trait("x") == 1, false)', order(0)).person.tags.has('it')).toBe(false);
  const first = 'held(events("order_paid").within("2d").any(), trait("x") == 1)';
  expect(onDay(9, first, order(0)).person.tags.has('it')).toBe(true);
});

test.each([
  ['!held(true, false)', 'held() is the whole of a rule'],
  ['held(true, false) && true', 'held() is the whole of a rule'],
  ['held(held(true, false), false)', 'held() is the whole of a rule'],
  ['events("a").where(e, held(true, false)).any()', 'held() is the whole of a rule'],
  ['held(1, false)', 'held'],
  ['held(true)', 'held'],
])('%s is refused', (when, why) => {
  expect(() => bookOf(when)).toThrow(why);
});

test('a rule with memory is looked over as every other', () => {
  const brand = aBrand({ rules: [] });
  const findings = (when: string) => {
    const rule = { tag: 'it', when, version: 1 };
    return checkRule(rule, [rule], [], brand).findings.map(({ type }) => type);
  };
  expect(findings(REGULAR)).toEqual([]);
  expect(findings('held(true, events("a").any())')).toEqual(['always_true']);
});
