import { createHash } from 'node:crypto';
import type { FoldedEvent } from '../../lib/tags/cells.ts';
import { DAY_MS, HOUR_MS, localDay } from './oracle.ts';
import type { Chain, Moment, Num, Of, Op, Rule, Span } from './spoken.ts';

/** The rule language, told once more: an interpreter that reads raw events and knows nothing of the engine. */

export interface Past {
  readonly events: readonly FoldedEvent[];
  readonly traits: Readonly<Record<string, string>>;
  readonly now: number;
  readonly zone: string;
  readonly tag: (name: string) => boolean;
}

/** True, false, or undefined: it cannot be said. */
export type Said = boolean | undefined;

const passes: Record<Of['filter'], (event: FoldedEvent, zone: string) => boolean> = {
  none: () => true,
  store: ({ properties }) => properties.store === 'A',
  large: ({ properties: { amount } }) => typeof amount === 'number' && amount > 50,
  channel: ({ channel }) => channel === 'shop',
  both: (event, zone) => passes.store(event, zone) && passes.large(event, zone),
  pattern: ({ properties: { store } }) => typeof store === 'string' && store.length === 1 && store !== 'A',
  items: ({ properties: { items } }) =>
    Array.isArray(items) &&
    items.some((it) => {
      const { id, count } = Object(it);
      return id === 'x' && typeof count === 'number' && count > 1;
    }),
  weekend: ({ at }, zone) => [0, 6].includes(dateOf(dayOf(at, zone)).getUTCDay()),
  evening: ({ at }, zone) => hourOf(at, zone) >= 18 || hourOf(at, zone) === 2,
};

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

const clocks = new Map<string, Intl.DateTimeFormat>();
function hourOf(at: number, zone: string): number {
  const clock =
    clocks.get(zone) ??
    new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', hourCycle: 'h23' });
  clocks.set(zone, clock);
  return Number(clock.format(at));
}

const dateOf = (day: number) => new Date(day * DAY_MS);
function mondayOf(day: number): number {
  let monday = day;
  while (dateOf(monday).getUTCDay() !== 1) monday--;
  return monday;
}
const monthOf = (day: number) => dateOf(day).getUTCFullYear() * 12 + dateOf(day).getUTCMonth();

function isIn(span: Span, at: number, past: Past): boolean {
  const { now, zone } = past;
  if (span.is === 'ever') return true;
  if (span.is === 'at') return isAt(span, at, past) === true;
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

/** Whether an event is in a window that stands at an instant of its own; undefined without one. */
function isAt(span: Span & { is: 'at' }, at: number, past: Past): boolean | undefined {
  const { anchor, side, unit, length } = span;
  const time = anchor === 'born' ? undefined : moment(anchor, past)?.at;
  if (unit === 'h') {
    if (time === undefined) return undefined;
    const far = length * HOUR_MS;
    return side === 'after' ? at >= time && at < time + far : at > time - far && at <= time;
  }
  const date =
    anchor === 'born' ? dateText(past.traits.born, past.zone) : time && dayText(dayOf(time, past.zone));
  if (date === undefined) return undefined;
  const day = dayOf(at, past.zone);
  if (anchor === 'born' && dayOf(past.now, past.zone) - day >= 1095) return false;
  const away = side === 'after' ? day - dayNo(String(date)) : dayNo(String(date)) - day;
  return away >= 0 && away < length;
}

/** Whether the window has a place. */
const stands = ({ span }: Of, past: Past): boolean =>
  span.is !== 'at' || isAt(span, past.now, past) !== undefined;

function moment({ of, end }: Moment, past: Past): FoldedEvent | undefined {
  const events = pick(of, past);
  return typeof end === 'number' ? events[end - 1] : events.at(end === 'first' ? 0 : -1);
}

/** A value as a date, if it is one with a year. */
function dateText(value: string | undefined, zone: string): string | undefined {
  const text = value?.includes('T') ? dayText(dayOf(Date.parse(value), zone)) : value;
  const isDate = text && /^\d{4}-/.test(text) && Number.isFinite(Date.parse(text));
  return isDate && dayText(dayNo(text)) === text ? text : undefined;
}

const inOrder = (a: FoldedEvent, b: FoldedEvent) => a.at - b.at || (a.id < b.id ? -1 : 1);

/** The events meant, in order. */
const pick = ({ type, filter, span }: Of, past: Past): FoldedEvent[] =>
  past.events.filter(
    (event) =>
      event.at <= past.now &&
      event.type === type &&
      passes[filter](event, past.zone) &&
      isIn(span, event.at, past),
  );

const over = (of: Of, span: Span): Of => ({ ...of, span });
const ago = (from: number, to = 0): Span => ({ is: 'ago', unit: 'd', from, to });

function numOf(num: Num, past: Past): number | undefined {
  if (!stands(num.of, past)) return undefined;
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
      return stands(rule.of, past) ? pick(rule.of, past).length > 0 : undefined;
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
      const event = moment(rule, past);
      return event && ops[rule.op](event.at, Date.parse(rule.than));
    }
    case 'value': {
      const stores = pick(rule.of, past)
        .map(({ properties }) => properties.store)
        .filter((it) => it !== undefined && it !== null);
      return stores.length === 0 ? undefined : stores.at(rule.end === 'first' ? 0 : -1) === rule.store;
    }
    case 'preferred': {
      if (!stands(rule.of, past)) return undefined;
      const best = favourite(pick(rule.of, past), rule.halfLife, past.zone);
      return best === undefined ? undefined : (best === rule.store) === rule.equal;
    }
    case 'date':
      return dateSays(rule, past);
    case 'trait':
      return past.traits.city === undefined ? undefined : (past.traits.city === rule.city) === rule.equal;
    case 'sequence': {
      const ends = endsOf(rule.chain, past);
      if (!rule.ended) return ends.length > 0;
      const end = ends.sort((a, b) => a - b).at(rule.ended.end === 'first' ? 0 : -1);
      if (end === undefined) return undefined;
      const away = dayOf(past.now, past.zone) - dayOf(end, past.zone);
      return away >= 0 && away < rule.ended.days;
    }
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

/** The store with the greatest weight; each event counts 2^(day / half-life), to 24 bits. */
function favourite(events: readonly FoldedEvent[], halfLife: number, zone: string): string | undefined {
  const weights = new Map<string, bigint>();
  for (const { at, properties } of events) {
    const { store } = properties;
    if (typeof store !== 'string') continue;
    const day = dayOf(at, zone);
    const mantissa = Math.round(2 ** 24 * 2 ** ((day % halfLife) / halfLife));
    const weight = BigInt(mantissa) * 2n ** BigInt((day - (day % halfLife)) / halfLife);
    weights.set(store, (weights.get(store) ?? 0n) + weight);
  }
  const most = [...weights.values()].reduce((a, b) => (a > b ? a : b), 0n);
  return [...weights.keys()].sort().find((store) => weights.get(store) === most);
}

/** By looking at one day after the other. */
function dateSays({ of, ask, day, days }: Rule & { is: 'date' }, past: Past): Said {
  const event = of === 'born' ? undefined : moment(of, past);
  const text = of === 'born' ? past.traits.born : event && dayText(dayOf(event.at, past.zone));
  if (text === undefined) return undefined;
  const isDate = dateText(text, past.zone) !== undefined;
  const date = dateText(text, past.zone) ?? text;
  if (!isDate && (ask !== 'anniversary' || !/^(--)?\d\d-\d\d$/.test(date))) return undefined;
  const today = dayOf(past.now, past.zone);
  const isAhead = (isIt: (it: string) => boolean) => {
    for (let i = 0; i < days; i++) if (isIt(dayText(today + i))) return true;
    return false;
  };
  switch (ask) {
    case 'before':
      return date < day;
    case 'on':
      return date === day;
    case 'after':
      return date > day;
    case 'withinLast':
      return date <= dayText(today) && date > dayText(today - days);
    case 'withinNext':
      return isAhead((it) => it === date);
    case 'anniversary': {
      const monthDay = date.slice(-5);
      const isIt = (it: string) =>
        it.endsWith(monthDay) ||
        (monthDay === '02-29' && it.endsWith('02-28') && dayText(dayNo(it) + 1).endsWith('03-01'));
      return isAhead((it) => isIt(it) && (!isDate || it.slice(0, 4) > date.slice(0, 4)));
    }
  }
}

const texts = new Map<number, string>();
function dayText(day: number): string {
  const text = texts.get(day) ?? dateOf(day).toISOString().slice(0, 10);
  texts.set(day, text);
  return text;
}
const dayNo = (date: string) => Date.parse(date) / DAY_MS;

/** Asked at a hundred instants between two events, it is worked out once. */
const ends = new WeakMap<readonly FoldedEvent[], Map<string, readonly number[]>>();
function endsOf(chain: Chain, past: Past): number[] {
  const known = ends.get(past.events) ?? new Map<string, readonly number[]>();
  ends.set(past.events, known);
  const asked = JSON.stringify([chain, past.zone, past.events.filter(({ at }) => at <= past.now).length]);
  const found = known.get(asked) ?? everyEnd(chain, past);
  known.set(asked, found);
  return [...found];
}

/** When a sequence ended: by trying every event for every step. */
function everyEnd({ steps, within, gap, same, without }: Chain, past: Past): number[] {
  const candidates = steps.map((of) => pick(of, past));
  const breaking = without ? pick(without, past) : [];
  const apart = (a: number, b: number, unit: 'h' | 'd') =>
    unit === 'h' ? (b - a) / HOUR_MS : dayOf(b, past.zone) - dayOf(a, past.zone);
  const plain = ({ properties }: FoldedEvent) => properties[same ?? ''] ?? undefined;
  const isOne = (way: readonly FoldedEvent[]): boolean => {
    const [first, last] = [way[0]!, way.at(-1)!];
    const isNear = (a: number, b: number) => !gap || apart(a, b, gap.unit) <= gap.length;
    return (
      way.every(({ at }, i) => i === 0 || (way[i - 1]!.at < at && isNear(way[i - 1]!.at, at))) &&
      apart(first.at, last.at, within.unit) < within.length &&
      (!same || way.every((it) => plain(it) !== undefined && plain(it) === plain(first))) &&
      !breaking.some(
        (it) =>
          it.at > first.at &&
          it.at < last.at &&
          (!same || plain(it) === undefined || plain(it) === plain(first)),
      )
    );
  };
  const ways = candidates.reduce<FoldedEvent[][]>(
    (so, events) =>
      so.flatMap((way) =>
        events
          .filter(({ at }) => (way.at(-1)?.at ?? Number.NEGATIVE_INFINITY) < at)
          .map((it) => [...way, it]),
      ),
    [[]],
  );
  return ways.filter(isOne).map((way) => way.at(-1)!.at);
}

/** Events in the order in which they are read here. */
export const ordered = (events: readonly FoldedEvent[]): FoldedEvent[] => [...events].sort(inOrder);
