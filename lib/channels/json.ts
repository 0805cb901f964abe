import { parse } from 'lossless-json';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';

/** Deeper than this nothing that a customer does is nested. */
const DEPTH = 32;

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
 * @throws FaultError `undecodable`: no JSON, nested deeper than 32, or a number out of range
 */
export function readJson(text: string): Json {
  if (depthOf(text) > DEPTH) throw new FaultError('undecodable', `JSON nested deeper than ${DEPTH}`);
  try {
    if (!DELICATE.test(text)) return clean(JSON.parse(text));
    return clean(parse(text, null, { parseNumber: number, onDuplicateKey: ({ newValue }) => newValue }));
  } catch (error) {
    if (error instanceof FaultError) throw error;
    throw new FaultError('undecodable', 'the body is not JSON'); // the parser's own words quote the body
  }
}

function number(digits: string): string | number {
  const value = Number(digits);
  if (!Number.isFinite(value)) throw new FaultError('undecodable', 'a number is out of range');
  return /^-?\d+$/.test(digits) && !Number.isSafeInteger(value) ? digits : value;
}

function clean(value: unknown): Json {
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, inner]) => (POISON.has(name) ? [] : [[name, clean(inner)]])),
    );
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return null;
}

/** How deep brackets are nested, strings left out; one pass, so that a hostile body never reaches a recursive parser. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) {
      for (i++; i < text.length && text.charCodeAt(i) !== 0x22; i++) if (text.charCodeAt(i) === 0x5c) i++;
    } else if (code === 0x7b || code === 0x5b) {
      depth++;
      if (depth > deepest) deepest = depth;
      if (deepest > DEPTH) return deepest;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return deepest;
}
