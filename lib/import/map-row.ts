import { createHash } from 'node:crypto';
import { checkEvent } from '../events/check.ts';
import { exponentOf } from '../events/currency.ts';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { toIso } from '../platform/clock.ts';
import { holds } from './condition.ts';
import { decimalOf, negated, rounded, wholeText } from './decimal.ts';
import { firstOf, type Gathered, type Refusal } from './line.ts';
import { timeReader } from './local-time.ts';
import { type EventRule, ImportError, type Mapping, type PropertyRule } from './mapping.ts';
import { openRecent } from './recent.ts';
import { type Row, type Template, template } from './template.ts';

export type Outcome =
  | { readonly kind: 'event'; readonly of: Gathered; readonly json: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'skipped'; readonly rows: number; readonly why: string };

/** Reads a property; `undefined`: it is left out. @throws FaultError */
type Reader = (row: Row) => Json | undefined;

/** What a rule makes of a row. @throws FaultError */
type Maker = (of: Gathered) => { id: string; event: { [name: string]: Json } };

/**
 * What a mapping makes of gathered rows, one after the other.
 *
 * An event is checked as the brand would check it, so that a fault is told with its line before anything is sent. An
 * id that was used a short while ago (100,000 events) is refused: the brand would take it for a repeat and keep the first.
 *
 * @param columns of the file, where it names them: every column that the mapping speaks of has to be there
 * @throws ImportError if the mapping cannot be meant so
 */
export function rowMapper(mapping: Mapping, columns: readonly string[] | undefined) {
  const makers = mapping.rules.map((rule, i) => {
    try {
      return 'type' in rule ? maker(rule, mapping, columns) : undefined;
    } catch (error) {
      if (error instanceof RangeError) throw new ImportError(`rule ${i + 1}: ${error.message}`);
      throw error;
    }
  });
  const seen = openRecent();

  return (of: Gathered): Outcome => {
    const { lines, rows } = of;
    const refused = (reason: string, message: string): Outcome => ({
      kind: 'refused',
      refusal: { lines, rows, reason, message },
    });
    const index = mapping.rules.findIndex((rule) => holds(rule.when, of.row));
    const rule = mapping.rules[index];
    if (!rule) return refused('no_rule', 'no rule of the mapping is about this row');
    if ('refuse' in rule) return refused('by_rule', rule.refuse);
    if ('skip' in rule) return { kind: 'skipped', rows, why: rule.skip };
    try {
      const made = makers[index]!(of);
      const before = seen.lineOf(made.id);
      if (before !== undefined) return refused('repeated_id', `line ${before} has the same id`);
      seen.put(made.id, firstOf(lines));
      return { kind: 'event', of, json: JSON.stringify(made.event) };
    } catch (error) {
      if (error instanceof FaultError) return refused(error.reason, error.message);
      throw error;
    }
  };
}

function maker(rule: EventRule, mapping: Mapping, columns: readonly string[] | undefined): Maker {
  const { column, format = mapping.time, zone = mapping.zone } = rule.time;
  const time = timeReader(format, zone);
  const identifiers = rule.identifiers.map(({ kind, scope, value, fallback }) => ({
    kind,
    scope: scope === undefined ? undefined : template(scope),
    value: template(value),
    fallback,
  }));
  const properties = readers(rule.properties, mapping);
  const traits = readers(rule.traits, mapping);
  const { campaign, ...around } = rule.context;
  const campaignParts = templates(campaign ?? {});
  const aroundParts = templates(around);
  const idOf = identity(rule, mapping, columns);

  return (of) => {
    const { row } = of;
    const id = idOf(of);
    const at = time(row.get(column)?.trim() ?? '');
    if (at === undefined)
      throw new FaultError('bad_time', `${column} is no time in the format ${format}, after 1990`);
    const who: Json[] = [];
    for (const { kind, scope, value, fallback } of identifiers) {
      const known = fallback && who.length > 0 ? undefined : value(row);
      if (known === undefined) continue;
      const within = scope?.(row);
      who.push({ kind, ...(within !== undefined && { scope: within }), value: known });
    }
    if (who.length === 0)
      throw new FaultError('no_identifier', 'every column that says who did this is empty');
    const said = filled(properties, row);
    checkEvent(rule.type, said, 'signed');
    const known = filled(traits, row);
    const from = filled(campaignParts, row);
    const context = { ...filled(aroundParts, row), ...(some(from) && { campaign: from }) };
    const event = {
      event_id: id,
      type: rule.type,
      timestamp: toIso(at),
      identifiers: who,
      properties: said,
      ...(some(known) && { traits: known }),
      ...(some(context) && { context }),
    };
    return { id, event };
  };
}

/** `name:a:b`, with `:` in a part escaped, so that different parts never give one id. */
function identity({ id }: EventRule, { name }: Mapping, columns: readonly string[] | undefined) {
  const escaped = (part: string) => part.replaceAll('%', '%25').replaceAll(':', '%3A');
  if (id === 'line') return ({ lines }: Gathered) => `${name}:line:${firstOf(lines)}`;
  if (id === 'row') {
    if (!columns)
      throw new RangeError('id: row needs a file whose first line names its columns; name columns instead');
    return ({ row }: Gathered) => {
      const cells = JSON.stringify(columns.map((column) => row.get(column) ?? ''));
      return `${name}:row:${createHash('sha256').update(cells).digest('base64url').slice(0, 22)}`;
    };
  }
  return ({ row }: Gathered) => {
    const parts = id.map((column) => row.get(column)?.trim() ?? '');
    if (parts.every((part) => part === ''))
      throw new FaultError(
        'missing_property',
        `${id.join(', ')} is empty: nothing tells this event from others`,
      );
    return [name, ...parts.map(escaped)].join(':');
  };
}

const templates = (of: Readonly<Record<string, string | undefined>>): [string, Template][] =>
  Object.entries(of).flatMap(([name, source]) => (source === undefined ? [] : [[name, template(source)]]));

const readers = (of: Readonly<Record<string, PropertyRule>>, mapping: Mapping): [string, Reader][] =>
  Object.entries(of).map(([name, rule]) => [name, reader(name, rule, mapping)]);

function reader(name: string, rule: PropertyRule, mapping: Mapping): Reader {
  if (typeof rule === 'string') return template(rule);
  if (typeof rule !== 'object') return () => rule;
  const bad = (column: string, what: string): never => {
    throw new FaultError('bad_property', `${name}: ${column} is not ${what}`);
  };
  if ('flag' in rule) {
    const yes = new Set(rule.true);
    return (row) => {
      const text = row.get(rule.flag)?.trim();
      return text ? yes.has(text) : undefined;
    };
  }
  if ('money' in rule) {
    const { money: column, unit, negate } = rule;
    const source = rule.currency ?? mapping.currency;
    if (source === undefined) throw new RangeError(`${name} is money of no currency: say currency: CNY`);
    const currency = template(source);
    return (row) => {
      const text = row.get(column)?.trim();
      if (!text) return undefined;
      const value = decimalOf(text) ?? bad(column, 'a decimal number such as 12.50');
      const code = currency(row) ?? bad(source, 'filled in');
      if (unit === 'minor' && wholeText(value) === undefined)
        return bad(column, 'a whole number of minor units');
      const amount = rounded(
        negate ? negated(value) : value,
        unit === 'minor' ? 0 : exponentOf(code.toUpperCase()),
      );
      return amount ?? bad(column, 'an amount that 2^53 minor units can hold');
    };
  }
  if ('integer' in rule) {
    const { integer: column } = rule;
    return (row) => {
      const text = row.get(column)?.trim();
      if (!text) return undefined;
      const value = decimalOf(text);
      const whole = value && wholeText(value) !== undefined ? rounded(value, 0) : undefined;
      return whole ?? bad(column, 'a whole number that a double can hold');
    };
  }
  const { number: column } = rule;
  return (row) => {
    const text = row.get(column)?.trim();
    if (!text) return undefined;
    return decimalOf(text) ? Number(text) : bad(column, 'a number');
  };
}

function filled(parts: readonly (readonly [string, Reader])[], row: Row): Record<string, Json> {
  const found: Record<string, Json> = {};
  for (const [name, read] of parts) {
    const value = read(row);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

const some = (of: object): boolean => Object.keys(of).length > 0;
