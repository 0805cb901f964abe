import type { ASTNode } from '@marcbachmann/cel-js';
import type { Reference } from './leaves.ts';
import { type Lowered, lower } from './lower.ts';
import type { Layers } from './value-ask.ts';

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
  layers?: Layers,
): Lowered & { readonly remembers: boolean } {
  if (ast.op !== 'call' || ast.args[0] !== 'held') return { ...lower(ast, nameOf, layers), remembers: false };
  const [enter, leave] = ast.args[1].map((side) => lower(side, nameOf, layers));
  return {
    text: `((${enter?.text}) || (${WAS} && stays(${leave?.text})))`,
    found: [...(enter?.found ?? []), ...(leave?.found ?? [])],
    readsValue: (enter?.readsValue ?? false) || (leave?.readsValue ?? false),
    remembers: true,
  };
}
