import { FaultError } from '../events/fault.ts';

/** Deeper than this nothing that a customer does is nested. */
const DEPTH = 32;

/** Names in one object. */
const NAMES = 2000;

/**
 * Different names in a text that is so long: each of them costs a parser as much as twenty that it has met. One that
 * begins with a digit is different each time: a parser keeps it apart.
 */
const DIFFERENT = 10_000;
const LONG_TEXT = 256 * 1024;

/**
 * How many of something any text may have, and how many characters there are for each of them in a text that has more:
 * a batch of an SDK has one value in thirty characters, and one list or object in a hundred.
 */
const FREE = 10_000;
const CHARACTERS = { value: 16, holder: 32, long: 128 } as const;

/** So many digits a double holds, whichever they are. */
const SAFE_DIGITS = 15;
/** No number of so many characters is out of its range, if its exponent has at most two. */
const RANGE_CHARACTERS = 150;
const INTEGER = /^-?[1-9]\d*$/;

const BLANK = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const NOUGHT = 0x30;
const NINE = 0x39;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const LETTER_E = 0x65;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * The text as `JSON.parse` may read it without rounding an id, in time and room that follow from its length: the same
 * text, but that integers which a double cannot hold are in quotes. One pass, which ends at the first breach; whether
 * the text is JSON the parser says.
 *
 * @throws FaultError `undecodable`: nested deeper than 32, an object of more than 2000 names, far more values, holders or
 *   long numbers than anybody sends, or a number out of range
 */
export function plainJson(text: string): string {
  const most = mostIn(text.length);
  const long: number[] = [];
  /** How many names each open object has so far; a list counts far below nought, and never arrives. */
  const names = new Int32Array(DEPTH + 1);
  const isNewName = text.length > LONG_TEXT ? newNames() : undefined;
  let different = 0;
  let isName = false;
  let depth = 0;
  let values = 0;
  let holders = 0;
  let delicate = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code <= BLANK) continue;
    if (code === QUOTE) {
      const end = endOfWord(text, i);
      if (isName && isNewName?.(text, i + 1, end) && ++different > DIFFERENT)
        refuse('JSON with far more names than anybody sends');
      isName = false;
      i = end;
    } else if (code === COMMA) {
      if (++values > most.values) refuse('JSON with far more values than anybody sends');
      if (++names[depth]! >= NAMES) refuse(`a JSON object with more than ${NAMES} names`);
      isName = names[depth]! > 0;
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      if (++depth > DEPTH) refuse(`JSON nested deeper than ${DEPTH}`);
      if (++holders > most.holders) refuse('JSON with far more lists and objects than anybody sends');
      names[depth] = code === OPEN_LIST ? -text.length : 0;
      isName = code === OPEN_OBJECT;
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      if (--depth < 0) refuse('the body is not JSON');
    } else if (code === MINUS || isDigit(code)) {
      const end = endOfNumber(text, i);
      if (end < 0 && ++delicate > most.longs) refuse('JSON with far more long numbers than anybody sends');
      if (end < 0 && isLong(text, i, ~end)) long.push(i, ~end);
      i = (end < 0 ? ~end : end) - 1;
    }
  }
  return long.length === 0 ? text : quoted(text, long);
}

function refuse(why: string): never {
  throw new FaultError('undecodable', why);
}

const mostIn = (length: number) => ({
  values: Math.max(FREE, length / CHARACTERS.value),
  holders: Math.max(FREE, length / CHARACTERS.holder),
  longs: Math.max(FREE, length / CHARACTERS.long),
});

/** Where the quote stands that ends what begins at `at`; the end of the text where none does. */
function endOfWord(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) return i;
    if (code === BACKSLASH) i++;
  }
  return text.length;
}

type IsNew = (text: string, from: number, to: number) => boolean;

/** Tells of a name whether it was not met before, of at most so many that were not. */
function newNames(): IsNew {
  const slots = new Int32Array(32_768);
  return (text, from, to) => {
    if (isDigit(text.charCodeAt(from))) return true;
    const hash = hashOf(text, from, to);
    let at = hash & 32_767;
    while (slots[at] !== 0 && slots[at] !== hash) at = (at + 1) & 32_767;
    const isNew = slots[at] === 0;
    slots[at] = hash;
    return isNew;
  };
}

const isDigit = (code: number): boolean => code >= NOUGHT && code <= NINE;

/** A name as a number, to be told from others; never nought. */
function hashOf(text: string, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 1;
}

/** Where the number that begins at `at` has ended; `~` of it where a double may not hold the number. */
function endOfNumber(text: string, at: number): number {
  let exponentAt = Number.POSITIVE_INFINITY;
  let isInteger = true;
  let i = at + 1;
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code | 0x20) === LETTER_E) exponentAt = i;
    else if (code === DOT) isInteger = false;
    else if (!isDigit(code) && code !== MINUS && code !== PLUS) break;
  }
  const most = isInteger && exponentAt > i ? SAFE_DIGITS : RANGE_CHARACTERS;
  return i - at > most || i - exponentAt > 3 ? ~i : i;
}

/** Whether it is an integer that a double cannot hold. @throws FaultError out of range, or no number */
function isLong(text: string, from: number, to: number): boolean {
  const digits = text.slice(from, to);
  const value = Number(digits);
  if (Number.isNaN(value)) refuse('the body is not JSON');
  if (!Number.isFinite(value)) refuse('a number is out of range');
  if (Number.isSafeInteger(value) || /[.eE]/.test(digits)) return false;
  return INTEGER.test(digits) || refuse('the body is not JSON'); // in quotes no parser would see that it is none
}

/** A colon after blanks: what stands before it would be a name. */
const NAMED = /[\t\n\r ]*:/y;

/** The text with quotes around the pieces, given as beginnings and ends in turn. */
function quoted(text: string, long: readonly number[]): string {
  let plain = '';
  let done = 0;
  for (let i = 0; i < long.length; i += 2) {
    const [from = 0, to = 0] = [long[i], long[i + 1]];
    NAMED.lastIndex = to;
    if (NAMED.test(text)) refuse('the body is not JSON'); // in quotes it would pass for a name
    plain += `${text.slice(done, from)}"${text.slice(from, to)}"`;
    done = to;
  }
  return plain + text.slice(done);
}
