import { createHash } from 'node:crypto';
import type { Json } from '../events/event.ts';
import { type Anchor, type EventAnchor, reachText } from './anchors.ts';
import { type Calendar, weekdayOf } from './calendar.ts';
import { type Column, columnNames } from './columns.ts';
import { compiledLanguage, type Expression, inPlace } from './language.ts';
import { type Aggregate, type EventsReference, referenceText } from './leaves.ts';
import { RuleError, type RulePlace } from './rule-error.ts';
import type { Sequence, Step } from './sequence-text.ts';
import type { SequencePlan } from './sequences.ts';
import { toCel } from './values.ts';
import { type Dates, lastDays, MAX_DAYS, type Window, windowText } from './windows.ts';

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
  /** In brand-days, where values are weighed. */
  readonly halfLife: number | undefined;
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
  /** Of a window that stands at the time of another event: it keeps what that reaches, and no more. */
  readonly anchor: EventAnchor | undefined;
  /** Then all that is kept is that of `sequences.ts`. */
  readonly sequence: SequencePlan | undefined;
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
  const { type, filter, property, anchor } = reference;
  return JSON.stringify([
    type,
    filter ?? null,
    property ?? null,
    datesOf(reference) ?? null,
    anchorText(anchor),
    reference.sequence ?? null,
    reference.halfLife ?? null,
  ]);
};

/** Windows on one trait are read from one feature: what it keeps does not depend on it. */
const anchorText = (anchor: Anchor | undefined): string | null => {
  if (!anchor) return null;
  return anchor.of.kind === 'events'
    ? `${reachText(anchor)}.${anchor.side}(${referenceText(anchor.of)})`
    : 'trait';
};

/** `firstEver` looks at all time, and asks then whether that was in its window. */
const datesOf = ({ aggregate, dates }: EventsReference): Dates | undefined =>
  aggregate === 'firstEver' ? undefined : dates;

/** Where what a reference reads is kept: of all time, by the brand-day, or one by one for hours. */
export function partOf({ aggregate, window, anchor }: EventsReference): 'total' | 'daily' | 'hourly' {
  if (anchor) return anchor.unit === 'hour' ? 'hourly' : 'daily';
  if (!window || aggregate === 'firstEver') return 'total';
  return window.unit === 'hour' ? 'hourly' : 'daily';
}

/**
 * The windows whose ends matter to a reference. A streak ends also when there was nothing yesterday; what is
 * anchored on a trait, which nobody knows when events are forgotten, counts no further back than the longest window.
 */
export const windowsOf = ({ aggregate, window, anchor }: EventsReference): readonly Window[] =>
  anchor && anchor.of.kind !== 'events'
    ? [lastDays(MAX_DAYS)]
    : window
      ? aggregate === 'streak'
        ? [window, lastDays(2)]
        : [window]
      : [];

/** A feature as people read it: `order_paid[(e.store == "A")].paid_amount`. */
export const featureText = ({ type, filter, property, sequence }: Feature): string =>
  sequence?.steps.map((it) => it.type).join(' → ') ??
  `${type}${filter === undefined ? '' : `[${filter}]`}${property === undefined ? '' : `.${property}`}`;

/** One feature for all references with the same key. */
export function planFeature(
  references: readonly EventsReference[],
  timezone: string,
  place: RulePlace,
  anchor?: EventAnchor,
): Feature {
  const [reference] = references;
  if (!reference) throw new Error('a feature needs a reference');
  const { type, filter, property, halfLife, sequence } = reference;
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
    halfLife,
    dates: datesOf(reference),
    total: sequence ? (['first', 'last'] as const) : columnsIn('total'),
    daily: columnsIn('daily'),
    dayWindows: distinct(readIn('daily').flatMap(windowsOf)),
    hourly: columnsIn('hourly'),
    hourWindows: distinct(readIn('hourly').flatMap(windowsOf)),
  };
  const { dayWindows, hourWindows, ...parts } = form;
  const kept = {
    ...parts,
    reach: reachOf([...dayWindows, ...hourWindows]),
    timezone,
    at: anchorText(reference.anchor) ?? undefined,
    anchor,
    sequence,
  };
  return {
    id: `f${digest(kept, 6)}`,
    ...form,
    firstWindows: distinct(readIn('total').flatMap(windowsOf)),
    firstSlot: form.total?.indexOf('first') ?? -1,
    anchor,
    sequence: planOf(reference.sequence, place),
    admits: admission(filter, place),
  };
}

/** The types of events that a feature has to see. */
export const typesOf = ({ type, sequence }: Feature): string[] =>
  sequence
    ? [...new Set([...sequence.steps, ...(sequence.without ? [sequence.without] : [])].map((it) => it.type))]
    : [type];

function planOf(sequence: Sequence | undefined, place: RulePlace): SequencePlan | undefined {
  if (!sequence) return undefined;
  const seen = (step: Step) => ({ ...step, admits: admission(step.filter, place) });
  const { steps, without, ...limits } = sequence;
  return { ...limits, steps: steps.map(seen), ...(without ? { without: seen(without) } : {}) };
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
      return holds(seen()) === true;
    } catch {
      return false;
    }
  };
}

function compileFilter(filter: string, place: RulePlace): Expression {
  try {
    const run = compiledLanguage(
      new Map([
        ['e', 'any'],
        ['weekday', 'int'],
        ['hour', 'int'],
      ]),
    ).parse(filter);
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
export type SeenEvent = () => ReadonlyMap<string, unknown>;

/**
 * The names in a condition: `e`, which is the properties by name, all of them again as `properties`, and the channel;
 * `weekday` and `hour` of the event in the brand's time zone.
 */
export function seeEvent(event: FoldedEvent, calendar: Calendar): SeenEvent {
  let seen: Seen | undefined;
  return () => {
    seen ??= new Seen(event, calendar);
    return seen;
  };
}

class Seen extends Map<string, unknown> {
  private readonly event: FoldedEvent;
  private readonly calendar: Calendar;

  constructor(event: FoldedEvent, calendar: Calendar) {
    super([['e', shownEvent(event)]]);
    this.event = event;
    this.calendar = calendar;
  }

  /** The clock is asked only where a condition asks it: that is dear. */
  override get(name: string): unknown {
    if (name === 'weekday') return BigInt(weekdayOf(this.calendar.brandDay(this.event.at)));
    return name === 'hour' ? BigInt(this.calendar.hourOf(this.event.at)) : super.get(name);
  }
}

function shownEvent(event: FoldedEvent): ReadonlyMap<string, unknown> {
  const properties = new Map(Object.entries(event.properties).map(([name, it]) => [name, toCel(it)]));
  return new Map<string, unknown>(properties).set('properties', properties).set('channel', event.channel);
}
