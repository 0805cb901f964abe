import { parse } from 'lossless-json';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';

/** Deeper than this nothing that a customer does is nested. */
const DEPTH = 32;

/** How many values any text may have, and how long each of them is on average in a text that has more. */
const VALUES = 10_000;
const VALUE_CHARACTERS = 16;

/** Names in one object. */
const NAMES = 2000;

/** Names that reach the prototype of an object; no vendor's field is called so. */
const POISON = new Set(['__proto__', 'constructor', 'prototype']);

/** Where `JSON.parse` could lose a digit; everything else may go through it, which is several times as fast. */
const DELICATE = /[\d.]{16}|\d[eE]/;

export const isRecord = (value: Json | undefined): value is { [name: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads JSON from outside. An integer that a double cannot hold comes as the string of its digits, so that no id is
 * ever rounded; names that reach a prototype are dropped; the last of two equal names counts.
 *
 * @throws FaultError `undecodable`: no JSON, nested deeper than 32, far more values or names than
 *   anybody sends, or a number out of range
 */
export function readJson(text: string): Json {
  checkSize(text);
  try {
    if (!DELICATE.test(text)) return clean(JSON.parse(text));
    return clean(parse(text, null, { parseNumber: number, onDuplicateKey: ({ newValue }) => newValue }));
  } catch (error) {
    if (error instanceof FaultError) throw error;
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

function number(digits: string): string | number {
  const value = Number(digits);
  if (!Number.isFinite(value)) throw new FaultError('undecodable', 'a number is out of range');
  return /^-?\d+$/.test(digits) && !Number.isSafeInteger(value) ? digits : value;
}

function clean(value: unknown): Json {
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value === 'object' && value !== null) {
    const record: Record<string, Json> = {};
    const entries = Object.entries(value);
    if (entries.length > NAMES)
      throw new FaultError('undecodable', `a JSON object with more than ${NAMES} names`);
    for (const [name, inner] of entries) if (!POISON.has(name)) record[name] = clean(inner);
    return record;
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return null;
}

/**
 * How deep brackets are nested and how many values there are, strings left out; one pass, so that a hostile body never
 * reaches a recursive parser and is not made into more than there is room for.
 */
function checkSize(text: string): void {
  const most = Math.max(VALUES, text.length / VALUE_CHARACTERS);
  let depth = 0;
  let values = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) {
      for (i++; i < text.length && text.charCodeAt(i) !== 0x22; i++) if (text.charCodeAt(i) === 0x5c) i++;
    } else if (code === 0x7b || code === 0x5b) {
      if (++depth > DEPTH) throw new FaultError('undecodable', `JSON nested deeper than ${DEPTH}`);
    } else if (code === 0x7d || code === 0x5d) depth--;
    else if (code === 0x2c && ++values > most)
      throw new FaultError('undecodable', 'JSON with far more values than anybody sends');
  }
}
