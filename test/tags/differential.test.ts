import { describe, expect, test } from 'vitest';
import type { Event } from '../../lib/events/event.ts';
import { rfmSettings } from '../../lib/platform/brand.ts';
import { emptyPerson, forget, walk, watch } from '../../lib/profile/person.ts';
import { emptyCells, type FoldedEvent, foldEvent, prune } from '../../lib/tags/cells.ts';
import { boundaries, nextChange } from '../../lib/tags/changes.ts';
import { evaluateTags } from '../../lib/tags/evaluate.ts';
import { packCells, unpackCells } from '../../lib/tags/pack.ts';
import { compileRules, type RuleBook } from '../../lib/tags/rulebook.ts';
import { type Dice, dice } from '../laws/world/random.ts';
import { aBrand } from '../profile/a-profile.ts';
import { type Era, someDate, someEra, someHistory, someRule } from './grammar.ts';
import { dayOf, says } from './naive.ts';
import { DAY_MS, HOUR_MS, midnight } from './oracle.ts';
import { type Rule, textOf } from './spoken.ts';

const zones = ['Asia/Shanghai', 'UTC', 'America/New_York'] as const;
/** Of each zone: books of rules, persons of a book, instants of a person. Together more than 50,000 cases. */
const [BOOKS, RULES, PERSONS, INSTANTS] = [60, 12, 4, 10];
/** Predictions of each zone. */
const PREDICTED_BOOKS = 57;
/** Histories of each zone that are walked. */
const SINCE_BOOKS = 200;

interface Subject {
  readonly zone: string;
  readonly era: Era;
  readonly rules: readonly Rule[];
  readonly book: RuleBook;
}

function someSubject(throws: Dice, zone: string): Subject {
  const era = someEra(throws);
  const rules: Rule[] = [];
  for (let i = 0; i < RULES; i++)
    rules.push(
      someRule(
        throws,
        era,
        rules.map((_, tag) => `t${tag}`),
      ),
    );
  const written = rules.map((rule, i) => ({ tag: `t${i}`, version: 1, when: textOf(rule) }));
  return { zone, era, rules, book: compileRules(written, { timezone: zone, rfm: rfmSettings.parse({}) }) };
}

/** What the raw events say of every rule; a rule reads only those before it. */
function naive(
  { rules, zone }: Subject,
  events: readonly FoldedEvent[],
  traits: Record<string, string>,
  now: number,
) {
  const held = new Set<string>();
  for (const [i, rule] of rules.entries())
    if (says(rule, { events, traits, now, zone, tag: (name) => held.has(name) }) === true) held.add(`t${i}`);
  return held;
}

/** What is kept of events that came late and in any order, of a person who was two persons, by way of the disk. */
function folded({ book }: Subject, events: readonly FoldedEvent[], now: number, throws: Dice) {
  let cells = emptyCells();
  const waiting = events.filter(({ at }) => at <= now);
  // What came in order may be forgotten where no window can see it any more.
  const forgetAt =
    waiting.length > 2 && throws.chance(0.5) ? (waiting[throws.below(waiting.length)]?.at ?? now) : undefined;
  if (forgetAt !== undefined) {
    for (const event of waiting.splice(0, waiting.findLastIndex(({ at }) => at <= forgetAt) + 1))
      foldEvent(book, cells, event);
    prune(book, cells, forgetAt);
    cells = unpackCells(JSON.parse(JSON.stringify(packCells(cells))));
  }
  while (waiting.length > 0) foldEvent(book, cells, throws.take(waiting));
  return cells;
}

function someInstant(throws: Dice, { era, zone }: Subject, events: readonly FoldedEvent[]): number {
  const near = events[throws.below(Math.max(1, events.length))]?.at ?? era.middle * DAY_MS;
  const off = [-1, 0, 0, 1][throws.below(4)] ?? 0;
  switch (throws.below(4)) {
    case 0:
      return near + off;
    case 1:
      return near + ([1, 12, 24, 36, 48][throws.below(5)] ?? 0) * HOUR_MS + off;
    case 2:
      return midnight(dayOf(near, zone) + throws.below(32), zone) + off;
    default:
      return midnight(era.middle + throws.below(era.days), zone) + throws.below(DAY_MS);
  }
}

const someTraits = (throws: Dice, { era }: Subject): Record<string, string> => ({
  ...(throws.chance(0.7) ? { city: throws.chance(0.5) ? '上海' : '北京' } : {}),
  ...(throws.chance(0.8) ? { born: someDate(throws, era) } : {}),
});

/** Two persons who turn out to be one. */
const joined = (a: readonly FoldedEvent[], b: readonly FoldedEvent[]) =>
  [...a, ...b].sort((x, y) => x.at - y.at || (x.id < y.id ? -1 : 1));

const shown = (subject: Subject, tag: string, at: number, events: readonly FoldedEvent[]) =>
  JSON.stringify({
    rule: textOf(subject.rules[Number(tag.slice(1))]!),
    zone: subject.zone,
    at: new Date(at),
    events,
  });

describe.each(zones)('in %s', (zone) => {
  test('every tag is what an interpreter of the raw events says, late, joined, forgotten and unpacked', () => {
    const throws = dice(zones.indexOf(zone) + 41);
    let [cases, held] = [0, 0];
    for (let i = 0; i < BOOKS; i++) {
      const subject = someSubject(throws, zone);
      for (let j = 0; j < PERSONS; j++) {
        const history = () => someHistory(throws, subject.era, zone);
        const events = throws.chance(0.3) ? joined(history(), history()) : history();
        const traits = someTraits(throws, subject);
        for (let k = 0; k < INSTANTS; k++) {
          const at = someInstant(throws, subject, events);
          const view = { cells: folded(subject, events, at, throws), traits };
          const said = naive(subject, events, traits, at);
          const is = evaluateTags(subject.book, view, at);
          for (const { tag } of subject.book.rules)
            if (is.has(tag) !== said.has(tag))
              expect.fail(`${tag} is ${is.has(tag)}: ${shown(subject, tag, at, events)}`);
          cases += RULES;
          held += said.size;
        }
      }
    }
    expect(cases * zones.length).toBeGreaterThan(50_000);
    expect(held / cases).toBeGreaterThan(0.2); // rules that never hold would agree as well
    expect(held / cases).toBeLessThan(0.8);
  });

  test('the next change is where asking day by day, and at the ends of hours, first hears another answer', () => {
    const throws = dice(zones.indexOf(zone) + 7);
    let [cases, found] = [0, 0];
    for (let i = 0; i < PREDICTED_BOOKS; i++) {
      const subject = someSubject(throws, zone);
      for (let j = 0; j < 5; j++) {
        const events = someHistory(throws, subject.era, zone);
        const traits = someTraits(throws, subject);
        const from = someInstant(throws, subject, events);
        const past = events.filter(({ at }) => at <= from);
        const view = { cells: folded(subject, past, from, throws), traits };
        const first = firstDifferences(subject, past, traits, from);
        const stops = new Set(boundaries(subject.book, view.cells, from, first.until, traits));
        const more = new Set(boundaries(subject.book, view.cells, from, first.until));
        for (const [at, tag] of first.all)
          if ((!stops.has(at) || !more.has(at)) && at <= first.until)
            expect.fail(`no stop at ${shown(subject, tag, at, past)}`);
        for (const { tag } of subject.book.rules) {
          const expected = first.changes.get(tag);
          const { at, exact } = nextChange(subject.book, view, from, { tag, limit: 10_000 }) ?? {};
          const isRight = at === expected || (expected === undefined && at !== undefined && at > first.until);
          if (!isRight || (exact === false && expected !== undefined))
            expect.fail(
              `${tag} changes ${expected && new Date(expected)}, not ${at && new Date(at)}: ${shown(subject, tag, from, past)}`,
            );
          cases++;
          if (expected !== undefined) found++;
        }
      }
    }
    expect(cases * zones.length).toBeGreaterThan(10_000);
    expect(found / cases).toBeGreaterThan(0.08);
  });

  test('a tag is held since the instant at which asking day by day, and at the ends of hours, first heard so', () => {
    const throws = dice(zones.indexOf(zone) + 23);
    let held = 0;
    for (let i = 0; i < SINCE_BOOKS; i++) {
      const subject = someSubject(throws, zone);
      if (subject.era.days > 60) continue;
      const rules = { book: subject.book, brand: aBrand({ timezone: zone }) };
      const events = someHistory(throws, subject.era, zone);
      if (events.length === 0) continue;
      const person = emptyPerson();
      const cut = throws.below(events.length);
      walk(person, events.slice(0, cut).map(told), rules);
      forget(person, rules);
      walk(
        person,
        events
          .slice(cut)
          .filter(({ at }) => at > person.walkedTo)
          .map(told),
        rules,
      );
      const now = (events.at(-1)?.at ?? 0) + throws.below(40 * DAY_MS);
      watch(person, now, rules);
      const walked = events.filter(({ at }, i) => i < cut || at > (events[cut - 1]?.at ?? 0));
      const expected = sinceOf(subject, walked, now);
      for (const { tag } of subject.book.rules)
        if (person.tags.get(tag)?.since !== expected.get(tag))
          expect.fail(`since ${expected.get(tag)}: ${shown(subject, tag, now, walked)}`);
      held += expected.size;
    }
    expect(held).toBeGreaterThan(300);
  });
});

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

/** Since when each tag is held, by asking at every event, midnight and end of hours up to an instant. */
function sinceOf(subject: Subject, events: readonly FoldedEvent[], now: number): Map<string, number> {
  const first = events[0]?.at ?? now;
  const days = dayOf(now, subject.zone) - dayOf(first, subject.zone);
  const midnights = Array.from({ length: days }, (_, i) =>
    midnight(dayOf(first, subject.zone) + 1 + i, subject.zone),
  );
  const instants = [...events.map(({ at }) => at), ...midnights, ...endsOfHours(events)];
  const since = new Map<string, number>();
  for (const at of [...new Set(instants)].filter((it) => it <= now).sort((a, b) => a - b)) {
    const is = naive(subject, events, {}, at);
    for (const i of subject.rules.keys()) {
      const tag = `t${i}`;
      if (!is.has(tag)) since.delete(tag);
      else if (!since.has(tag)) since.set(tag, at);
    }
  }
  return since;
}

const endsOfHours = (events: readonly FoldedEvent[]) =>
  events.flatMap(({ at }) => [1, 12, 23, 24, 36, 48].map((length) => at + length * HOUR_MS));

const HORIZON_DAYS = 130;

/** When each tag is first another than at `from`, if nothing more happens, and all that changes after. */
function firstDifferences(
  subject: Subject,
  events: readonly FoldedEvent[],
  traits: Record<string, string>,
  from: number,
) {
  const today = dayOf(from, subject.zone);
  const until = midnight(today + HORIZON_DAYS, subject.zone);
  const midnights = Array.from({ length: HORIZON_DAYS }, (_, i) => midnight(today + 1 + i, subject.zone));
  const instants = [...new Set([...midnights, ...endsOfHours(events)])]
    .filter((at) => at > from)
    .sort((a, b) => a - b);
  const was = naive(subject, events, traits, from);
  let before = was;
  const all: [at: number, tag: string][] = [];
  const changes = new Map<string, number>();
  for (const at of instants) {
    const is = naive(subject, events, traits, at);
    for (const i of subject.rules.keys()) {
      const tag = `t${i}`;
      if (!changes.has(tag) && is.has(tag) !== was.has(tag)) changes.set(tag, at);
      if (is.has(tag) !== before.has(tag)) all.push([at, tag]);
    }
    before = is;
  }
  return { changes, all, until };
}
