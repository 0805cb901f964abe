import { createHash } from 'node:crypto';
import type { Json } from '../events/event.ts';
import { type Column, columnNames } from './columns.ts';
import { compiledLanguage, type Expression, inPlace } from './language.ts';
import type { Aggregate, EventsReference } from './leaves.ts';
import { RuleError, type RulePlace } from './rule-error.ts';
import { toCel } from './values.ts';
import { type Dates, lastDays, type Window, windowText } from './windows.ts';

/** What an event is to the engine: the part of it that rules can read. */
export interface FoldedEvent {
  readonly id: string;
  readonly type: string;
  /** Milliseconds since 1970 UTC. */
  readonly at: number;
  readonly properties: Readonly<Record<string, Json>>;
  readonly channel: string;
}

/**
 * What is kept of the events of one type under one filter (and of one property of theirs). Rules that ask the same
 * share it, whatever their windows; it keeps no more than they need.
 */
export interface Feature {
  /** Short and stable: a digest of everything below, so that a cell of this name is a cell of this form. */
  readonly id: string;
  readonly type: string;
  readonly filter: string | undefined;
  readonly property: string | undefined;
  /** Only events of these brand-days. */
  readonly dates: Dates | undefined;
  /** All-time columns; undefined where every rule has a window. */
  readonly total: readonly Column[] | undefined;
  /** Columns of a brand-day; undefined where no rule has a window in days, weeks or months. */
  readonly daily: readonly Column[] | undefined;
  /** Windows in days, weeks and months, each once. */
  readonly dayWindows: readonly Window[];
  /** Columns that are read over hours; undefined where no rule has such a window. */
  readonly hourly: readonly Column[] | undefined;
  /** Windows in hours, each once. */
  readonly hourWindows: readonly Window[];
  /** Windows in which `firstEver` looks for the first event of all time, and which total slot has its time. */
  readonly firstWindows: readonly Window[];
  readonly firstSlot: number;
  /** Whether the filter lets an event through. A filter that fails (a missing property, another type) does not. */
  admits(seen: SeenEvent): boolean;
}

/** Stands for every type of events: no event is of this type. */
export const ANY_TYPE = '*';

/** The column that an aggregate reads; `any` and windowed `days` ask only whether something is there. */
export function columnOf(aggregate: Aggregate, windowed: boolean): Column | undefined {
  if (aggregate === 'count') return 'n';
  if (aggregate === 'any') return undefined;
  if (aggregate === 'days' || aggregate === 'daysInRow') return windowed ? undefined : 'days';
  if (aggregate === 'streak') return undefined;
  if (aggregate === 'weeksWith') return 'n';
  return aggregate === 'firstEver' ? 'first' : aggregate;
}

/** How a feature is told apart from others, before it is known what it has to keep. */
export const featureKey = (reference: EventsReference): string => {
  const { type, filter, property } = reference;
  return JSON.stringify([type, filter ?? null, property ?? null, datesOf(reference) ?? null]);
};

/** `firstEver` looks at all time, and asks then whether that was in its window. */
const datesOf = ({ aggregate, dates }: EventsReference): Dates | undefined =>
  aggregate === 'firstEver' ? undefined : dates;

/** Where what a reference reads is kept: of all time, by the brand-day, or one by one for hours. */
export function partOf({ aggregate, window }: EventsReference): 'total' | 'daily' | 'hourly' {
  if (!window || aggregate === 'firstEver') return 'total';
  return window.unit === 'hour' ? 'hourly' : 'daily';
}

/** The windows whose ends matter to a reference. A streak ends also when there was nothing yesterday. */
export const windowsOf = ({ aggregate, window }: EventsReference): readonly Window[] =>
  window ? (aggregate === 'streak' ? [window, lastDays(2)] : [window]) : [];

/** A feature as people read it: `order_paid[(e.store == "A")].paid_amount`. */
export const featureText = ({ type, filter, property }: Feature): string =>
  `${type}${filter === undefined ? '' : `[${filter}]`}${property === undefined ? '' : `.${property}`}`;

/** One feature for all references with the same key. */
export function planFeature(
  references: readonly EventsReference[],
  timezone: string,
  place: RulePlace,
): Feature {
  const [reference] = references;
  if (!reference) throw new Error('a feature needs a reference');
  const { type, filter, property } = reference;
  const readIn = (part: 'total' | 'daily' | 'hourly') => references.filter((it) => partOf(it) === part);
  const columnsIn = (part: 'total' | 'daily' | 'hourly'): readonly Column[] | undefined => {
    const read = readIn(part);
    const needed = new Set(read.map(({ aggregate }) => columnOf(aggregate, part !== 'total')));
    return read.length > 0 ? columnNames.filter((name) => needed.has(name)) : undefined;
  };
  const form = {
    type,
    filter,
    property,
    dates: datesOf(reference),
    total: columnsIn('total'),
    daily: columnsIn('daily'),
    dayWindows: distinct(readIn('daily').flatMap(windowsOf)),
    hourly: columnsIn('hourly'),
    hourWindows: distinct(readIn('hourly').flatMap(windowsOf)),
  };
  const { dayWindows, hourWindows, ...parts } = form;
  const kept = { ...parts, reach: reachOf([...dayWindows, ...hourWindows]), timezone };
  return {
    id: `f${digest(kept, 6)}`,
    ...form,
    firstWindows: distinct(readIn('total').flatMap(windowsOf)),
    firstSlot: form.total?.indexOf('first') ?? -1,
    admits: admission(filter, place),
  };
}

const distinct = (windows: readonly Window[]): Window[] =>
  [...new Map(windows.map((window) => [windowText(window), window])).values()].sort(
    (a, b) => a.from - b.from,
  );

/** How far back events have to be kept, by unit. */
function reachOf(windows: readonly Window[]): [Window['unit'], number][] {
  const units = ['hour', 'day', 'week', 'month'] as const;
  return units.map((unit) => [
    unit,
    Math.max(0, ...windows.filter((it) => it.unit === unit).map(({ from }) => from)),
  ]);
}

/** A short digest of plain data. */
export const digest = (of: unknown, length: number): string =>
  createHash('sha256').update(JSON.stringify(of)).digest('base64url').slice(0, length);

function admission(filter: string | undefined, place: RulePlace): Feature['admits'] {
  if (filter === undefined) return () => true;
  const holds = compileFilter(filter, place);
  return (seen) => {
    try {
      return holds(new Map([['e', seen()]])) === true;
    } catch {
      return false;
    }
  };
}

function compileFilter(filter: string, place: RulePlace): Expression {
  try {
    const run = compiledLanguage(new Map([['e', 'any']])).parse(filter);
    const { valid, error } = run.check();
    if (!valid) throw error;
    return run;
  } catch (error) {
    const wrong = inPlace(error, {});
    throw wrong instanceof RuleError
      ? new RuleError(wrong.type, `inside where(): ${wrong.message}`, place)
      : wrong;
  }
}

/** An event as conditions see it, made when the first condition asks. */
export type SeenEvent = () => object;

/** `e` in a condition: the properties by name, all of them again as `properties`, and the channel. */
export function seeEvent(event: FoldedEvent): SeenEvent {
  let seen: object | undefined;
  return () => {
    if (!seen) {
      const properties = new Map(Object.entries(event.properties).map(([name, it]) => [name, toCel(it)]));
      seen = new Map<string, unknown>(properties).set('properties', properties).set('channel', event.channel);
    }
    return seen;
  };
}
