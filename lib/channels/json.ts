import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { plainJson } from './json-scan.ts';

/** Names that reach the prototype of an object; no vendor's field is called so. */
const POISON: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** So many of them a text may have: each that is dropped costs as much as a dozen others. */
const DROPPED = 1000;

/** An escape that may stand for a letter or a dash of such a name. */
const HIDDEN = /\\u00[5-7]/;

export const isRecord = (value: Json | undefined): value is { [name: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads JSON from outside. An integer that a double cannot hold comes as the string of its digits, so that no id is
 * ever rounded; names that reach a prototype are dropped; the last of two equal names counts. Whatever it is, it is
 * looked through once before a parser sees it: what costs much to read is refused before it does.
 *
 * @throws FaultError `undecodable`: no JSON, nested deeper than 32, far more values or names than
 *   anybody sends, or a number out of range
 */
export function readJson(text: string): Json {
  const plain = plainJson(text);
  const value = parsed(plain);
  if (HIDDEN.test(plain) || [...POISON].some((name) => plain.includes(name))) dropPoison(value);
  return value;
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    throw new FaultError('undecodable', 'the body is not JSON'); // the parser's own words quote the body
  }
}

/** The object that a text is; nothing for what is none, or no JSON at all. */
export function recordIn(text: string): { [name: string]: Json } | undefined {
  try {
    const value = readJson(text);
    return isRecord(value) ? value : undefined;
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return undefined;
  }
}

/** @returns how many names were dropped, with those before */
function dropPoison(value: Json, before = 0): number {
  let dropped = before;
  if (Array.isArray(value)) for (const inner of value) dropped = dropPoison(inner, dropped);
  else if (isRecord(value))
    for (const name in value) {
      if (!POISON.has(name)) dropped = dropPoison(value[name] ?? null, dropped);
      else if (++dropped > DROPPED) throw new FaultError('undecodable', 'JSON that is after prototypes');
      else Reflect.deleteProperty(value, name);
    }
  return dropped;
}
