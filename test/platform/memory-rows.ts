import type { Item, Value } from '../../lib/platform/table.ts';

/** What DynamoDB stores at most in one row. */
const ROW_BYTES = 400 * 1024;

/**
 * Order of two strings by their UTF-8 bytes, which is DynamoDB's order of keys. JavaScript compares UTF-16 units,
 * where a character beyond U+FFFF sorts before U+E000…U+FFFF; here it sorts behind them.
 */
export function utf8Order(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return weight(x) - weight(y);
  }
  return a.length - b.length;
}

const weight = (unit: number) => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit);

/**
 * A deep copy of a row and its size in bytes by DynamoDB's rules (names and strings in UTF-8, a number one byte per
 * two digits and one, 3 bytes a list or map and one for each of its entries).
 *
 * @throws for what DynamoDB does not store: NaN, infinities, magnitudes from 10^126, undefined, rows over 400 KB,
 *   index attributes `w` and `due` that are not strings
 */
export function copyRow(item: Item): { row: Item; bytes: number } {
  let bytes = 0;

  function copy(value: Value): Value {
    switch (typeof value) {
      case 'string':
        bytes += Buffer.byteLength(value);
        return value;
      case 'number':
        bytes += numberBytes(value);
        return value === 0 ? 0 : value; // DynamoDB has no -0
      case 'boolean':
        bytes += 1;
        return value;
      case 'object':
        break;
      default:
        throw new TypeError(`a row cannot hold ${typeof value}`);
    }
    if (value === null) {
      bytes += 1;
      return null;
    }
    if (value instanceof Uint8Array) {
      bytes += value.byteLength;
      return new Uint8Array(value);
    }
    bytes += 3;
    if (Array.isArray(value)) {
      bytes += value.length;
      return value.map(copy);
    }
    const map = { ...value };
    fill(map, 1);
    return map;
  }

  /** Replaces what stands in a shallow copy by deep copies. */
  function fill(map: { [name: string]: Value }, perEntry: number): void {
    for (const name in map) {
      bytes += Buffer.byteLength(name) + perEntry;
      const value = copy(map[name]!);
      if (name !== '__proto__') map[name] = value;
      else Object.defineProperty(map, name, { value }); // plain assignment would change the prototype
    }
  }

  const row: Item = { ...item };
  fill(row, 0);
  for (const name of ['w', 'due'])
    if (Object.hasOwn(row, name) && (typeof row[name] !== 'string' || row[name] === ''))
      throw new Error(`ValidationException: the index attribute ${name} is not a string`);
  if (bytes > ROW_BYTES) throw new Error(`ValidationException: a row of ${bytes} bytes`);
  return { row, bytes };
}

function numberBytes(value: number): number {
  if (!Number.isFinite(value) || Math.abs(value) >= 1e126)
    throw new Error(`ValidationException: ${value} is no number that a row can hold`);
  return (String(value).length >> 1) + 1;
}
