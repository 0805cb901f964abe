import type { Brand } from '../platform/brand.ts';
import { type Clock, SECOND } from '../platform/clock.ts';
import type { QuintileEdition } from '../tags/quintiles.ts';
import { compileRules, type RuleBook, type VersionedRule } from '../tags/rulebook.ts';
import type { Rules } from './person.ts';

/**
 * How long rules are used before they are read again. The `recompute` queue delivers later than this, so that when
 * profiles are brought to new rules, nobody works by the old ones any more.
 */
export const RULES_MS = 2 * SECOND;

/** The rules in force, compiled once a version. */
export function rulesInForce(
  store: { current(): Promise<{ rules: VersionedRule[]; quintiles?: QuintileEdition }> },
  brand: Brand,
  now: Clock,
): () => Promise<Rules> {
  let book: { of: string; compiled: RuleBook } | undefined;
  let until = Number.NEGATIVE_INFINITY;
  return async () => {
    if (!book || now() >= until || now() < until - RULES_MS) {
      const { rules, quintiles } = await store.current();
      const of = JSON.stringify([rules, quintiles]);
      if (book?.of !== of) book = { of, compiled: compileRules(rules, { ...brand, quintiles }) };
      until = now() + RULES_MS;
    }
    return { book: book.compiled, brand };
  };
}
