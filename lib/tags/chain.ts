import type { ASTNode } from '@marcbachmann/cel-js';
import type { Reach } from './anchors.ts';
import { realDay } from './dates.ts';
import { type Hook, print } from './print.ts';
import { RuleError, type RuleFault } from './rule-error.ts';
import { type Dates, MAX_DAYS, MAX_HOURS, MAX_MONTHS, MAX_WEEKS, type Window } from './windows.ts';

/** `events("t")` with its conditions and its window: what an aggregate is taken of. */
export interface Chain {
  readonly type: string;
  /** Canonical texts of the conditions, in which the event is `e`, each once. */
  readonly filters: readonly string[];
  readonly window?: Window;
  readonly dates?: Dates;
  readonly anchored?: Reach & { readonly on: ASTNode };
}

export type Call = ASTNode & { readonly op: 'rcall' };

/** Reads the steps before an aggregate; undefined if they do not begin with `events(…)`. */
export function chainOf(receiver: ASTNode, inFilter: Hook): Chain | undefined {
  const steps: Call[] = [];
  let inner = receiver;
  for (; inner.op === 'rcall'; inner = inner.args[1]) steps.push(inner);
  if (inner.op !== 'call' || inner.args[0] !== 'events') return undefined;
  const type = textOf(inner.args[1][0], inner, 'events');
  if (!/^[a-z][a-z0-9_]{0,63}$/.test(type))
    throw fault(
      'name',
      `event types are snake_case, at most 64 characters, not ${JSON.stringify(type)}`,
      inner,
    );
  const filters = steps.flatMap(({ args: [step, , [variable, condition]] }) =>
    step === 'where' && variable?.op === 'id' && condition
      ? conditions(variable.args, condition, inFilter)
      : [],
  );
  return { type, filters: [...new Set(filters)].sort(), ...spanOf(steps.filter(isSpan)) };
}

/** The conditions of a `where`, those of one conjunction each by itself, so that `where(a).where(b)` is `where(a && b)`. */
export function conditions(variable: string, condition: ASTNode, inFilter: Hook): string[] {
  if (condition.op === '&&') return condition.args.flatMap((part) => conditions(variable, part, inFilter));
  return [print(condition, { names: new Map([[variable, 'e']]), sorted: true, hook: inFilter })];
}

/** Several conditions as one. */
export const filterOf = (filters: readonly string[]): string | undefined =>
  filters.length > 1 ? `(${filters.join(' && ')})` : filters[0];

const isSpan = ({ args: [step] }: Call) => step !== 'where';

function spanOf(steps: readonly Call[]): Pick<Chain, 'window' | 'dates' | 'anchored'> {
  const [last, before, ...more] = steps;
  if (!last) return {};
  const [side, , [on]] = last.args;
  if (side === 'after' || side === 'before') {
    if (before?.args[0] !== 'within' || more.length > 0 || !on)
      throw fault('window', `${side}() stands behind within("7d"), and no other window beside it`, last);
    return { anchored: { side, ...lengthOf(before.args[2][0], before), on } };
  }
  if (last.args[0] === 'to' && before?.args[0] === 'from' && more.length === 0)
    return { dates: datesOf(before, last) };
  if (last.args[0] === 'to' || last.args[0] === 'from')
    throw fault(
      'window',
      'a window of dates is .from("2026-11-01").to("2026-11-12"), and no other beside it',
      last,
    );
  if (before)
    throw fault(
      'window',
      `events have one window: ${last.args[0]}() stands here twice or beside another`,
      before,
    );
  return { window: windowOf(last) };
}

function windowOf(call: Call): Window {
  const [step, , [first, second]] = call.args;
  switch (step) {
    case 'between':
      return betweenOf(lengthOf(first, call), lengthOf(second, call, 0), call);
    case 'thisWeek':
    case 'thisMonth':
      return { unit: step === 'thisWeek' ? 'week' : 'month', from: 1, to: 0 };
    case 'lastWeek':
    case 'lastMonth':
      return { unit: step === 'lastWeek' ? 'week' : 'month', from: 2, to: 1 };
    case 'lastWeeks':
      return { unit: 'week', from: numberOf(first, call, MAX_WEEKS) + 1, to: 1 };
    case 'lastMonths':
      return { unit: 'month', from: numberOf(first, call, MAX_MONTHS) + 1, to: 1 };
    default: {
      const { unit, length } = lengthOf(first, call);
      return { unit, from: length, to: 0 };
    }
  }
}

function betweenOf(from: Length, to: Length, call: Call): Window {
  if (from.unit !== to.unit || from.length <= to.length)
    throw fault(
      'window',
      'between() goes from the longer to the shorter of two lengths of one unit: between("60d", "30d")',
      call,
    );
  return { unit: from.unit, from: from.length, to: to.length };
}

export interface Length {
  readonly unit: 'day' | 'hour';
  readonly length: number;
}

export function lengthOf(node: ASTNode | undefined, call: Call, least = 1): Length {
  const text = textOf(node, call, call.args[0]);
  const [, digits, unit] = /^(0|[1-9]\d{0,4})([dh])$/.exec(text) ?? [];
  const length = Number(digits);
  if (length >= least && unit === 'd' && length <= MAX_DAYS) return { unit: 'day', length };
  if (length >= least && unit === 'h' && length <= MAX_HOURS) return { unit: 'hour', length };
  throw fault(
    'window',
    `a window is "1d" to "${MAX_DAYS}d" in brand-days or "1h" to "${MAX_HOURS}h", not ${JSON.stringify(text)}`,
    node ?? call,
  );
}

export const lengthText = ({ unit, length }: Length): string => `"${length}${unit === 'day' ? 'd' : 'h'}"`;

/** The length of a macro's window in brand-days: `stopped("30d")`. */
export function daysOf(node: ASTNode | undefined, call: Call, most = MAX_DAYS): number {
  const { unit, length } = lengthOf(node, call);
  if (unit !== 'day' || length > most)
    throw fault('window', `${call.args[0]}() takes brand-days, "1d" to "${most}d"`, node ?? call);
  return length;
}

function datesOf(from: Call, to: Call): Dates {
  const dates = { from: dateOf(from), to: dateOf(to) };
  if (dates.from >= dates.to)
    throw fault(
      'window',
      'the day in to() is the first that does not count: it must be later than the day in from()',
      to,
    );
  return dates;
}

/** The brand-day that stands in a call: `from("2026-11-01")`. */
export function dateOf(call: Call): number {
  const text = textOf(call.args[2][0], call, call.args[0]);
  const day = realDay(text);
  if (day === undefined)
    throw fault(
      'window',
      `${call.args[0]}() takes a date, such as "2026-11-01", not ${JSON.stringify(text)}`,
      call,
    );
  return day;
}

/** A whole number that stands in the rule: 1 to `most`. */
export function numberOf(node: ASTNode | undefined, call: ASTNode, most: number): number {
  const value = node?.op === 'value' ? node.args : undefined;
  if (typeof value !== 'bigint' || value < 1n || value > BigInt(most))
    throw fault('window', `here stands a whole number, 1 to ${most}`, node ?? call);
  return Number(value);
}

/** A name must be a literal: what a rule reads is known before it is saved. */
export function textOf(node: ASTNode | undefined, call: ASTNode, name: string): string {
  if (node?.op !== 'value' || typeof node.args !== 'string')
    throw fault('name', `${name}() takes a literal text, such as ${name}("…")`, node ?? call);
  if (node.args === '' || node.args.length > 128) throw fault('name', 'names have 1 to 128 characters', node);
  return node.args;
}

export const fault = (type: RuleFault, message: string, node: ASTNode) =>
  new RuleError(type, message, { source: node.input, start: node.start });
