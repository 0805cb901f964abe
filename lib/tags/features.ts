import { createHash } from 'node:crypto';
import type { Json } from '../events/event.ts';
import { type Column, columnNames } from './columns.ts';
import { compiledLanguage, type Expression, inPlace } from './language.ts';
import type { Aggregate, EventsReference } from './leaves.ts';
import { RuleError, type RulePlace } from './rule-error.ts';
import { toCel } from './values.ts';

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
  /** All-time columns; undefined where every rule has a window. */
  readonly total: readonly Column[] | undefined;
  /** Columns of a brand-day; undefined where no rule has a window in days. */
  readonly daily: readonly Column[] | undefined;
  /** Lengths of windows in brand-days, ascending. */
  readonly dayWindows: readonly number[];
  /** Columns that are read over hours; undefined where no rule has such a window. */
  readonly hourly: readonly Column[] | undefined;
  /** Lengths of windows in hours, ascending. */
  readonly hourWindows: readonly number[];
  /** Whether the filter lets an event through. A filter that fails (a missing property, another type) does not. */
  admits(seen: SeenEvent): boolean;
}

/** The column that an aggregate reads; `any` and windowed `days` ask only whether something is there. */
export function columnOf(aggregate: Aggregate, windowed: boolean): Column | undefined {
  if (aggregate === 'count') return 'n';
  if (aggregate === 'any') return undefined;
  if (aggregate === 'days') return windowed ? undefined : 'days';
  return aggregate;
}

/** How a feature is told apart from others, before it is known what it has to keep. */
export const featureKey = ({
  type,
  filter,
  property,
}: Pick<Feature, 'type' | 'filter' | 'property'>): string =>
  JSON.stringify([type, filter ?? null, property ?? null]);

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
  const columnsIn = (unit: 'day' | 'hour' | undefined): readonly Column[] | undefined => {
    const read = references.filter(({ window }) => window?.unit === unit);
    const needed = new Set(read.map(({ aggregate }) => columnOf(aggregate, unit !== undefined)));
    return read.length > 0 ? columnNames.filter((name) => needed.has(name)) : undefined;
  };
  const windowsIn = (unit: 'day' | 'hour') =>
    [...new Set(references.flatMap(({ window }) => (window?.unit === unit ? [window.length] : [])))].sort(
      (a, b) => a - b,
    );
  const form = {
    type,
    filter,
    property,
    total: columnsIn(undefined),
    daily: columnsIn('day'),
    dayWindows: windowsIn('day'),
    hourly: columnsIn('hour'),
    hourWindows: windowsIn('hour'),
  };
  const kept = {
    ...form,
    dayWindows: form.dayWindows.at(-1),
    hourWindows: form.hourWindows.at(-1),
    timezone,
  };
  return { id: `f${digest(kept, 6)}`, ...form, admits: admission(filter, place) };
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
