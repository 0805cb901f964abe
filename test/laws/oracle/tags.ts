import type { Event } from '../../../lib/events/event.ts';
import { dayOf, startOfDay } from './days.ts';
import type { Condition, FamilyRule, Within } from './family.ts';
import { byText } from './order.ts';

const HOUR = 60 * 60 * 1000;

export interface ExpectedTag {
  readonly tag: string;
  readonly value: true | string;
  /** RFC 3339: the latest instant at which its value became what it is. */
  readonly since: string;
}

/**
 * The tags held at `now`, each with the instant since which it has its value: by asking, at every instant at which
 * an event happens or leaves a window, every rule of the whole list of events.
 *
 * @param events of one profile
 */
export function tagsOf(
  events: readonly Event[],
  rules: readonly FamilyRule[],
  zone: string,
  now: number,
): ExpectedTag[] {
  const held = new Map<string, ExpectedTag>();
  for (const at of instants(events, rules, zone)) {
    if (at > now) break;
    for (const rule of rules) {
      const value = tagValue(rule, events, rules, zone, at);
      if (value === undefined) held.delete(rule.tag);
      else if (held.get(rule.tag)?.value !== value)
        held.set(rule.tag, { tag: rule.tag, value, since: new Date(at).toISOString() });
    }
  }
  return [...held.values()].sort((a, b) => byText(a.tag, b.tag));
}

/** The first instant after `now` at which some tag is not what it is at `now`, if nothing more happens. */
export function nextChangeOf(
  events: readonly Event[],
  rules: readonly FamilyRule[],
  zone: string,
  now: number,
): number | undefined {
  const values = (at: number) =>
    JSON.stringify(rules.map((rule) => tagValue(rule, events, rules, zone, at) ?? null));
  return instants(events, rules, zone).find((at) => at > now && values(at) !== values(now));
}

/** How somebody stood the moment before an instant, by the tags that say so: `tag`, or `tag=value`. */
export function stoodBefore(
  at: number,
  events: readonly Event[],
  rules: readonly FamilyRule[],
  zone: string,
  { vip, silent }: { readonly vip: readonly string[]; readonly silent: readonly string[] },
): 'vip' | 'silent' | 'other' {
  const held = rules.flatMap((rule) => {
    const value = tagValue(rule, events, rules, zone, at - 1);
    return value === undefined ? [] : [rule.tag, `${rule.tag}=${value}`];
  });
  if (vip.some((name) => held.includes(name))) return 'vip';
  return silent.some((name) => held.includes(name)) ? 'silent' : 'other';
}

/** Every instant at which anything that a rule reads may change, ascending. */
export function instants(events: readonly Event[], rules: readonly FamilyRule[], zone: string): number[] {
  const windows = rules.flatMap((rule) =>
    'when' in rule ? windowsOf(rule.when) : rule.values.flatMap(([, condition]) => windowsOf(condition)),
  );
  const all = new Set<number>();
  for (const event of events) {
    const at = Date.parse(event.occurredAt);
    all.add(at);
    for (const within of windows) {
      if (within === 'ever') continue;
      all.add('days' in within ? startOfDay(dayOf(at, zone) + within.days, zone) : at + within.hours * HOUR);
    }
  }
  return [...all].sort((a, b) => a - b);
}

function windowsOf(condition: Condition): Within[] {
  if (condition.is === 'leaf') return [condition.within];
  if (condition.is === 'not') return windowsOf(condition.of);
  if (condition.is === 'tag') return [];
  return condition.of.flatMap(windowsOf);
}

function tagValue(
  rule: FamilyRule,
  events: readonly Event[],
  rules: readonly FamilyRule[],
  zone: string,
  at: number,
): true | string | undefined {
  const holds = (condition: Condition): boolean => {
    switch (condition.is) {
      case 'leaf':
        return leafHolds(condition, events, zone, at);
      case 'not':
        return !holds(condition.of);
      case 'and':
        return condition.of.every(holds);
      case 'or':
        return condition.of.some(holds);
      case 'tag': {
        const other = rules.find(({ tag }) => tag === condition.tag);
        return other !== undefined && tagValue(other, events, rules, zone, at) === true;
      }
    }
  };
  if ('when' in rule) return holds(rule.when) || undefined;
  return rule.values.find(([, condition]) => holds(condition))?.[0];
}

function leafHolds(
  { type, within, aggregate, property, where, atLeast = 1 }: Extract<Condition, { is: 'leaf' }>,
  events: readonly Event[],
  zone: string,
  at: number,
): boolean {
  const seen = events.filter((event) => {
    if (event.type !== type || !isWithin(Date.parse(event.occurredAt), within, zone, at)) return false;
    if (!where) return true;
    const value = event.properties[where.property];
    return typeof value === 'number' && value >= where.atLeast;
  });
  if (aggregate !== 'sum') return seen.length >= (aggregate === 'any' ? 1 : atLeast);
  let sum = 0;
  for (const event of seen) {
    const value = event.properties[property ?? ''];
    if (typeof value === 'number') sum += value;
  }
  return sum >= atLeast;
}

/** An event counts from its own instant on; of `days` brand-days (D − days, D], of hours while now < t + hours. */
function isWithin(eventAt: number, within: Within, zone: string, at: number): boolean {
  if (eventAt > at) return false;
  if (within === 'ever') return true;
  if ('hours' in within) return at < eventAt + within.hours * HOUR;
  return dayOf(eventAt, zone) > dayOf(at, zone) - within.days;
}
