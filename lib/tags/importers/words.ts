import { personalKind } from '../../channels/personal.ts';
import { eventNamed, type NamedEvent, propertiesOf } from '../../channels/segment-names.ts';
import { realDay } from '../dates.ts';
import { MAX_DAYS, MAX_HOURS } from '../windows.ts';

/** A definition of another system that our language cannot say; the message names the node and gives the reason. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
  constructor(node: string, reason: string) {
    super(`${node}: ${reason}`);
  }
}

/** A definition of another system as a rule of ours. */
export interface Imported {
  readonly name: string | undefined;
  readonly when: string;
  /** Where our answer can be another than theirs, in words; empty where both always say the same. */
  readonly notes: readonly string[];
}

/** What an import is told, and what it has to tell. */
export interface Desk {
  /** ISO 4217; in it the amounts of the other system were. Needed only where a rule reads money. */
  readonly currency: string | undefined;
  readonly note: (text: string) => void;
}

/** Imports with a desk of its own. Notes come out once each, in the order in which they arose. */
export function importing(
  currency: string | undefined,
  read: (desk: Desk) => { name: string | undefined; when: string },
): Imported {
  const notes = new Set<string>();
  return { ...read({ currency, note: (text) => notes.add(text) }), notes: [...notes] };
}

export const quoted = (text: string): string => JSON.stringify(text);

/** A number as CEL writes it. */
export function numeral(value: number, node: string): string {
  const text = String(value);
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw new ImportError(node, `${text} is no number that a rule can hold`);
  return text;
}

/** A text as a number, if it is one: `"5"`, `5`. */
export function numberIn(value: unknown, node: string): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number))
    throw new ImportError(node, 'a number is compared, and none is given');
  return number;
}

/** A whole number of at least `least`. */
export function wholeIn(value: unknown, node: string, least = 1): number {
  const number = numberIn(value, node);
  if (!Number.isInteger(number) || number < least)
    throw new ImportError(node, `a whole number from ${least} on is needed here`);
  return number;
}

export const allOf = (parts: readonly string[]): string => joined(parts, ' && ');
export const anyOf = (parts: readonly string[]): string => joined(parts, ' || ');
const joined = (parts: readonly string[], sign: string) =>
  parts.length === 1 ? (parts[0] ?? '') : `(${parts.join(sign)})`;

/** What is compared: a trait or a property, as text of the language, and whether there is one. */
export interface Operand {
  readonly text: string;
  readonly isThere: string;
  /** A value as this operand holds it: money in minor units. */
  readonly held: (value: string | number) => string | number;
  /** It is a number for certain: a count or a sum, or an average. */
  readonly number?: 'whole' | 'decimal';
}

/** Equal as texts, as systems compare that keep every value as text: the number 5 and the text "5" are one. */
export function sameText({ text, held }: Operand, value: string | number | boolean, node: string): string {
  const plain = typeof value === 'boolean' ? value : held(value);
  const other =
    plain === 'true' || plain === 'false' || typeof plain === 'boolean'
      ? String(plain)
      : String(plain).trim() !== '' && String(Number(plain)) === String(plain)
        ? numeral(Number(plain), node)
        : undefined;
  const asText = `${text} == ${quoted(String(plain))}`;
  return other === undefined ? asText : `(${asText} || ${text} == ${other})`;
}

/** Equal to one of several, as texts. */
export const oneOf = (of: Operand, values: readonly (string | number | boolean)[], node: string): string =>
  anyOf(values.map((value) => sameText(of, value, node)));

/** Holds also of those without a value, as the negations of other systems do. */
export const orMissing = ({ isThere }: Operand, condition: string): string =>
  `(!${isThere} || !(${condition}))`;

/** A comparison of numbers; a text that is a number counts as one. */
export function compared(
  { text, held, number }: Operand,
  sign: '<' | '<=' | '>' | '>=' | '==',
  value: number,
  node: string,
): string {
  const written = numeral(Number(held(value)), node);
  if (number === undefined) return `double(${text}) ${sign} ${written}`;
  return `${text} ${sign} ${number === 'decimal' && !written.includes('.') ? `${written}.0` : written}`;
}

/** Whether a text is contained, the case of Latin letters aside. */
export function containsAnyCase({ text }: Operand, value: string, node: string): string {
  const hasCase = (it: string) => it.toLowerCase() !== it.toUpperCase();
  if ([...value].some((it) => !/^\p{ASCII}$/u.test(it) && hasCase(it)))
    throw new ImportError(
      node,
      'letters beyond ASCII have their case here: contains() cannot leave it aside',
    );
  return `${text}.lowerAscii().contains(${quoted(value.toLowerCase())})`;
}

/** A trait. @throws ImportError for a name that no trait has here */
export function traitNamed(name: string, node: string): Operand {
  if (personalKind(name))
    throw new ImportError(node, `${name} is an identifier here, kept encrypted: no rule reads it`);
  if (!/^[\p{L}_][\p{L}\p{N}_ -]{0,127}$/u.test(name))
    throw new ImportError(node, `${quoted(name)} is no name of a trait here`);
  return {
    text: `trait(${quoted(name)})`,
    isThere: `hasTrait(${quoted(name)})`,
    held: (value) => value,
  };
}

/** The event that a name means, as the channels read it. @throws ImportError if it can have no type here */
export function eventOf(name: string, node: string): NamedEvent {
  const event = eventNamed(name);
  if (!/^[a-z][a-z0-9_]{0,63}$/.test(event.type))
    throw new ImportError(
      node,
      `the event ${quoted(name)} has no type here: types are snake_case; let the channel name it first`,
    );
  return event;
}

export const eventsNamed = ({ type }: NamedEvent): string => `events(${quoted(type)})`;

/**
 * A property of an event, by the name and in the unit in which the channels hand it on: `total` of an order in whole
 * units is `total_amount` in minor units here.
 *
 * @throws ImportError for a name that no property has here, and for money without a currency
 */
export function propertyNamed(event: NamedEvent, name: string, node: string, desk: Desk): Operand {
  if (personalKind(name))
    throw new ImportError(node, `${name} is an identifier here, kept encrypted: no rule reads it`);
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name))
    throw new ImportError(node, `${quoted(name)} is no name of a property here`);
  const { kept, value: one } = handedOn(event, name, 1, 'XXX');
  const isMoney = kept !== name || one !== 1;
  if (isMoney && desk.currency === undefined)
    throw new ImportError(node, `${name} of ${event.type} is money, kept in minor units: say the currency`);
  const held = (value: string | number) => {
    if (!isMoney) return value;
    const minor = handedOn(event, name, value, desk.currency ?? '').value;
    if (typeof minor !== 'number')
      throw new ImportError(node, `${name} is money, and is compared with no amount`);
    return minor;
  };
  return { text: `e.${kept}`, isThere: `has(e.${kept})`, held };
}

/** What the channels make of one property. */
function handedOn(event: NamedEvent, name: string, value: string | number, currency: string) {
  const properties = propertiesOf(event, { [name]: value }, '', currency);
  const kept = Object.hasOwn(properties, name) ? name : `${name}_amount`;
  return { kept, value: properties[kept] };
}

/** So many brand-days. @throws ImportError beyond the longest window */
export function days(count: number, node: string): string {
  if (count > MAX_DAYS)
    throw new ImportError(node, `windows are at most ${MAX_DAYS} days long, not ${count}`);
  return quoted(`${count}d`);
}

/** A rolling length in seconds: whole hours up to 48 are exact, whole days are brand-days. */
export function rolling(seconds: number, node: string, desk: Desk): string {
  const hours = seconds / 3600;
  if (Number.isInteger(hours) && hours >= 1 && hours <= MAX_HOURS) return quoted(`${hours}h`);
  if (!Number.isInteger(hours / 24) || hours < 24)
    throw new ImportError(
      node,
      `${seconds} seconds are neither 1 to ${MAX_HOURS} whole hours nor whole days`,
    );
  desk.note(
    `${node}: ${hours / 24} times 24 hours become ${hours / 24} brand-days, today among them: what lies less than a day beyond the last midnight counts no more`,
  );
  return days(hours / 24, node);
}

/** A date alone. @throws ImportError for anything else */
export function dayIn(value: unknown, node: string): string {
  if (typeof value !== 'string' || realDay(value) === undefined)
    throw new ImportError(node, 'a date such as 2026-11-01 is needed here');
  return value;
}

/** The tag that a name can be: snake_case of its Latin letters and digits, or undefined if that leaves nothing. */
export function tagOf(name: string): string | undefined {
  const words = name
    .toLowerCase()
    .match(/[a-z0-9]+/g)
    ?.join('_');
  const tag = words
    ?.replace(/^[0-9_]+/, '')
    .slice(0, 40)
    .replace(/_+$/, '');
  return tag || undefined;
}
