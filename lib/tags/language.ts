import {
  type ASTNode,
  TypeError as CheckError,
  Environment,
  EvaluationError,
  ParseError,
} from '@marcbachmann/cel-js';
import { MAX_DISTINCT } from './columns.ts';
import { type Pattern, patternOf } from './patterns.ts';
import { RuleError, type RulePlace } from './rule-error.ts';

/** What one expression may cost at most: it is read for every person, at every event. */
const limits = {
  maxAstNodes: 600,
  maxDepth: 48,
  maxListElements: 300,
  maxMapEntries: 50,
  maxCallArguments: 8,
};
/** Compiled text has parentheses and leaves of its own: as much again and more. */
const compiled = {
  maxAstNodes: 3000,
  maxDepth: 240,
  maxListElements: 300,
  maxMapEntries: 50,
  maxCallArguments: 8,
};

/** Functions of CEL that rules may use: each exact, each linear in what it reads, none that knows a clock or a zone. */
export const functions: ReadonlySet<string> = new Set([
  ...['has', 'size', 'int', 'double', 'string', 'timestamp', 'duration', 'ratio', 'kOf'],
  ...['weekday', 'hour'],
]);
export const methods: ReadonlySet<string> = new Set([
  ...['contains', 'startsWith', 'endsWith', 'lowerAscii', 'upperAscii', 'trim', 'size', 'matches'],
  ...['all', 'exists', 'exists_one', 'filter', 'map'],
]);

class Events {}
class Rfm {}
class Sequence {}

interface Runner {
  run(node: ASTNode, context: unknown): unknown;
}
interface Checker {
  check(node: ASTNode, scope: Scope): { readonly name: string; isDynOrBool(): boolean };
  getType(name: string): unknown;
  createError(code: string, message: string, node: ASTNode): Error;
}
interface Scope {
  forkWithVariable(name: string, type: unknown): Scope;
}

/**
 * `events(…).where(e, condition)`: the condition is read with `e` as an event, when events are folded; `lastIs(e,
 * condition)` asks it of the last event.
 */
const ofEvents =
  (name: 'where' | 'lastIs') =>
  ({ args: [variable, condition], receiver }: { args: ASTNode[]; receiver: ASTNode }) => ({
    typeCheck(checker: Checker, _macro: unknown, scope: Scope) {
      const type = checker.check(receiver, scope);
      if (type.name !== 'Events')
        throw checker.createError(
          'no_matching_overload',
          `${name}() reads events, not '${type.name}'`,
          receiver,
        );
      if (variable?.op !== 'id' || !condition)
        throw checker.createError(
          'invalid_macro_argument',
          `${name}() takes a name and a condition`,
          variable ?? receiver,
        );
      if (
        !checker.check(condition, scope.forkWithVariable(variable.args, checker.getType('dyn'))).isDynOrBool()
      )
        throw checker.createError(
          'invalid_condition_type',
          `the condition of ${name}() must be true or false`,
          condition,
        );
      return name === 'where' ? type : checker.getType('bool');
    },
    evaluate: never,
  });

/**
 * `kOf(2, [a, b, c])`: true once so many are true, false once so many are false that the rest would not suffice, and
 * otherwise missing, as some of them are. The order of the list makes no difference.
 */
function kOf({ args: [number, list] }: { args: ASTNode[] }) {
  const conditions = list?.op === 'list' ? list.args : [];
  const least = number?.op === 'value' ? Number(number.args) : Number.NaN;
  return {
    typeCheck(checker: Checker, _macro: unknown, scope: Scope) {
      for (const condition of conditions)
        if (!checker.check(condition, scope).isDynOrBool())
          throw checker.createError(
            'invalid_condition_type',
            'the conditions of kOf() must be true or false',
            condition,
          );
      return checker.getType('bool');
    },
    evaluate(runner: Runner, _macro: unknown, context: unknown): boolean {
      const said = conditions.map((condition) => runOr(runner, condition, context));
      if (said.filter((it) => it === true).length >= least) return true;
      if (said.filter((it) => it !== false).length < least) return false;
      throw unknowable;
    },
  };
}

function runOr(runner: Runner, condition: ASTNode, context: unknown): unknown {
  try {
    return runner.run(condition, context);
  } catch {
    return undefined;
  }
}

/** `stays(leave)`, of compiled text: true unless the condition is; what cannot be worked out lets nobody go. */
function stays({ args: [leave] }: { args: ASTNode[] }) {
  return {
    typeCheck(checker: Checker, _macro: unknown, scope: Scope) {
      if (leave) checker.check(leave, scope);
      return checker.getType('bool');
    },
    evaluate: (runner: Runner, _macro: unknown, context: unknown): boolean =>
      leave === undefined || runOr(runner, leave, context) !== true,
  };
}

/** `points(of, per, most)`, of compiled text: see `valueText`. */
function points({ args: [of, per, most] }: { args: ASTNode[] }) {
  const [divisor, all] = [per, most].map((it) => (it?.op === 'value' ? BigInt(`${it.args}`) : 0n));
  return {
    typeCheck(checker: Checker, _macro: unknown, scope: Scope) {
      if (of) checker.check(of, scope);
      return checker.getType('int');
    },
    evaluate: (runner: Runner, _macro: unknown, context: unknown): bigint =>
      of ? pointsOf(runOr(runner, of, context), divisor ?? 1n, all ?? 0n) : 0n,
  };
}

/** Whole numbers stay whole, so that no rounding decides. */
function pointsOf(value: unknown, per: bigint, most: bigint): bigint {
  if (value === true) return most;
  if (typeof value === 'number')
    return pointsOf(Number.isFinite(value) && BigInt(Math.floor(value)), per, most);
  if (typeof value !== 'bigint' || value <= 0n) return 0n;
  const points = value / per;
  return points < most ? points : most;
}

/** Stands for what cannot be worked out; made once, because it is thrown often. */
const unknowable = new Error('this cannot be worked out');

/** A number of different values, missing where it is more than are told apart. */
function exact(count: unknown): bigint {
  if (typeof count === 'bigint' && count <= MAX_DISTINCT) return count;
  throw unknowable;
}

/** Division as rules know it: by zero there is no value, of whole numbers it leaves out the rest, as in CEL. */
function quotient(a: unknown, b: unknown): bigint | number {
  if (typeof a === 'bigint' && typeof b === 'bigint' && b !== 0n) return a / b;
  if (typeof a === 'number' && typeof b === 'number' && b !== 0) return a / b;
  throw unknowable;
}

/** A whole number, a decimal or the text of one as a decimal. CEL would know `NaN`, which is neither more nor less than anything. */
function decimal(value: unknown): number {
  if (typeof value === 'bigint' || typeof value === 'number') return Number(value);
  if (typeof value === 'string' && /^[-+]?\d+(\.\d+)?(e[-+]?\d{1,2})?$/i.test(value)) return Number(value);
  throw unknowable;
}

/** Functions of the language are compiled away before anything is evaluated. */
const never = (): never => {
  throw new Error('a rule was evaluated before it was compiled');
};

const TIME = 'google.protobuf.Timestamp';

/** The language that authors write, for its types. `sum`, `min` and `max` count as `int` there; see `docs/rules.md`. */
export function ruleLanguage(): Environment {
  const language = new Environment({ limits })
    .registerType('Events', { ctor: Events, fields: {} })
    .registerType('Sequence', { ctor: Sequence, fields: {} })
    .registerType('Rfm', { ctor: Rfm, fields: { r: 'int', f: 'int', m: 'int' } });
  language
    .registerFunction('Events.where(ast, ast): Events', ofEvents('where'))
    .registerFunction('Events.lastIs(ast, ast): bool', ofEvents('lastIs'))
    .registerFunction('kOf(ast, ast): bool', kOf);
  for (const signature of [
    'events(string): Events',
    'Events.within(string): Events',
    'Events.between(string, string): Events',
    'Events.from(string): Events',
    'Events.to(string): Events',
    `Events.after(${TIME}): Events`,
    `Events.before(${TIME}): Events`,
    `Events.nth(int): ${TIME}`,
    ...[1, 2, 3, 4, 5, 6].map((n) => `sequence(${Array(n).fill('Events').join(', ')}): Sequence`),
    'Sequence.within(string): Sequence',
    'Sequence.gap(string): Sequence',
    'Sequence.same(string): Sequence',
    'Sequence.without(Events): Sequence',
    'Sequence.any(): bool',
    `Sequence.first(): ${TIME}`,
    `Sequence.last(): ${TIME}`,
    'Events.thisWeek(): Events',
    'Events.lastWeek(): Events',
    'Events.lastWeeks(int): Events',
    'Events.thisMonth(): Events',
    'Events.lastMonth(): Events',
    'Events.lastMonths(int): Events',
    'Events.count(): int',
    'Events.days(): int',
    'Events.any(): bool',
    'Events.firstEver(): bool',
    'Events.daysInRow(): int',
    'Events.streak(): int',
    'Events.weeksWith(int): int',
    'Events.stopped(string): bool',
    'Events.restarted(string): bool',
    'Events.dormant(string): bool',
    'Events.sum(string): int',
    'Events.avg(string): double',
    'Events.distinct(string): int',
    'Events.min(string): int',
    'Events.max(string): int',
    `Events.first(): ${TIME}`,
    `Events.last(): ${TIME}`,
    'Events.first(string): dyn',
    'Events.last(string): dyn',
    'Events.preference(string, string): dyn',
    'trait(string): dyn',
    'hasTrait(string): bool',
    'hasTag(string): bool',
    'tagValue(string): string',
    'consent(string): bool',
    'dyn.before(string): bool',
    'dyn.on(string): bool',
    'dyn.after(string): bool',
    'dyn.withinLast(string): bool',
    'dyn.withinNext(string): bool',
    'dyn.anniversary(string): bool',
    'weekday(dyn): int',
    'hour(dyn): int',
    'held(bool, bool): bool',
    'score(string): double',
    'value(): int',
    'value(string): int',
    'rfm(): Rfm',
    'rfm(string): Rfm',
    'bucket(string, int): int',
    'ratio(int, int): double',
    'ratio(int, double): double',
    'ratio(double, int): double',
    'ratio(double, double): double',
  ])
    language.registerFunction(signature, never);
  return language;
}

/** Types of a leaf's value in compiled text. */
export const leafTypes = {
  int: 'int',
  double: 'double',
  bool: 'bool',
  string: 'string',
  time: TIME,
  any: 'dyn',
} as const;
export type LeafType = keyof typeof leafTypes;

/** A longer text is not searched for a pattern. */
const MAX_SEARCHED = 4096;

/** `matching(text, pattern)`, each pattern made once. */
function searching(): (text: unknown, source: unknown) => boolean {
  const patterns = new Map<string, Pattern>();
  return (text, source) => {
    if (typeof text !== 'string' || text.length > MAX_SEARCHED) throw unknowable;
    const pattern = patterns.get(`${source}`) ?? patternOf(`${source}`);
    patterns.set(`${source}`, pattern);
    return pattern(text);
  };
}

/** The language of compiled text: its names are variables, `e` (an event) or leaves. */
export function compiledLanguage(names: ReadonlyMap<string, LeafType>): Environment {
  const language = new Environment({ limits: compiled });
  for (const [name, type] of names) language.registerVariable(name, leafTypes[type]);
  return language
    .registerFunction('kOf(ast, ast): bool', kOf)
    .registerFunction('stays(ast): bool', stays)
    .registerFunction('exact(int): int', exact)
    .registerFunction('points(ast, ast, ast): int', points)
    .registerFunction('quotient(dyn, dyn): dyn', quotient)
    .registerFunction('matching(dyn, string): bool', searching())
    .registerFunction('decimal(dyn): double', decimal)
    .registerFunction('ratio(dyn, dyn): double', (a, b) => quotient(decimal(a), decimal(b)));
}

export type Expression = (context: ReadonlyMap<string, unknown>) => unknown;

/** Parses and checks. @throws RuleError unless the text is an expression that can be true or false */
export function parseCondition(
  language: Environment,
  source: string,
  place: RulePlace,
): { ast: ASTNode; run: Expression } {
  try {
    const run = language.parse(source);
    const { valid, error, type } = run.check();
    if (!valid) throw error;
    if (type !== 'bool' && type !== 'dyn')
      throw new RuleError('type', `a rule is true or false, this one is of type '${type}'`, {
        ...place,
        source,
      });
    return { ast: run.ast, run };
  } catch (error) {
    throw inPlace(error, { ...place, source });
  }
}

/** A `RuleError` for whatever the language found wrong. */
export function inPlace(error: unknown, place: RulePlace): unknown {
  if (error instanceof ParseError)
    return new RuleError('syntax', error.summary, { ...place, start: error.range?.start ?? 0 });
  if (error instanceof CheckError || error instanceof EvaluationError)
    return new RuleError('type', error.summary, { ...place, start: error.range?.start ?? 0 });
  return error;
}
