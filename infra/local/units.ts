// What DynamoDB charges for: sizes of items, read units and write units.
import { z } from 'zod';
import type { IndexPlan } from './plan.ts';

/** An attribute as the wire has it, such as `{ S: 'text' }`: exactly one type and its value. */
const attribute = z.record(z.string(), z.unknown());
/** An item as the wire has it. */
export const wireItem = z.record(z.string(), attribute);
export type WireItem = z.infer<typeof wireItem>;

const KB = 1024;

/**
 * The size of an item in bytes: names and values, both in UTF-8. A number takes a byte for every two significant
 * digits and one more (and one for a minus); a list or map 3 bytes, and 1 for each element.
 *
 * Source: "DynamoDB item sizes and formats" in the Amazon DynamoDB developer guide. The size of numbers is given
 * there as approximate.
 */
export const itemBytes = (item: WireItem): number =>
  Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);

function valueBytes(value: Record<string, unknown>): number {
  const [type, held] = Object.entries(value)[0] ?? [];
  switch (type) {
    case 'S':
      return Buffer.byteLength(String(held));
    case 'N':
      return numberBytes(String(held));
    case 'B':
      return Buffer.byteLength(String(held), 'base64');
    case 'SS':
      return sum(z.array(z.string()).parse(held), (it) => Buffer.byteLength(it));
    case 'NS':
      return sum(z.array(z.string()).parse(held), numberBytes);
    case 'BS':
      return sum(z.array(z.string()).parse(held), (it) => Buffer.byteLength(it, 'base64'));
    case 'L':
      return 3 + sum(z.array(attribute).parse(held), (it) => 1 + valueBytes(it));
    case 'M': {
      const map = wireItem.parse(held);
      return 3 + Object.keys(map).length + itemBytes(map);
    }
    default:
      return 1; // BOOL and NULL
  }
}

function numberBytes(text: string): number {
  const [mantissa = ''] = text.toLowerCase().split('e');
  const digits = mantissa.replace(/^-/, '').replace('.', '').replace(/^0+/, '');
  // Zeros at the end of a whole number are an exponent, not digits.
  const significant = digits.replace(/0+$/, '').length;
  return Math.max(1, Math.ceil(significant / 2) + 1) + (text.startsWith('-') ? 1 : 0);
}

const sum = <T>(list: readonly T[], of: (it: T) => number): number =>
  list.reduce((total, it) => total + of(it), 0);

/** 1 unit for each begun 4 KB, half of it if the read may be stale; reading nothing costs as much as reading 4 KB. */
export const readUnits = (bytes: number, strong: boolean): number =>
  Math.max(1, Math.ceil(bytes / (4 * KB))) * (strong ? 1 : 0.5);

/** 1 unit for each begun KB of the larger of the item before and after; a write that fails its condition costs the same. */
export const writeUnits = (before: WireItem | undefined, after: WireItem | undefined): number =>
  Math.max(1, Math.ceil(Math.max(before ? itemBytes(before) : 0, after ? itemBytes(after) : 0) / KB));

/**
 * What one write costs one global index:
 * an entry that appears, disappears or changes what it holds is one write; one whose key changes is two, a delete
 * and a put; one that stays as it is costs nothing.
 *
 * Source: "Provisioned throughput considerations for global secondary indexes", same guide.
 */
export function indexUnits(
  index: IndexPlan,
  before: WireItem | undefined,
  after: WireItem | undefined,
): number {
  const [old, now] = [entryOf(index, before), entryOf(index, after)];
  if (!old && !now) return 0;
  if (!old || !now) return writeUnits(old, now);
  const key = (entry: WireItem) =>
    JSON.stringify([entry[index.hash], index.range === undefined ? null : entry[index.range]]);
  if (key(old) !== key(now)) return writeUnits(old, undefined) + writeUnits(undefined, now);
  return canonical(old) === canonical(now) ? 0 : writeUnits(old, now);
}

/** The item's entry in the index; none if it lacks one of the index's keys. */
function entryOf(index: IndexPlan, item: WireItem | undefined): WireItem | undefined {
  if (!item?.[index.hash] || (index.range !== undefined && !item[index.range])) return undefined;
  const { attributes } = index;
  return attributes
    ? Object.fromEntries(Object.entries(item).filter(([name]) => attributes.includes(name)))
    : item;
}

const canonical = (entry: WireItem): string =>
  JSON.stringify(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)));
