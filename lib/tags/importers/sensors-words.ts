import { isoDay } from '../calendar.ts';
import { realDay } from '../dates.ts';
import {
  anyOf,
  compared,
  dayIn,
  days,
  ImportError,
  numberIn,
  type Operand,
  oneOf,
  quoted,
  wholeIn,
} from './words.ts';

type Value = string | number | boolean;
interface Said {
  readonly function: string;
  readonly params: readonly Value[];
}

/** A function of Sensors over one value. Negations hold only of those who have a value, as its manual says. */
export function conditionOf(of: Operand, said: Said, node: string): string {
  const word = Object.hasOwn(functions, said.function) ? functions[said.function] : undefined;
  if (!word) throw new ImportError(node, `the function ${said.function} cannot be said`);
  return word(of, said.params, node);
}

type Word = (of: Operand, params: readonly Value[], node: string) => string;

/** Numbers of aggregates are compared as numbers, values of persons and events as texts. */
const equal: Word = (of, params, node) => {
  if (params.length === 0) throw new ImportError(node, 'equal needs a value');
  return of.number
    ? anyOf(params.map((it) => compared(of, '==', numberIn(it, node), node)))
    : oneOf(of, params, node);
};

const sign: (it: '<' | '<=' | '>' | '>=') => Word = (it) => (of, params, node) =>
  compared(of, it, numberIn(params[0], node), node);

const between: Word = (of, params, node) =>
  `(${sign('>=')(of, params, node)} && ${sign('<=')(of, params.slice(1), node)})`;

const not: (word: Word) => Word = (word) => (of, params, node) => `!(${word(of, params, node)})`;

const contain: Word = ({ text }, params, node) => {
  if (params.length === 0) throw new ImportError(node, 'contain needs a value');
  return anyOf(params.map((it) => `${text}.contains(${quoted(String(it))})`));
};

const matches: Word = ({ text }, [pattern], node) => {
  if (pattern === undefined) throw new ImportError(node, 'rlike needs a pattern');
  return `${text}.matches(${quoted(String(pattern))})`;
};

const include: Word = ({ text }, params, node) => {
  const element: Operand = { text: 'i', isThere: 'true', held: (value) => value };
  return `${text}.exists(i, ${oneOf(element, params, node)})`;
};

/** Dates are asked of traits. */
const dated: (word: Word) => Word = (word) => (of, params, node) => {
  if (!of.text.startsWith('trait('))
    throw new ImportError(node, 'dates are asked of traits, not of properties of events');
  return word(of, params, node);
};

/** `n` with the unit `day`, as it is for dates. */
function dayCount(params: readonly Value[], place: number, node: string, least = 1): number {
  const unit = params.find((it) => typeof it === 'string' && /^[a-z]+$/i.test(it));
  if (unit !== undefined && String(unit).toLowerCase() !== 'day')
    throw new ImportError(node, `the unit ${unit}: only days have one length; write the days`);
  return wholeIn(params[place], node, least);
}

const withinLast: Word = ({ text }, params, node) =>
  `${text}.withinLast(${days(dayCount(params, 0, node), node)})`;

/** Until the end of the day so many days ago; a date to come is later than that. */
const longAgo: Word = (of, params, node) =>
  `(!${withinLast(of, params, node)} && !${of.text}.withinNext("1095d"))`;

const stretch: Word = (of, params, node) => {
  const from = dayCount(params, 0, node);
  const to = dayCount(params, 1, node, 0);
  const inside = `${of.text}.withinLast(${days(from, node)})`;
  return to === 0 ? inside : `(${inside} && !${of.text}.withinLast(${days(to, node)}))`;
};

const absolute: Word = ({ text }, params, node) =>
  `(!${text}.before(${quoted(dayIn(params[0], node))}) && !${text}.after(${quoted(dayIn(params[1], node))}))`;

const functions: Readonly<Record<string, Word>> = {
  equal,
  notEqual: not(equal),
  isTrue: ({ text }) => `${text} == true`,
  isFalse: ({ text }) => `${text} == false`,
  isSet: ({ isThere }) => isThere,
  notSet: ({ isThere }) => `!${isThere}`,
  isEmpty: ({ text }) => `${text} == ""`,
  isNotEmpty: ({ text }) => `${text} != ""`,
  contain,
  notContain: not(contain),
  rlike: matches,
  notrlike: not(matches),
  include,
  notInclude: not(include),
  less: sign('<'),
  greater: sign('>'),
  least: sign('>='),
  most: sign('<='),
  between,
  absolute_between: dated(absolute),
  absoluteBetween: dated(absolute),
  absolute_before: dated(({ text }, params, node) => `${text}.before(${quoted(dayIn(params[0], node))})`),
  relative_within: dated(withinLast),
  relativeWithin: dated(withinLast),
  relative_before: dated(longAgo),
  relativeBefore: dated(longAgo),
  relative_between: dated(stretch),
  relativeBetween: dated(stretch),
};

interface Timed {
  readonly time_function: string;
  readonly time_params: readonly Value[];
}

/**
 * The window of an event rule, as text, and the number of days if it reaches up to today. Both ends of dates count;
 * `relative_within` n is today and the n − 1 days before; `relative_between` n, m leaves out the last m days.
 */
export function ofDays({ time_function, time_params: params }: Timed, node: string) {
  switch (time_function) {
    case 'absolute_time':
    case 'absolute_between': {
      const to = realDay(dayIn(params[1], node)) ?? 0;
      return { window: `.from(${quoted(dayIn(params[0], node))}).to(${quoted(isoDay(to + 1))})` };
    }
    case 'relative_within': {
      const last = dayCount(params, 0, node);
      return { window: `.within(${days(last, node)})`, last };
    }
    case 'relative_between': {
      const from = dayCount(params, 0, node);
      const to = dayCount(params, 1, node, 0);
      if (to === 0) return { window: `.within(${days(from, node)})`, last: from };
      return { window: `.between(${days(from, node)}, ${days(to, node)})` };
    }
    default:
      throw new ImportError(
        node,
        `the time function ${time_function} cannot be said: absolute_time, relative_within and relative_between can`,
      );
  }
}
