import type { ASTNode } from '@marcbachmann/cel-js';
import { fault } from './chain.ts';
import { boundedCounts, isCount } from './distinct.ts';
import { inFilter, leafAt, type Reference, spelled } from './leaves.ts';
import { macroOf } from './macros.ts';
import { print } from './print.ts';
import { type Layers, openLayers, refuseInPart, valueText } from './value-ask.ts';

/** Leaves of one expression. */
const MAX_LEAVES = 40;

export interface Found {
  readonly reference: Reference;
  readonly start: number;
}

/** What an expression becomes: text in which each leaf is a name that `nameOf` gave. */
export interface Lowered {
  readonly text: string;
  readonly found: readonly Found[];
  /** Whether it asks for a value, so that it says something else when the brand's layers are others. */
  readonly readsValue: boolean;
}

/**
 * Replaces the leaves of a checked expression by names. What a value is made of is read as if it stood in its place.
 *
 * @throws RuleError for what the language does not have
 */
export function lower(
  root: ASTNode,
  nameOf: (reference: Reference) => string,
  layers: Layers = openLayers(),
): Lowered {
  const found: Found[] = [];
  const names = new Set<string>();
  let readsValue = false;
  const reader = (node: ASTNode) => (reference: Reference) => {
    const name = nameOf(reference);
    found.push({ reference, start: node.start });
    if (names.add(name).size > MAX_LEAVES)
      throw fault('cost', `a rule may read at most ${MAX_LEAVES} things`, node);
    return name;
  };
  /** @param whole the value that it is a part of */
  const written = (ast: ASTNode, whole?: ASTNode): string => {
    const bounded = new Set<ASTNode>();
    return print(ast, {
      hook(node, write) {
        if (whole) refuseInPart(node);
        const value = valueText(node, layers, (part) => written(part, node));
        if (value !== undefined) {
          readsValue = true;
          return value;
        }
        for (const side of boundedCounts(node)) bounded.add(side);
        return leafText(node, reader(whole ?? node), bounded) ?? spelled(node, write);
      },
    });
  };
  const text = written(root);
  return { text, found, readsValue };
}

function leafText(
  node: ASTNode,
  read: (reference: Reference) => string,
  bounded: ReadonlySet<ASTNode>,
): string | undefined {
  const reference = leafAt(node);
  if (reference?.kind === 'date') read(reference.of);
  if (reference?.kind === 'events' && reference.anchor) read(reference.anchor.of);
  if (!reference) return macroOf(node, read, inFilter);
  return isCount(node) && !bounded.has(node) ? `exact(${read(reference)})` : read(reference);
}
