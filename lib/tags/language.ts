import {
  type ASTNode,
  TypeError as CheckError,
  Environment,
  EvaluationError,
  ParseError,
} from '@marcbachmann/cel-js';
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
  ...['has', 'size', 'int', 'double', 'string', 'timestamp', 'duration'],
]);
export const methods: ReadonlySet<string> = new Set([
  ...['contains', 'startsWith', 'endsWith', 'lowerAscii', 'upperAscii', 'trim', 'size'],
  ...['all', 'exists', 'exists_one', 'filter', 'map'],
]);

class Events {}
class Rfm {}

interface Checker {
  check(node: ASTNode, scope: Scope): { readonly name: string; isDynOrBool(): boolean };
  getType(name: string): unknown;
  createError(code: string, message: string, node: ASTNode): Error;
}
interface Scope {
  forkWithVariable(name: string, type: unknown): Scope;
}

/** `events(…).where(e, condition)`: the condition is read with `e` as an event, when events are folded. */
function where({ args: [variable, condition], receiver }: { args: ASTNode[]; receiver: ASTNode }) {
  return {
    typeCheck(checker: Checker, _macro: unknown, scope: Scope) {
      const type = checker.check(receiver, scope);
      if (type.name !== 'Events')
        throw checker.createError(
          'no_matching_overload',
          `where() reads events, not '${type.name}'`,
          receiver,
        );
      if (variable?.op !== 'id' || !condition)
        throw checker.createError(
          'invalid_macro_argument',
          'where() takes a name and a condition',
          variable ?? receiver,
        );
      if (
        !checker.check(condition, scope.forkWithVariable(variable.args, checker.getType('dyn'))).isDynOrBool()
      )
        throw checker.createError(
          'invalid_condition_type',
          'the condition of where() must be true or false',
          condition,
        );
      return type;
    },
    evaluate: never,
  };
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
    .registerType('Rfm', { ctor: Rfm, fields: { r: 'int', f: 'int', m: 'int' } });
  language.registerFunction('Events.where(ast, ast): Events', where);
  for (const signature of [
    'events(string): Events',
    'Events.within(string): Events',
    'Events.count(): int',
    'Events.days(): int',
    'Events.any(): bool',
    'Events.sum(string): int',
    'Events.min(string): int',
    'Events.max(string): int',
    `Events.first(): ${TIME}`,
    `Events.last(): ${TIME}`,
    'Events.first(string): dyn',
    'Events.last(string): dyn',
    'trait(string): dyn',
    'hasTrait(string): bool',
    'hasTag(string): bool',
    'tagValue(string): string',
    'rfm(): Rfm',
  ])
    language.registerFunction(signature, never);
  return language;
}

/** Types of a leaf's value in compiled text. */
export const leafTypes = { int: 'int', bool: 'bool', string: 'string', time: TIME, any: 'dyn' } as const;
export type LeafType = keyof typeof leafTypes;

/** The language of compiled text: its names are variables, `e` (an event) or leaves. */
export function compiledLanguage(names: ReadonlyMap<string, LeafType>): Environment {
  const language = new Environment({ limits: compiled });
  for (const [name, type] of names) language.registerVariable(name, leafTypes[type]);
  return language;
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
