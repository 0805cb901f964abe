import type { ASTNode } from '@marcbachmann/cel-js';

/** The least and the most that something can be, both included. */
type Range = readonly [least: number, most: number];

type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';

/**
 * What a comparison of two numbers comes out as whatever a profile holds: of constants, and of points, of which nobody has
 * fewer than none or more than all. Undefined: it can come out both ways, or it is of something else.
 */
export function settled(op: Comparison, left: ASTNode, right: ASTNode): boolean | undefined {
  const [a, b] = [rangeOf(left), rangeOf(right)];
  if (!a || !b) return undefined;
  if (op === '!=') return opposite(settled('==', left, right));
  if (op === '>=') return opposite(isBelow(a, b));
  if (op === '<=') return opposite(isBelow(b, a));
  if (op === '<') return isBelow(a, b);
  if (op === '>') return isBelow(b, a);
  if (a[1] < b[0] || b[1] < a[0]) return false;
  return a[0] === a[1] && b[0] === b[1] ? true : undefined;
}

const opposite = (it: boolean | undefined) => (it === undefined ? undefined : !it);

function isBelow(a: Range, b: Range): boolean | undefined {
  if (a[1] < b[0]) return true;
  return a[0] >= b[1] ? false : undefined;
}

/** Within what an expression of constants and points stays. A quotient is rounded down, so it may be a little less. */
function rangeOf(node: ASTNode): Range | undefined {
  if (node.op === 'value') return constant(node.args);
  if (node.op === 'call' && node.args[0] === 'points') {
    const most = node.args[1][2];
    const all = most && rangeOf(most);
    return all && [0, all[1]];
  }
  if (node.op === '-_') {
    const inner = rangeOf(node.args);
    return inner && [-inner[1], -inner[0]];
  }
  if (node.op !== '+' && node.op !== '*' && node.op !== '/') return undefined;
  const [a, b] = node.args.map(rangeOf);
  if (!a || !b) return undefined;
  if (node.op === '+') return [a[0] + b[0], a[1] + b[1]];
  if (a[0] < 0 || b[0] < 0) return undefined; // nothing that is asked of points is
  if (node.op === '*') return [a[0] * b[0], a[1] * b[1]];
  return b[0] > 0 ? [Math.floor(a[0] / b[1]), a[1] / b[0]] : undefined;
}

function constant(value: unknown): Range | undefined {
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  return [Number(value), Number(value)];
}
