import type { ASTNode } from '@marcbachmann/cel-js';
import { type Lowered, lower, type Reference } from './leaves.ts';

/** In compiled text: whether the value was held until now. */
export const WAS = 'was';

/**
 * One expression of a rule. `held(enter, leave)`, which is a whole one, earns the value where `enter` holds, and keeps it
 * from then on until `leave` does:
 *
 *   held := enter || (was && !leave)        was: the tag had this very value the instant before
 *
 * Where both hold it is held. What is missing neither enters nor leaves. Evaluated twice with the same leaves it says the
 * same, so that only instants matter at which a leaf changes: events, and ends of windows.
 *
 * @throws RuleError for what the language does not have
 */
export function lowerWhole(
  ast: ASTNode,
  nameOf: (reference: Reference) => string,
): Lowered & { readonly remembers: boolean } {
  if (ast.op !== 'call' || ast.args[0] !== 'held') return { ...lower(ast, nameOf), remembers: false };
  const [enter, leave] = ast.args[1].map((side) => lower(side, nameOf));
  return {
    text: `((${enter?.text}) || (${WAS} && stays(${leave?.text})))`,
    found: [...(enter?.found ?? []), ...(leave?.found ?? [])],
    remembers: true,
  };
}
