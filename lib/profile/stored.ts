import type { EventContext, Json } from '../events/event.ts';

// What a state and a segment are in the table: plain JSON by place. It is ours alone and numbered (`compressed.ts`), so
// reading it looks at its outline and believes the rest: looking at each value took longer than decompressing them.

type Nothing = 0;

export type StoredTag = readonly [tag: string, value: 1 | string, since: number, version: number];

export type StoredActivity = readonly [
  day: number,
  /** After the cluster's first. */
  firstAt: number,
  firstChannel: string,
  isNew: 1 | Nothing,
  stage: string | Nothing,
  orders: number,
  money: Readonly<Record<string, number>> | Nothing,
];

export type StoredSeen = readonly [at: number, channel: string];

type StoredTraits = Readonly<Record<string, Json>>;

export type StoredEvent = readonly [
  id: string,
  type: string,
  /** After the event before; of the first, after the cluster's first. */
  occurredAt: number,
  /** After `occurredAt`. */
  receivedAt: number,
  source: readonly [channel: string, account: string],
  /** Of the graph, by their place; or another cluster's. */
  identifiers: readonly (number | readonly [kind: string, scope: string, value: string])[],
  properties: Record<string, Json>,
  /** Or these with those that are said once. */
  traits: StoredTraits | Nothing | readonly [StoredTraits | Nothing, StoredTraits],
  /** First letters of `verified` and `timeSource`. */
  letters: string,
  context: Omit<EventContext, 'verified' | 'timeSource'>,
];

export type StoredPerson = [
  traits: readonly (readonly [name: string, value: Json, at: number, event: string])[],
  tags: readonly StoredTag[],
  /** The tag engine's own form. */
  cells: Json,
  first: StoredSeen | Nothing,
  last: StoredSeen | Nothing,
  activity: StoredActivity | Nothing,
  walkedTo: number | null,
  /** Where anything was said: its own form. */
  consents?: unknown,
];

export type StoredShown = readonly [
  profile: string,
  tags: readonly StoredTag[],
  activity: StoredActivity | Nothing,
  earlier: readonly StoredActivity[] | Nothing,
  /** Where there are any: after the cluster's first, `vip`, `silent` or neither. */
  tiers?: readonly (readonly [at: number, tier: 2 | 1 | 0])[],
];

/** How far the sealed part goes, and when it begins to expire: after the cluster's first; `null`: never. */
export type StoredFrontier = readonly [frontier: number, expires: number | null];

export type StoredState = readonly [
  since: number,
  /** Its own form. */
  graph: unknown,
  frontier: StoredFrontier | null,
  sequence: number,
  people: readonly StoredPerson[],
  tail: readonly StoredEvent[],
  outbox: readonly string[] | Nothing,
  shown: readonly StoredShown[],
];

/** @throws Error if a state is none of ours */
export function storedState(it: unknown): StoredState {
  if (!isState(it)) throw new Error('what a row holds is no state of a cluster');
  return it;
}

/** @throws Error if a segment is none of ours */
export function storedEvents(it: unknown): readonly StoredEvent[] {
  if (!areEvents(it)) throw new Error('what a row holds are no events of a segment');
  return it;
}

const isState = (it: unknown): it is StoredState =>
  isRow(it, 8) &&
  typeof it[0] === 'number' &&
  (it[2] === null || isRow(it[2], 2)) &&
  typeof it[3] === 'number' &&
  areRows(it[4], 7) &&
  areEvents(it[5]) &&
  (it[6] === 0 || Array.isArray(it[6])) &&
  areRows(it[7], 4);

const areEvents = (it: unknown): it is readonly StoredEvent[] => areRows(it, 10);

/** Whether it is a list of lists of so many places at least. */
export const areRows = (it: unknown, places: number): boolean =>
  Array.isArray(it) && it.every((row) => isRow(row, places));

export const isRow = (it: unknown, places: number): it is readonly unknown[] =>
  Array.isArray(it) && it.length >= places;
