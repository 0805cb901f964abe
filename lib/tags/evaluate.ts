import { Reading, type View } from './reading.ts';
import type { CompiledRule, RuleBook, TagValue } from './rulebook.ts';

export type { View } from './reading.ts';
export type { TagValue } from './rulebook.ts';

/**
 * The tags that a profile holds at an instant, with their values. Pure and total: whatever a profile holds, nothing
 * is thrown. A condition that cannot be worked out (a missing value, a text compared with a number) does not hold,
 * and neither does its negation.
 */
export function evaluateTags(book: RuleBook, view: View, at: number): Map<string, TagValue> {
  const reading = new Reading(book, view, at, new Map());
  for (const rule of book.rules) {
    const value = evaluateRule(rule, reading);
    if (value !== undefined) reading.held.set(rule.tag, value);
  }
  return reading.held;
}

/** The value that a rule gives: that of its first branch that holds. */
export function evaluateRule({ branches }: CompiledRule, reading: Reading): TagValue | undefined {
  for (const { value, run } of branches) {
    try {
      if (run(reading) === true) return value;
    } catch {
      // It does not hold: see above.
    }
  }
  return undefined;
}
