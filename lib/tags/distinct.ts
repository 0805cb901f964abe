import type { ASTNode } from '@marcbachmann/cel-js';
import { fault } from './chain.ts';
import { MAX_DISTINCT } from './columns.ts';

/** Whether a node is `….distinct("p")`. */
export const isCount = (node: ASTNode): boolean => node.op === 'rcall' && node.args[0] === 'distinct';

const comparisons: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);

/**
 * Different values are told apart up to `MAX_DISTINCT`; of more it is known only that they are more. That answers every
 * comparison with a number up to there. Anywhere else, where this number of them would have to be known, it is missing
 * beyond the bound.
 *
 * @returns the sides of a comparison of `distinct` with a number that stands in the rule
 * @throws RuleError for a number beyond the bound
 */
export function boundedCounts(node: ASTNode): ASTNode[] {
  if (!comparisons.has(node.op) || !Array.isArray(node.args)) return [];
  const sides = node.args.flatMap((it) => (typeof it === 'object' && 'op' in it ? [it] : []));
  const counts = sides.filter(isCount);
  const number = sides.find((side) => isNumber(side));
  if (counts.length === 0 || !number) return [];
  if (number.op === 'value' && Number(number.args) > MAX_DISTINCT)
    throw fault('cost', `distinct() counts up to ${MAX_DISTINCT}: compare it with no greater number`, number);
  return counts;
}

const isNumber = (node: ASTNode): boolean =>
  node.op === '-_' ? isNumber(node.args) : node.op === 'value' && isNumeric(node.args);
const isNumeric = (value: unknown): boolean => typeof value === 'bigint' || typeof value === 'number';
