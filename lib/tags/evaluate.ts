import { Reading, type View } from './reading.ts';
import type { CompiledRule, RuleBook, TagValue } from './rulebook.ts';

export type { View } from './reading.ts';
export type { TagValue } from './rulebook.ts';

/**
 * The tags that a profile holds at an instant, with their values. Pure and total: whatever a profile holds, nothing
 * is thrown. A condition that cannot be worked out (a missing value, a text compared with a number) does not hold,
 * and neither does its negation.
 */
export function evaluateTags(book: RuleBook, view: View, at: number): ReadonlyMap<string, TagValue> {
  const hadTags = view.was !== undefined && view.was.size > 0;
  if (hadTags || !isStranger(book, view)) return evaluated(book, view, at);
  const stranger = strangerTo(book);
  stranger.held ??= evaluated(book, view, at);
  return stranger.held;
}

function evaluated(book: RuleBook, view: View, at: number): Map<string, TagValue> {
  const reading = new Reading(book, view, at, rememberedBy(book.rules, view));
  for (const rule of book.rules) hold(rule, reading);
  return reading.held;
}

/** Somebody of whom a book reads nothing: every leaf has one value then, at any time, and nothing of it passes. */
interface Stranger {
  /** Traits that the book reads. */
  readonly traits: ReadonlySet<string>;
  /** What they hold, once it was worked out. */
  held?: ReadonlyMap<string, TagValue>;
}

const strangers = new WeakMap<RuleBook, Stranger>();

function strangerTo(book: RuleBook): Stranger {
  const known = strangers.get(book);
  if (known) return known;
  const traits = book.leaves.flatMap((leaf) =>
    leaf.kind === 'trait' || leaf.kind === 'hasTrait' ? [leaf.of] : [],
  );
  const stranger: Stranger = { traits: new Set(traits) };
  strangers.set(book, stranger);
  return stranger;
}

/**
 * Whether a book reads nothing of what a profile is made of: no event, no trait, no consent. Most of a population is so to
 * most books, and all who had no tag are alike.
 */
export function isStranger(book: RuleBook, { cells, traits, consents }: View): boolean {
  if (consents !== undefined) return false;
  for (const _ in cells) return false;
  const read = strangerTo(book).traits;
  for (const name in traits) if (read.has(name)) return false;
  return true;
}

/** The tags with which an evaluation begins: those of rules whose answer depends on the one before. */
export function rememberedBy(rules: readonly CompiledRule[], { was }: View): Map<string, TagValue> {
  const held = new Map<string, TagValue>();
  if (!was || was.size === 0) return held;
  for (const { tag, remembers } of rules) {
    const before = remembers ? was.get(tag) : undefined;
    if (before) held.set(tag, before.value);
  }
  return held;
}

/** Evaluates a rule in its turn: those whose tags it reads have been. */
export function hold(rule: CompiledRule, reading: Reading): void {
  const value = evaluateRule(rule, reading);
  if (value === undefined) reading.held.delete(rule.tag);
  else reading.held.set(rule.tag, value);
}

/** The value that a rule gives: that of its first branch that holds. */
export function evaluateRule({ tag, branches }: CompiledRule, reading: Reading): TagValue | undefined {
  const before = reading.held.get(tag);
  for (const { value, run } of branches) {
    reading.was = before === value;
    try {
      if (run(reading) === true) return value;
    } catch {
      // It does not hold: see above.
    }
  }
  return undefined;
}
