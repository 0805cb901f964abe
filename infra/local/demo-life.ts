// What the lives of a brand's people are told with.
import type { Dice } from './demo-dice.ts';
import type { Person } from './demo-person.ts';

export const PERSONS = 200;
/** Brand-days before today on which people may come in. */
export const DAYS = 60;

/** What the life of a person is told with. */
export interface Life {
  readonly person: Person;
  readonly dice: Dice;
  /** An instant of the brand-day so many days ago, in opening hours. */
  at(daysAgo: number): number;
  /** So many minutes after `at`. */
  after(at: number, leastMinutes: number, mostMinutes: number): number;
}

/** One kind of person: how many of a hundred are so, and what they do. */
export interface Kind {
  readonly share: number;
  live(life: Life): void;
}

export interface Trade {
  readonly site: string;
  /** The phone of the nth person: numbers that belong to nobody. */
  phone(n: number): string;
  readonly kinds: readonly [Kind, ...Kind[]];
}
