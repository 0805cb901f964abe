import type { TagValue } from './evaluate.ts';
import type { Tally } from './forecast-tally.ts';
import type { Outlook } from './forecast-walk.ts';

/** How many profiles are named of those that enter, and of those that leave. */
export const SAMPLE = 10;

export const emptyTally = (days: number): Tally => ({
  profiles: 0,
  before: {},
  after: {},
  enter: 0,
  leave: 0,
  change: 0,
  days: Array.from({ length: days }, () => ({ members: 0, entered: 0, left: 0 })),
  others: {},
  sample: { enter: [], leave: [] },
  cost: { journals: 0, events: 0, readUnits: 0 },
});

/** One profile: what it holds by the rules in force, and what by the draft. */
export interface Compared extends Outlook {
  readonly profile: string;
  readonly held: ReadonlyMap<string, TagValue>;
  readonly before: ReadonlyMap<string, TagValue>;
}

/**
 * Counts one profile.
 *
 * @param drafted every tag that the draft's rules earn; of all others the draft changes nothing
 */
export function tallyOne(it: Compared, tag: string, drafted: ReadonlySet<string>): Tally {
  const [before, after] = [it.before.get(tag), it.held.get(tag)];
  const enters = before === undefined && after !== undefined;
  const leaves = before !== undefined && after === undefined;
  return {
    ...emptyTally(0),
    profiles: 1,
    before: before === undefined ? {} : { [String(before)]: 1 },
    after: after === undefined ? {} : { [String(after)]: 1 },
    enter: Number(enters),
    leave: Number(leaves),
    change: Number(!enters && !leaves && before !== after),
    days: it.values.slice(1).map((value, i) => ({
      members: Number(value !== undefined),
      entered: Number(value !== undefined && it.values[i] === undefined),
      left: Number(value === undefined && it.values[i] !== undefined),
    })),
    others: othersOf(it, tag, drafted),
    sample: { enter: enters ? [it.profile] : [], leave: leaves ? [it.profile] : [] },
  };
}

function othersOf(
  { before, held }: Compared,
  tag: string,
  drafted: ReadonlySet<string>,
): Record<string, Tally['others'][string]> {
  const names = new Set([...before.keys(), ...held.keys()]);
  names.delete(tag);
  return Object.fromEntries(
    [...names].map((name) => {
      const had = before.has(name);
      const has = drafted.has(name) ? held.has(name) : had;
      return [
        name,
        {
          members: Number(has),
          both: Number(has && held.has(tag)),
          enter: Number(has && !had),
          leave: Number(had && !has),
        },
      ];
    }),
  );
}

/** The tally of all that some tallies count. */
export function sumTallies(tallies: Iterable<Tally>, days: number): Tally {
  const all = emptyTally(days);
  for (const it of tallies) addTally(all, it);
  return all;
}

/** Adds to a tally in place: a survey adds one profile after another. */
export function addTally(all: Tally, it: Tally): void {
  all.profiles += it.profiles;
  all.enter += it.enter;
  all.leave += it.leave;
  all.change += it.change;
  addNumbers(all.before, it.before);
  addNumbers(all.after, it.after);
  addNumbers(all.cost, it.cost);
  for (const [i, day] of it.days.entries()) {
    all.days[i] ??= { members: 0, entered: 0, left: 0 };
    addNumbers(all.days[i], day);
  }
  for (const [tag, counts] of Object.entries(it.others)) {
    all.others[tag] ??= { members: 0, both: 0, enter: 0, leave: 0 };
    addNumbers(all.others[tag], counts);
  }
  all.sample = {
    enter: firstOf(all.sample.enter, it.sample.enter),
    leave: firstOf(all.sample.leave, it.sample.leave),
  };
}

const firstOf = (a: string[], b: readonly string[]): string[] =>
  b.length === 0 ? a : [...new Set([...a, ...b])].sort().slice(0, SAMPLE);

function addNumbers(all: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) all[name] = (all[name] ?? 0) + count;
}
