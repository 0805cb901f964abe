import type { ASTNode } from '@marcbachmann/cel-js';
import { isPurpose } from '../consent/purpose.ts';
import { type Anchor, reachText } from './anchors.ts';
import { isoDay } from './calendar.ts';
import { type Chain, chainOf, dateOf, daysOf, fault, filterOf, numberOf, textOf } from './chain.ts';
import { MAX_NTH } from './columns.ts';
import { askText, type DateAsk } from './dates.ts';
import { functions, methods } from './language.ts';
import { patternOf } from './patterns.ts';
import { HALF_LIVES } from './preference.ts';
import { comprehensions } from './print.ts';
import { type ScoreAsk, scoreAskOf, scoreText } from './score-ask.ts';
import { type Sequence, sequenceOf, sequenceText } from './sequence-text.ts';
import { type Dates, MAX_DAYS, type Window, windowText } from './windows.ts';

export const aggregates = [
  ...(['count', 'sum', 'avg', 'min', 'max', 'distinct', 'days', 'any', 'first', 'last'] as const),
  ...(['firstEver', 'daysInRow', 'streak', 'weeksWith', 'nth', 'preference'] as const),
] as const;
/** `start` is what `bucket` reads, `faded` what scores do: no rule can ask for them. */
export type Aggregate = (typeof aggregates)[number] | 'start' | 'faded';

const MAX_BUCKETS = 10_000;

/** A number, a fact or a value that a rule reads, as it is written. */
export type Reference =
  | {
      readonly kind: 'events';
      readonly type: string;
      /** Canonical text of all conditions, in which the event is `e`. */
      readonly filter?: string;
      readonly property?: string;
      readonly aggregate: Aggregate;
      /** Of `weeksWith(3)` and `nth(3)`: 3. */
      readonly least?: number;
      /** Of `preference("p", "30d")`: 30. */
      readonly halfLife?: number;
      readonly window?: Window;
      readonly dates?: Dates;
      readonly anchor?: Anchor;
      /** Then the type is that of its first step, and the aggregate is of its ends. */
      readonly sequence?: Sequence;
    }
  | FactReference
  | { readonly kind: 'rfm'; readonly score: 'r' | 'f' | 'm'; readonly by?: 'quintiles' }
  | { readonly kind: 'bucket'; readonly salt: string; readonly of: number }
  | ScoreAsk
  | DateReference;
/** A question about a date: of a trait, or of a value that no window takes away. */
export interface DateReference {
  readonly kind: 'date';
  readonly of: FactReference | EventsReference;
  readonly ask: DateAsk;
}
export interface FactReference {
  readonly kind: 'trait' | 'hasTrait' | 'hasTag' | 'tagValue' | 'consent';
  readonly name: string;
}
export type EventsReference = Extract<Reference, { kind: 'events' }>;

/** A reference as text: the same text, the same value. */
export function referenceText(reference: Reference): string {
  if (reference.kind === 'rfm')
    return `rfm(${reference.by ? JSON.stringify(reference.by) : ''}).${reference.score}`;
  if (reference.kind === 'score') return scoreText(reference);
  if (reference.kind === 'bucket') return `bucket(${JSON.stringify(reference.salt)}, ${reference.of})`;
  if (reference.kind === 'date') return `${referenceText(reference.of)}${askText(reference.ask)}`;
  if (reference.kind !== 'events') return `${reference.kind}(${JSON.stringify(reference.name)})`;
  const { type, filter, window, dates, anchor, aggregate, property, least, halfLife } = reference;
  if (reference.sequence) return `${sequenceText(reference.sequence)}.${aggregate}()`;
  return [
    `events(${JSON.stringify(type)})`,
    filter && `.where(e, ${filter})`,
    window && windowText(window),
    dates && `.from("${isoDay(dates.from)}").to("${isoDay(dates.to)}")`,
    anchor && `${reachText(anchor)}.${anchor.side}(${referenceText(anchor.of)})`,
    `.${aggregate}(${property === undefined ? (least ?? '') : JSON.stringify(property)}${halfLife ? `, "${halfLife}d"` : ''})`,
  ]
    .filter(Boolean)
    .join('');
}

/** What a node reads, if it is a leaf. @throws RuleError for one that asks what cannot be answered */
export const leafAt = (node: ASTNode): Reference | undefined =>
  referenceOf(node) ?? dateReferenceOf(node) ?? scoreAskOf(node);

function referenceOf(node: ASTNode): Reference | undefined {
  if (node.op === 'rcall') return eventsOf(node);
  if (node.op === 'call') {
    const [name, args] = node.args;
    if (name === 'trait' || name === 'hasTrait') return { kind: name, name: textOf(args[0], node, name) };
    if (name === 'bucket')
      return { kind: name, salt: textOf(args[0], node, name), of: numberOf(args[1], node, MAX_BUCKETS) };
    if (name === 'hasTag' || name === 'tagValue') return { kind: name, name: textOf(args[0], node, name) };
    if (name === 'consent') return { kind: name, name: purposeOf(args[0], node) };
  }
  if (node.op === '.' && node.args[0].op === 'call' && node.args[0].args[0] === 'rfm') {
    const score = node.args[1];
    const by = cutsBy(node.args[0]);
    if (score === 'r' || score === 'f' || score === 'm') return { kind: 'rfm', score, ...by };
  }
  return undefined;
}

function purposeOf(node: ASTNode | undefined, call: ASTNode): string {
  const name = textOf(node, call, 'consent');
  if (isPurpose(name)) return name;
  const known = 'analytics, personalisation, sharing, marketing or marketing.CHANNEL';
  throw fault('name', `consent() asks of ${known}`, node ?? call);
}

/** `rfm()` goes by the brand's own cuts, `rfm("quintiles")` by those of the population. */
function cutsBy(node: ASTNode & { readonly op: 'call' }): { by?: 'quintiles' } {
  const [by] = node.args[1];
  if (!by) return {};
  if (textOf(by, node, 'rfm') !== 'quintiles')
    throw fault('name', 'RFM goes by the brand\'s own cuts, rfm(), or by rfm("quintiles")', by);
  return { by: 'quintiles' };
}

const dateAsks: readonly DateAsk['is'][] = [
  ...(['before', 'on', 'after', 'withinLast', 'withinNext', 'anniversary'] as const),
];
/** Beyond so many days every day has its anniversary ahead. */
const MAX_ANNIVERSARY = 365;

/** `trait("birthday").anniversary("7d")`, `events("t").last("until").withinNext("3d")`. */
function dateReferenceOf(node: ASTNode): DateReference | undefined {
  if (node.op !== 'rcall') return undefined;
  const [method, receiver, [length]] = node.args;
  const is = dateAsks.find((name) => name === method);
  if (!is) return undefined;
  const of = referenceOf(receiver);
  if (!isDated(of))
    throw fault(
      'type',
      `${is}() is asked of trait("…"), or of first(), last() or nth() of events without a window that moves`,
      node,
    );
  if (is === 'before' || is === 'on' || is === 'after')
    return { kind: 'date', of, ask: { is, day: dateOf(node) } };
  const days = daysOf(length, node, is === 'anniversary' ? MAX_ANNIVERSARY : MAX_DAYS);
  return { kind: 'date', of, ask: { is, days } };
}

/** Aggregates whose value can be a date. */
const dated: ReadonlySet<Aggregate> = new Set(['first', 'last', 'nth']);

function eventsOf(node: ASTNode & { readonly op: 'rcall' }): Reference | undefined {
  const [method, receiver] = node.args;
  const aggregate = aggregates.find((name) => name === method);
  const sequence = aggregate && sequenceOf(receiver, inFilter);
  if (sequence) return { kind: 'events', type: sequence.steps[0]?.type ?? '', aggregate, sequence };
  const chain = aggregate && chainOf(receiver, inFilter);
  if (!aggregate || !chain) return undefined;
  const { filters, anchored, ...rest } = chain;
  const reference: EventsReference = {
    kind: 'events',
    ...rest,
    ...(anchored ? { anchor: anchorOf(anchored) } : {}),
    filter: filterOf(filters),
    aggregate,
    ...askedOf(aggregate, node),
  };
  checkWindow(reference, node);
  return reference;
}

/** What stands in the parentheses of an aggregate. */
function askedOf(aggregate: Aggregate, node: ASTNode & { op: 'rcall' }) {
  const [argument, second] = node.args[2];
  if (aggregate === 'weeksWith') return { least: numberOf(argument, node, 1_000_000) };
  if (aggregate === 'nth') return { least: numberOf(argument, node, MAX_NTH) };
  if (aggregate === 'preference')
    return { property: textOf(argument, node, aggregate), halfLife: halfLifeOf(second, node) };
  return { property: argument && textOf(argument, node, aggregate) };
}

function halfLifeOf(node: ASTNode | undefined, call: ASTNode & { op: 'rcall' }): number {
  const days = daysOf(node, call, HALF_LIVES.most);
  if (days < HALF_LIVES.least)
    throw fault('window', `a half-life is "${HALF_LIVES.least}d" to "${HALF_LIVES.most}d"`, node ?? call);
  return days;
}

function anchorOf({ on, ...reach }: NonNullable<Chain['anchored']>): Anchor {
  const of = referenceOf(on);
  if (!of || !isDated(of) || (of.kind === 'events' && (of.property !== undefined || of.sequence)))
    throw fault(
      'window',
      `${reach.side}() takes trait("…"), or first(), last() or nth() of events without a window that moves`,
      on,
    );
  if (of.kind !== 'events' && reach.unit === 'hour')
    throw fault('window', `${reach.side}(trait("…")) counts brand-days: hours are no window for it`, on);
  return { ...reach, of };
}

/** Whether it can be a date, and stays the same while time passes. */
const isDated = (of: Reference | undefined): of is FactReference | EventsReference =>
  of?.kind === 'trait' || (of?.kind === 'events' && dated.has(of.aggregate) && !of.window && !of.anchor);

const unanchored: ReadonlySet<Aggregate> = new Set(['firstEver', 'streak', 'weeksWith', 'nth']);

/** Refuses an aggregate over a window in which it says nothing. */
function checkWindow({ aggregate, window, dates, anchor }: EventsReference, node: ASTNode): void {
  if (anchor && unanchored.has(aggregate))
    throw fault('window', `${aggregate}() has no window that is anchored`, node);
  if (aggregate === 'nth' && window)
    throw fault('window', 'nth() counts from the first of all time, or from the first of dates', node);
  const isDaily = window !== undefined && window.unit !== 'hour';
  if (aggregate === 'firstEver' && !window && !dates)
    throw fault('window', 'firstEver() asks whether the first event lies in a window: give it one', node);
  if (aggregate === 'streak' && (window?.unit !== 'day' || window.to !== 0))
    throw fault(
      'window',
      `streak() needs .within("1d") to .within("${MAX_DAYS}d"): it counts no further back`,
      node,
    );
  if (aggregate === 'weeksWith' && !isDaily)
    throw fault('window', 'weeksWith() needs a window of days, weeks or months', node);
  if ((aggregate === 'daysInRow' || aggregate === 'preference') && (window ?? anchor)?.unit === 'hour')
    throw fault('window', `${aggregate}() counts brand-days: hours are no window for it`, node);
}

/** The day of the week and the hour of the event itself, in the brand's time zone. */
const ofTheEvent: ReadonlySet<string> = new Set(['weekday', 'hour']);

/** How a condition on one event is written. */
export const inFilter = (node: ASTNode, write: (node: ASTNode) => string): string | undefined => {
  if (node.op === 'call' && ofTheEvent.has(node.args[0])) {
    const [name, [event]] = node.args;
    if (event?.op === 'id' && write(event) === 'e') return name;
    throw fault('type', `${name}() is asked of the event itself: where(e, ${name}(e) == 1)`, node);
  }
  if (
    node.op === 'call' &&
    [
      ...['events', 'trait', 'hasTrait', 'hasTag', 'tagValue', 'consent', 'rfm', 'bucket', 'score', 'value'],
      'sequence',
    ].includes(node.args[0])
  )
    throw fault(
      'type',
      `${node.args[0]}() cannot stand inside where(): a condition reads its event only`,
      node,
    );
  return spelled(node, write);
};

/** How compiled text says what CEL's own operator says otherwise, if it is part of the language at all. */
export function spelled(node: ASTNode, write: (node: ASTNode) => string): string | undefined {
  allowed(node);
  if (node.op === '/') return `quotient(${write(node.args[0])}, ${write(node.args[1])})`;
  if (node.op === 'rcall' && node.args[0] === 'matches')
    return `matching(${write(node.args[1])}, ${JSON.stringify(patternIn(node))})`;
  if (node.op === 'call' && node.args[0] === 'double')
    return `decimal(${node.args[1].map(write).join(', ')})`;
  return undefined;
}

/** The pattern of a `matches`, which stands in the rule. */
function patternIn(node: ASTNode & { readonly op: 'rcall' }): string {
  const text = textOf(node.args[2][0], node, 'matches');
  try {
    patternOf(text);
  } catch (error) {
    throw fault(
      'type',
      `this pattern is no part of the language: ${error instanceof Error ? error.message : ''}`,
      node,
    );
  }
  return text;
}

/** Refuses what is no part of the language, and what would cost more than one pass over a list. */
function allowed(node: ASTNode): void {
  if (node.op === 'call' && node.args[0] === 'events')
    throw fault(
      'type',
      'events(…) alone is no value: end it with .count(), .sum("…"), .any() or another',
      node,
    );
  if (node.op === 'call' && node.args[0] === 'rfm')
    throw fault('type', 'rfm() alone is no value: write rfm().r, rfm().f or rfm().m', node);
  if (node.op === 'call' && node.args[0] === 'sequence')
    throw fault('type', 'sequence(…) alone is no value: end it with .any(), .first() or .last()', node);
  if (node.op === 'call' && ofTheEvent.has(node.args[0]))
    throw fault('type', `${node.args[0]}() is asked of an event, inside where()`, node);
  if (node.op === 'call' && node.args[0] === 'score')
    throw fault('type', 'score() is compared with a number that stands in the rule: score("…") >= 2.5', node);
  if (node.op === 'call' && node.args[0] === 'held')
    throw fault(
      'type',
      'held() is the whole of a rule or of one of its values: others ask hasTag("…") or tagValue("…")',
      node,
    );
  if (node.op === 'call' && !functions.has(node.args[0]))
    throw fault('name', `${node.args[0]}() is no part of the rule language`, node);
  if (node.op === 'call' && node.args[0] === 'kOf') checkChoice(node);
  if (node.op === 'rcall') {
    const [method, , args] = node.args;
    if (!methods.has(method)) throw fault('name', `.${method}() is no part of the rule language`, node);
    if (comprehensions.has(method) && args.some(walksList))
      throw fault('cost', `.${method}() inside another walk over a list costs too much`, node);
  }
}

/** `kOf(2, [a, b, c])`: how many and of what stand in the rule. */
function checkChoice(node: ASTNode & { readonly op: 'call' }): void {
  const [number, list] = node.args[1];
  if (list?.op !== 'list')
    throw fault('type', 'kOf() takes a number and a list of conditions: kOf(2, [a, b, c])', node);
  numberOf(number, node, list.args.length);
}

/** Whether a list is walked anywhere within. */
function walksList(node: ASTNode): boolean {
  switch (node.op) {
    case 'value':
    case 'id':
      return false;
    case '.':
    case '.?':
      return walksList(node.args[0]);
    case 'call':
      return node.args[1].some(walksList);
    case 'rcall':
      return comprehensions.has(node.args[0]) || walksList(node.args[1]) || node.args[2].some(walksList);
    case 'map':
      return node.args.some((entry) => entry.some(walksList));
    case '!_':
    case '-_':
      return walksList(node.args);
    default:
      return node.args.some(walksList);
  }
}
