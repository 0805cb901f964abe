import { createHash } from 'node:crypto';
import type { FoldedEvent } from '../../lib/tags/cells.ts';
import { DAY_MS, HOUR_MS, localDay } from './oracle.ts';

/** The rule language, told once more: an interpreter that reads raw events and knows nothing of the engine. */

export type Span =
  | { readonly is: 'ever' }
  | { readonly is: 'ago'; readonly unit: 'h' | 'd'; readonly from: number; readonly to: number }
  /** Whole weeks or months before this one; 0: this one itself. */
  | { readonly is: 'week' | 'month'; readonly back: number }
  | { readonly is: 'dates'; readonly from: string; readonly to: string };

export interface Of {
  readonly type: string;
  readonly filter: 'none' | 'store' | 'large' | 'channel' | 'both';
  readonly span: Span;
}

export type Num =
  | {
      readonly of: Of;
      readonly take: 'count' | 'days' | 'daysInRow' | 'streak' | 'sum' | 'min' | 'max' | 'avg';
    }
  | { readonly of: Of; readonly take: 'distinct'; readonly property: string }
  | { readonly of: Of; readonly take: 'weeksWith'; readonly least: number };

export type Rule =
  | { readonly is: 'compare'; readonly left: Num; readonly op: Op; readonly right: number | Num }
  | {
      readonly is: 'ratio' | 'divided';
      readonly left: Num;
      readonly right: Num;
      readonly op: Op;
      readonly bound: number;
    }
  | { readonly is: 'any' | 'firstEver'; readonly of: Of }
  | { readonly is: 'stopped' | 'restarted' | 'dormant'; readonly of: Of; readonly days: number }
  | { readonly is: 'lastIs'; readonly of: Of; readonly store: string }
  | {
      readonly is: 'time';
      readonly of: Of;
      readonly end: 'first' | 'last';
      readonly op: Op;
      readonly than: string;
    }
  | { readonly is: 'value'; readonly of: Of; readonly end: 'first' | 'last'; readonly store: string }
  | { readonly is: 'trait'; readonly equal: boolean; readonly city: string }
  | { readonly is: 'hasTrait' }
  | { readonly is: 'bucket'; readonly salt: string; readonly of: number; readonly below: number }
  | { readonly is: 'tag'; readonly tag: string }
  | { readonly is: 'and' | 'or'; readonly left: Rule; readonly right: Rule }
  | { readonly is: 'not'; readonly of: Rule }
  | { readonly is: 'kOf'; readonly least: number; readonly of: readonly Rule[] };

export type Op = '>=' | '>' | '<' | '==' | '!=';

export interface Past {
  readonly events: readonly FoldedEvent[];
  readonly traits: Readonly<Record<string, string>>;
  readonly now: number;
  readonly zone: string;
  readonly tag: (name: string) => boolean;
}

/** True, false, or undefined: it cannot be said. */
export type Said = boolean | undefined;

const filters: Record<Of['filter'], string> = {
  none: '',
  store: '.where(e, e.store == "A")',
  large: '.where(it, it.amount > 50)',
  channel: '.where(e, e.channel == "shop")',
  both: '.where(e, e.store == "A" && e.amount > 50)',
};

const passes: Record<Of['filter'], (event: FoldedEvent) => boolean> = {
  none: () => true,
  store: ({ properties }) => properties.store === 'A',
  large: ({ properties: { amount } }) => typeof amount === 'number' && amount > 50,
  channel: ({ channel }) => channel === 'shop',
  both: (event) => passes.store(event) && passes.large(event),
};

// ── as text ──

function spanText(span: Span): string {
  switch (span.is) {
    case 'ever':
      return '';
    case 'ago':
      return span.to === 0
        ? `.within("${span.from}${span.unit}")`
        : `.between("${span.from}${span.unit}", "${span.to}${span.unit}")`;
    case 'dates':
      return `.from("${span.from}").to("${span.to}")`;
    default: {
      const name = span.is === 'week' ? 'Week' : 'Month';
      return `.${span.back === 0 ? 'this' : 'last'}${name}${span.back > 1 ? `s(${span.back})` : '()'}`;
    }
  }
}

const ofText = ({ type, filter, span }: Of) => `events("${type}")${filters[filter]}${spanText(span)}`;

function numText(num: Num): string {
  const from = ofText(num.of);
  if (num.take === 'distinct') return `${from}.distinct("${num.property}")`;
  if (num.take === 'weeksWith') return `${from}.weeksWith(${num.least})`;
  const needs = ['sum', 'min', 'max', 'avg'].includes(num.take);
  return `${from}.${num.take}(${needs ? '"amount"' : ''})`;
}

export function textOf(rule: Rule): string {
  switch (rule.is) {
    case 'compare': {
      const right = typeof rule.right === 'number' ? `${rule.right}` : numText(rule.right);
      const decimal = rule.left.take === 'avg' && typeof rule.right === 'number';
      return `${numText(rule.left)} ${rule.op} ${right}${decimal && !right.includes('.') ? '.0' : ''}`;
    }
    case 'ratio':
      return `ratio(${numText(rule.left)}, ${numText(rule.right)}) ${rule.op} ${rule.bound.toFixed(2)}`;
    case 'divided':
      return `${numText(rule.left)} / ${numText(rule.right)} ${rule.op} ${rule.bound}`;
    case 'any':
    case 'firstEver':
      return `${ofText(rule.of)}.${rule.is}()`;
    case 'stopped':
    case 'restarted':
    case 'dormant':
      return `${ofText(rule.of)}.${rule.is}("${rule.days}d")`;
    case 'lastIs':
      return `${ofText(rule.of)}.lastIs(last, last.store == "${rule.store}")`;
    case 'time':
      return `${ofText(rule.of)}.${rule.end}() ${rule.op} timestamp("${rule.than}")`;
    case 'value':
      return `${ofText(rule.of)}.${rule.end}("store") == "${rule.store}"`;
    case 'trait':
      return `trait("city") ${rule.equal ? '==' : '!='} "${rule.city}"`;
    case 'hasTrait':
      return 'hasTrait("city")';
    case 'bucket':
      return `bucket("${rule.salt}", ${rule.of}) < ${rule.below}`;
    case 'tag':
      return `hasTag("${rule.tag}")`;
    case 'not':
      return `!(${textOf(rule.of)})`;
    case 'kOf':
      return `kOf(${rule.least}, [${rule.of.map(textOf).join(', ')}])`;
    default:
      return `(${textOf(rule.left)} ${rule.is === 'and' ? '&&' : '||'} ${textOf(rule.right)})`;
  }
}

// ── as it is meant ──

const days = new Map<string, number>();
/** The local date of an instant, as days since 1970. */
export function dayOf(at: number, zone: string): number {
  const name = `${zone}${at}`;
  let day = days.get(name);
  if (day === undefined) {
    if (days.size > 300_000) days.clear();
    day = localDay(at, zone);
    days.set(name, day);
  }
  return day;
}

const dateOf = (day: number) => new Date(day * DAY_MS);
function mondayOf(day: number): number {
  let monday = day;
  while (dateOf(monday).getUTCDay() !== 1) monday--;
  return monday;
}
const monthOf = (day: number) => dateOf(day).getUTCFullYear() * 12 + dateOf(day).getUTCMonth();

function isIn(span: Span, at: number, { now, zone }: Past): boolean {
  if (span.is === 'ever') return true;
  if (span.is === 'ago' && span.unit === 'h')
    return at + span.to * HOUR_MS <= now && now < at + span.from * HOUR_MS;
  const day = dayOf(at, zone);
  const today = dayOf(now, zone);
  switch (span.is) {
    case 'ago':
      return today - day >= span.to && today - day < span.from;
    case 'dates': {
      const date = dateOf(day).toISOString().slice(0, 10);
      return date >= span.from && date < span.to;
    }
    case 'week': {
      const weeks = (mondayOf(today) - mondayOf(day)) / 7;
      return span.back === 0 ? weeks === 0 : weeks >= 1 && weeks <= span.back;
    }
    case 'month': {
      const months = monthOf(today) - monthOf(day);
      return span.back === 0 ? months === 0 : months >= 1 && months <= span.back;
    }
  }
}

const inOrder = (a: FoldedEvent, b: FoldedEvent) => a.at - b.at || (a.id < b.id ? -1 : 1);

/** The events meant, in order. */
const pick = ({ type, filter, span }: Of, past: Past): FoldedEvent[] =>
  past.events.filter(
    (event) =>
      event.at <= past.now && event.type === type && passes[filter](event) && isIn(span, event.at, past),
  );

const over = (of: Of, span: Span): Of => ({ ...of, span });
const ago = (from: number, to = 0): Span => ({ is: 'ago', unit: 'd', from, to });

function numOf(num: Num, past: Past): number | undefined {
  const events = pick(num.of, past);
  const amounts = events.map(({ properties }) => properties.amount).filter((it) => typeof it === 'number');
  const total = () => amounts.reduce((sum, it) => sum + Math.round(it * 1e6), 0) / 1e6;
  const dates = new Set(events.map(({ at }) => dayOf(at, past.zone)));
  switch (num.take) {
    case 'count':
      return events.length;
    case 'days':
      return dates.size;
    case 'sum':
      return total();
    case 'avg':
      return amounts.length > 0 ? total() / amounts.length : undefined;
    case 'min':
      return amounts.length > 0 ? Math.min(...amounts) : undefined;
    case 'max':
      return amounts.length > 0 ? Math.max(...amounts) : undefined;
    case 'distinct': {
      const values = events
        .map(({ properties }) => properties[num.property])
        .filter((it) => ['string', 'number', 'boolean'].includes(typeof it));
      return new Set(values).size;
    }
    case 'daysInRow':
      return Math.max(0, ...[...dates].map((day) => runUpTo(day, dates)));
    case 'streak': {
      const today = dayOf(past.now, past.zone);
      return dates.has(today) ? runUpTo(today, dates) : runUpTo(today - 1, dates);
    }
    case 'weeksWith': {
      const weeks = events.map(({ at }) => mondayOf(dayOf(at, past.zone)));
      return [...new Set(weeks)].filter((week) => weeks.filter((it) => it === week).length >= num.least)
        .length;
    }
  }
}

function runUpTo(day: number, dates: ReadonlySet<number>): number {
  let length = 0;
  while (dates.has(day - length)) length++;
  return length;
}

const ops: Record<Op, (a: number, b: number) => boolean> = {
  '>=': (a, b) => a >= b,
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
};

export function says(rule: Rule, past: Past): Said {
  switch (rule.is) {
    case 'compare': {
      const left = numOf(rule.left, past);
      const right = typeof rule.right === 'number' ? rule.right : numOf(rule.right, past);
      return left === undefined || right === undefined ? undefined : ops[rule.op](left, right);
    }
    case 'ratio':
    case 'divided': {
      const [left, right] = [numOf(rule.left, past), numOf(rule.right, past)];
      if (left === undefined || !right) return undefined;
      return ops[rule.op](rule.is === 'ratio' ? left / right : Math.trunc(left / right), rule.bound);
    }
    case 'any':
      return pick(rule.of, past).length > 0;
    case 'firstEver': {
      const [first] = pick(over(rule.of, { is: 'ever' }), past);
      return first !== undefined && isIn(rule.of.span, first.at, past);
    }
    case 'stopped':
    case 'restarted': {
      const recent = pick(over(rule.of, ago(rule.days)), past).length > 0;
      const before = pick(over(rule.of, ago(2 * rule.days, rule.days)), past).length > 0;
      if (rule.is === 'stopped') return before && !recent;
      const long = pick(over(rule.of, ago(1e6, 2 * rule.days)), past).length > 0;
      return recent && !before && long;
    }
    case 'dormant': {
      const ever = pick(over(rule.of, { is: 'ever' }), past);
      return ever.length > 0 && !ever.some(({ at }) => isIn(ago(rule.days), at, past));
    }
    case 'lastIs': {
      const all = pick(rule.of, past);
      const last = all.at(-1)?.at;
      if (last === undefined) return undefined;
      return all.some(({ at, properties }) => at === last && properties.store === rule.store);
    }
    case 'time': {
      const event = pick(rule.of, past).at(rule.end === 'first' ? 0 : -1);
      return event && ops[rule.op](event.at, Date.parse(rule.than));
    }
    case 'value': {
      const stores = pick(rule.of, past)
        .map(({ properties }) => properties.store)
        .filter((it) => it !== undefined && it !== null);
      return stores.length === 0 ? undefined : stores.at(rule.end === 'first' ? 0 : -1) === rule.store;
    }
    case 'trait':
      return past.traits.city === undefined ? undefined : (past.traits.city === rule.city) === rule.equal;
    case 'hasTrait':
      return past.traits.city !== undefined;
    case 'bucket': {
      const [first] = past.events.filter(({ at }) => at <= past.now);
      if (!first) return undefined;
      const hash = createHash('sha256')
        .update(JSON.stringify([rule.salt, first.id]))
        .digest('hex');
      return Number(BigInt(`0x${hash.slice(0, 12)}`) % BigInt(rule.of)) < rule.below;
    }
    case 'tag':
      return past.tag(rule.tag);
    case 'not': {
      const of = says(rule.of, past);
      return of === undefined ? undefined : !of;
    }
    case 'kOf': {
      const said = rule.of.map((it) => says(it, past));
      const open = said.filter((it) => it === undefined).length;
      const yes = said.filter((it) => it === true).length;
      return yes >= rule.least ? true : yes + open < rule.least ? false : undefined;
    }
    default: {
      const sides = [says(rule.left, past), says(rule.right, past)];
      const decides = rule.is === 'or';
      return sides.includes(decides) ? decides : sides.includes(undefined) ? undefined : !decides;
    }
  }
}

/** Events in the order in which they are read here. */
export const ordered = (events: readonly FoldedEvent[]): FoldedEvent[] => [...events].sort(inOrder);
