import type { ASTNode } from '@marcbachmann/cel-js';
import { functions, methods } from './language.ts';
import { comprehensions, print } from './print.ts';
import { RuleError, type RuleFault } from './rule-error.ts';

export const aggregates = ['count', 'sum', 'min', 'max', 'days', 'any', 'first', 'last'] as const;
export type Aggregate = (typeof aggregates)[number];

/** Brand-days, the last of which is the current one; or hours, to the millisecond. */
export interface Window {
  readonly unit: 'day' | 'hour';
  readonly length: number;
}

export const MAX_DAYS = 1095;
export const MAX_HOURS = 48;
/** Leaves of one expression. */
const MAX_LEAVES = 40;

/** A number, a fact or a value that a rule reads, as it is written. */
export type Reference =
  | {
      readonly kind: 'events';
      readonly type: string;
      /** Canonical text of all conditions, in which the event is `e`. */
      readonly filter?: string;
      readonly property?: string;
      readonly aggregate: Aggregate;
      readonly window?: Window;
    }
  | { readonly kind: 'trait' | 'hasTrait' | 'hasTag' | 'tagValue'; readonly name: string }
  | { readonly kind: 'rfm'; readonly score: 'r' | 'f' | 'm' };
export type EventsReference = Extract<Reference, { kind: 'events' }>;

export interface Found {
  readonly reference: Reference;
  readonly start: number;
}

/** What an expression becomes: text in which each leaf is a name that `nameOf` gave. */
export interface Lowered {
  readonly text: string;
  readonly found: readonly Found[];
}

/** Replaces the leaves of a checked expression by names. @throws RuleError for what the language does not have */
export function lower(ast: ASTNode, nameOf: (reference: Reference) => string): Lowered {
  const found: Found[] = [];
  const text = print(ast, {
    hook(node) {
      const reference = referenceOf(node);
      if (!reference) return allowed(node);
      found.push({ reference, start: node.start });
      if (found.length > MAX_LEAVES)
        throw fault('cost', `a rule may read at most ${MAX_LEAVES} things`, node);
      return nameOf(reference);
    },
  });
  return { text, found };
}

/** A reference as text: the same text, the same value. */
export function referenceText(reference: Reference): string {
  if (reference.kind === 'rfm') return `rfm().${reference.score}`;
  if (reference.kind !== 'events') return `${reference.kind}(${JSON.stringify(reference.name)})`;
  const { type, filter, window, aggregate, property } = reference;
  return [
    `events(${JSON.stringify(type)})`,
    filter && `.where(e, ${filter})`,
    window && `.within("${window.length}${window.unit === 'day' ? 'd' : 'h'}")`,
    `.${aggregate}(${property === undefined ? '' : JSON.stringify(property)})`,
  ]
    .filter(Boolean)
    .join('');
}

function referenceOf(node: ASTNode): Reference | undefined {
  if (node.op === 'rcall') return eventsOf(node);
  if (node.op === 'call') {
    const [name, args] = node.args;
    if (name === 'trait' || name === 'hasTrait') return { kind: name, name: textOf(args[0], node, name) };
    if (name === 'hasTag' || name === 'tagValue') return { kind: name, name: textOf(args[0], node, name) };
  }
  if (node.op === '.' && node.args[0].op === 'call' && node.args[0].args[0] === 'rfm') {
    const score = node.args[1];
    if (score === 'r' || score === 'f' || score === 'm') return { kind: 'rfm', score };
  }
  return undefined;
}

function eventsOf(node: ASTNode & { readonly op: 'rcall' }): Reference | undefined {
  const [method, , args] = node.args;
  const aggregate = aggregates.find((name) => name === method);
  let window: Window | undefined;
  const filters: string[] = [];
  let inner = node.args[1];
  for (; inner.op === 'rcall'; inner = inner.args[1]) {
    const [step, , [first, second]] = inner.args;
    if (step === 'within') {
      if (window) throw fault('window', 'events have one window: within() stands here twice', inner);
      window = windowOf(textOf(first, inner, 'within'), first ?? inner);
    } else if (step === 'where' && first?.op === 'id' && second) {
      filters.push(...filterText(first.args, second));
    } else return undefined;
  }
  if (!aggregate || inner.op !== 'call' || inner.args[0] !== 'events') return undefined;
  const type = textOf(inner.args[1][0], inner, 'events');
  if (!/^[a-z][a-z0-9_]{0,63}$/.test(type))
    throw fault(
      'name',
      `event types are snake_case, at most 64 characters, not ${JSON.stringify(type)}`,
      inner,
    );
  const property = args.length > 0 ? textOf(args[0], node, aggregate) : undefined;
  const filter = filters.length > 1 ? `(${[...new Set(filters)].sort().join(' && ')})` : filters[0];
  return { kind: 'events', type, filter, property, aggregate, window };
}

/** The conditions of a `where`, those of one conjunction each by itself, so that `where(a).where(b)` is `where(a && b)`. */
function filterText(variable: string, condition: ASTNode): string[] {
  if (condition.op === '&&') return condition.args.flatMap((part) => filterText(variable, part));
  return [print(condition, { names: new Map([[variable, 'e']]), sorted: true, hook: inFilter() })];
}

const inFilter = () => (node: ASTNode) => {
  if (
    node.op === 'call' &&
    ['events', 'trait', 'hasTrait', 'hasTag', 'tagValue', 'rfm'].includes(node.args[0])
  )
    throw fault(
      'type',
      `${node.args[0]}() cannot stand inside where(): a condition reads its event only`,
      node,
    );
  return allowed(node);
};

/** Refuses what is no part of the language, and what would cost more than one pass over a list. */
function allowed(node: ASTNode): undefined {
  if (node.op === 'call' && node.args[0] === 'events')
    throw fault(
      'type',
      'events(…) alone is no value: end it with .count(), .sum("…"), .any() or another',
      node,
    );
  if (node.op === 'call' && node.args[0] === 'rfm')
    throw fault('type', 'rfm() alone is no value: write rfm().r, rfm().f or rfm().m', node);
  if (node.op === 'call' && !functions.has(node.args[0]))
    throw fault('name', `${node.args[0]}() is no part of the rule language`, node);
  if (node.op === 'rcall') {
    const [method, , args] = node.args;
    if (!methods.has(method)) throw fault('name', `.${method}() is no part of the rule language`, node);
    if (comprehensions.has(method) && args.some(walksList))
      throw fault('cost', `.${method}() inside another walk over a list costs too much`, node);
  }
  return undefined;
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

/** A name must be a literal: what a rule reads is known before it is saved. */
function textOf(node: ASTNode | undefined, call: ASTNode, name: string): string {
  if (node?.op !== 'value' || typeof node.args !== 'string')
    throw fault('name', `${name}() takes a literal text, such as ${name}("…")`, node ?? call);
  if (node.args === '' || node.args.length > 128) throw fault('name', 'names have 1 to 128 characters', node);
  return node.args;
}

function windowOf(text: string, node: ASTNode): Window {
  const [, digits, unit] = /^([1-9]\d{0,4})([dh])$/.exec(text) ?? [];
  const length = Number(digits);
  if (unit === 'd' && length <= MAX_DAYS) return { unit: 'day', length };
  if (unit === 'h' && length <= MAX_HOURS) return { unit: 'hour', length };
  throw fault(
    'window',
    `a window is "1d" to "${MAX_DAYS}d" in brand-days or "1h" to "${MAX_HOURS}h", not ${JSON.stringify(text)}`,
    node,
  );
}

const fault = (type: RuleFault, message: string, node: ASTNode) =>
  new RuleError(type, message, { source: node.input, start: node.start });
