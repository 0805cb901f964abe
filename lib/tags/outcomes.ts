import type { ASTNode } from '@marcbachmann/cel-js';
import { print } from './print.ts';
import { settled } from './ranges.ts';
import type { Leaf, TagValue } from './rulebook.ts';

/** True, false, or missing: what cannot be worked out. */
type Truth = boolean | undefined;
/** A value that a leaf may have; `FOREIGN` is of a type that no constant has, undefined is missing. */
type Candidate = number | string | boolean | typeof FOREIGN | undefined;
const FOREIGN: unique symbol = Symbol('another type');

/** More ways than this are not tried: then nothing is said. */
const MAX_WAYS = 20_000;

/** A part of the rule that can come out one way or another by itself. */
interface Unknown {
  readonly leaf: Leaf | undefined;
  readonly constants: Set<number | string>;
}
/** What is tried: by name of the unknown. */
type Trial = ReadonlyMap<string, Candidate>;
type Condition = (trial: Trial) => Truth;
type LeafNamed = (name: string) => Leaf | undefined;

/**
 * What a rule can come out as, whatever a profile holds: its values, and undefined for "not held". Every leaf is tried
 * at, between and beyond the constants that it is compared with; what is no comparison of one leaf with constants may
 * come out any way. So more may be answered than can ever be, never less: a value that is not among the answers never
 * comes out.
 *
 * @param branches compiled text's trees, in which leaves are names
 * @param valuesOf the values that another tag's rule gives
 * @returns undefined if there are too many ways to try
 */
export function outcomesOf(
  branches: readonly { readonly value: TagValue; readonly ast: ASTNode }[],
  leafNamed: LeafNamed,
  valuesOf: (tag: string) => readonly string[] | undefined,
): Set<TagValue | undefined> | undefined {
  const unknowns = new Map<string, Unknown>();
  const conditions = branches.map(({ value, ast }) => ({ value, holds: read(ast, unknowns, leafNamed) }));
  const ways = [...unknowns].map(([name, it]) => ({ name, candidates: candidatesOf(it, valuesOf) }));
  if (ways.reduce((product, { candidates }) => product * candidates.length, 1) > MAX_WAYS) return undefined;
  const outcomes = new Set<TagValue | undefined>();
  const trial = new Map<string, Candidate>();
  const tryAll = (i: number): void => {
    const way = ways[i];
    if (!way) outcomes.add(conditions.find(({ holds }) => holds(trial) === true)?.value);
    for (const candidate of way?.candidates ?? []) {
      trial.set(way?.name ?? '', candidate);
      tryAll(i + 1);
    }
  };
  tryAll(0);
  return outcomes;
}

/** Reads a condition; notes what can come out one way or another. */
function read(node: ASTNode, unknowns: Map<string, Unknown>, leafNamed: LeafNamed): Condition {
  const inner = (it: ASTNode) => read(it, unknowns, leafNamed);
  if (node.op === '&&') return every(node.args.map(inner));
  if (node.op === '||') return not(every(node.args.map(inner).map(not)));
  if (node.op === '!_') return not(inner(node.args));
  if (node.op === '?:') {
    const [condition, then, otherwise] = node.args;
    return chosen(inner(condition), inner(then), inner(otherwise));
  }
  if (node.op === 'call' && node.args[0] === 'kOf') {
    const [least, list] = node.args[1];
    if (least && list?.op === 'list') return atLeast(Number(literalOf(least)), list.args.map(inner));
  }
  const literal = literalOf(node);
  if (literal !== undefined) return () => (typeof literal === 'boolean' ? literal : undefined);
  const truth = isOrder(node) ? settled(node.op, ...node.args) : undefined;
  if (truth !== undefined) return () => truth;
  const compared = comparisonOf(node, leafNamed);
  const name = compared?.name ?? (node.op === 'id' ? node.args : print(node, { sorted: true }));
  const unknown = unknowns.get(name) ?? { leaf: leafNamed(name), constants: new Set() };
  for (const constant of compared?.constants ?? []) unknown.constants.add(constant);
  unknowns.set(name, unknown);
  return compared
    ? (trial) => compared.holds(trial.get(name))
    : (trial) => {
        const value = trial.get(name);
        return typeof value === 'boolean' ? value : undefined;
      };
}

const not =
  (condition: Condition): Condition =>
  (trial) => {
    const truth = condition(trial);
    return truth === undefined ? undefined : !truth;
  };

const every =
  (conditions: readonly Condition[]): Condition =>
  (trial) => {
    const said = conditions.map((it) => it(trial));
    if (said.includes(false)) return false;
    return said.includes(undefined) ? undefined : true;
  };

const chosen =
  (condition: Condition, then: Condition, otherwise: Condition): Condition =>
  (trial) => {
    const truth = condition(trial);
    return truth === undefined ? undefined : (truth ? then : otherwise)(trial);
  };

const atLeast =
  (least: number, conditions: readonly Condition[]): Condition =>
  (trial) => {
    const said = conditions.map((it) => it(trial));
    if (said.filter((it) => it === true).length >= least) return true;
    return said.filter((it) => it !== false).length < least ? false : undefined;
  };

interface Comparison {
  readonly name: string;
  readonly constants: readonly (number | string)[];
  holds(value: Candidate): Truth;
}

type Order = Extract<ASTNode, { readonly op: '==' | '!=' | '<' | '<=' | '>' | '>=' }>;
const orders: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);
const isOrder = (node: ASTNode): node is Order => orders.has(node.op);

/** A comparison of one leaf with what stands in the rule. */
function comparisonOf(node: ASTNode, leafNamed: LeafNamed): Comparison | undefined {
  if (node.op === 'in') return membershipOf(node.args[0], node.args[1], leafNamed);
  if (!isOrder(node)) return undefined;
  const [left, right] = node.args;
  const isTurned = left.op !== 'id';
  const [id, other] = isTurned ? [right, left] : [left, right];
  const constant = literalOf(other);
  if (id.op !== 'id' || constant === undefined || !leafNamed(id.args)) return undefined;
  if (typeof constant === 'string' && node.op !== '==' && node.op !== '!=') return undefined;
  const op = isTurned ? mirrored(node.op) : node.op;
  return {
    name: id.args,
    constants: typeof constant === 'boolean' ? [] : [constant],
    holds: (value) => compare(op, value, constant),
  };
}

function membershipOf(id: ASTNode, list: ASTNode, leafNamed: LeafNamed): Comparison | undefined {
  if (id.op !== 'id' || list.op !== 'list' || !leafNamed(id.args)) return undefined;
  const constants = list.args.map(literalOf).filter((it) => typeof it === 'number' || typeof it === 'string');
  if (constants.length < list.args.length) return undefined;
  return {
    name: id.args,
    constants,
    holds: (value) => (value === undefined ? undefined : constants.some((it) => it === value)),
  };
}

const mirrored = (op: string): string => op.replace(/[<>]/, (sign) => (sign === '<' ? '>' : '<'));

function compare(op: string, value: Candidate, constant: number | string | boolean): Truth {
  if (value === undefined) return undefined;
  if (op === '==') return value === constant;
  if (op === '!=') return value !== constant;
  if (typeof value !== 'number' || typeof constant !== 'number') return undefined;
  if (op === '<') return value < constant;
  if (op === '<=') return value <= constant;
  return op === '>' ? value > constant : value >= constant;
}

function literalOf(node: ASTNode): number | string | boolean | undefined {
  if (node.op === '-_') {
    const value = literalOf(node.args);
    return typeof value === 'number' ? -value : undefined;
  }
  if (node.op !== 'value') return undefined;
  const value = node.args;
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean'
    ? value
    : undefined;
}

function candidatesOf(
  { leaf, constants }: Unknown,
  valuesOf: (tag: string) => readonly string[] | undefined,
): Candidate[] {
  if (!leaf) return [true, false, undefined];
  const missing: Candidate[] = neverMissing(leaf) ? [] : [undefined];
  if (leaf.type === 'bool') return [true, false, ...missing];
  if (leaf.kind === 'tagValue') return [...(valuesOf(leaf.of) ?? []), ...missing];
  const numbers = [...constants].filter((it) => typeof it === 'number').sort((a, b) => a - b);
  const points = around(numbers, leaf.type === 'int').filter((it) => isPossible(leaf, it));
  const texts = [...constants].filter((it) => typeof it === 'string');
  const open: Candidate[] = leaf.type === 'any' && !isSum(leaf) ? [FOREIGN, true, false] : [];
  return [...new Set<Candidate>([...points, ...texts, ...open, ...missing])];
}

/** Each constant, and a number on either side of it. */
function around(constants: readonly number[], whole: boolean): number[] {
  if (constants.length === 0) return [0, 1];
  return constants.flatMap((it, i) => {
    const next = constants[i + 1];
    const between = whole || next === undefined ? it + 1 : (it + next) / 2;
    return [...(i === 0 || whole ? [it - 1] : []), it, between];
  });
}

const isSum = (leaf: Leaf): boolean => leaf.kind === 'events' && leaf.reference.aggregate === 'sum';

const counts: ReadonlySet<string> = new Set([
  ...['count', 'days', 'distinct', 'daysInRow', 'streak', 'weeksWith', 'sum', 'any', 'firstEver'],
]);

/** As `docs/rules.md` has it: what is counted is 0 where there is nothing, but for windows that stand nowhere. */
function neverMissing(leaf: Leaf): boolean {
  if (leaf.kind === 'hasTag' || leaf.kind === 'hasTrait' || leaf.kind === 'consent') return true;
  if (leaf.kind !== 'events' || leaf.reference.anchor) return false;
  return leaf.reference.sequence ? leaf.type === 'bool' : counts.has(leaf.reference.aggregate);
}

function isPossible(leaf: Leaf, value: number): boolean {
  if (leaf.kind === 'rfm') return value >= 1 && value <= 5;
  if (leaf.kind === 'bucket') return value >= 0 && value < leaf.of;
  if (leaf.kind !== 'events' || leaf.type !== 'int') return true;
  return value >= 0;
}
