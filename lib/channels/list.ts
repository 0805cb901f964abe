import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';

/** More than any vendor puts into one message: a group of WeCom has at most 500 members. */
const LONGEST = 500;

/**
 * The items of a list in a message. Vendors that write XML, and some that write JSON, give a single item without its
 * list: then it is a list of one.
 *
 * @throws FaultError `too_large` beyond 500
 */
export function listOf(fields: Readonly<Record<string, Json>>, name: string): readonly Json[] {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (value === undefined || value === null || value === '') return [];
  if (!Array.isArray(value)) return [value];
  if (value.length > LONGEST) throw new FaultError('too_large', `a list has at most ${LONGEST} items`);
  return value;
}
