import type { ASTNode } from '@marcbachmann/cel-js';
import { RuleError } from './rule-error.ts';

/** Says how a node is written, or leaves it to the printer. May refuse it with a `RuleError`. */
export type Hook = (node: ASTNode, write: (node: ASTNode) => string) => string | undefined;

export interface PrintOptions {
  /** New names of free variables. */
  readonly names?: ReadonlyMap<string, string>;
  /** Writes the operands of `&&` and `||` in one order: the same condition in another order has the same text. */
  readonly sorted?: boolean;
  readonly hook?: Hook;
}

/** Methods whose first argument names a variable for the second. */
export const comprehensions: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);

/**
 * Writes an expression as text that parses to the same expression: every operation in parentheses, one form for each
 * literal, bound variables renamed by depth. Expressions with the same text mean the same.
 */
export function print(root: ASTNode, { names = new Map(), sorted = false, hook }: PrintOptions = {}): string {
  const writer = (names: ReadonlyMap<string, string>, depth: number): ((node: ASTNode) => string) => {
    const list = (nodes: readonly ASTNode[]) => nodes.map(write).join(', ');
    function write(node: ASTNode): string {
      const own = hook?.(node, write);
      if (own !== undefined) return own;
      switch (node.op) {
        case 'value':
          return literal(node);
        case 'id':
          return names.get(node.args) ?? node.args;
        case '.':
          return `${write(node.args[0])}.${node.args[1]}`;
        case '[]':
          return `${write(node.args[0])}[${write(node.args[1])}]`;
        case 'call':
          return `${node.args[0]}(${list(node.args[1])})`;
        case 'rcall': {
          const [method, receiver, args] = node.args;
          const [variable, ...bodies] = args;
          if (!comprehensions.has(method) || variable?.op !== 'id')
            return `${write(receiver)}.${method}(${list(args)})`;
          const name = `e${depth}`;
          const inner = writer(new Map([...names, [variable.args, name]]), depth + 1);
          return `${write(receiver)}.${method}(${[name, ...bodies.map(inner)].join(', ')})`;
        }
        case 'list':
          return `[${list(node.args)}]`;
        case 'map':
          return `{${node.args.map(([key, value]) => `${write(key)}: ${write(value)}`).join(', ')}}`;
        case '?:':
          return `(${write(node.args[0])} ? ${write(node.args[1])} : ${write(node.args[2])})`;
        case '!_':
          return `(!${write(node.args)})`;
        case '-_':
          return `(-${write(node.args)})`;
        case '&&':
        case '||': {
          const operands = flat(node, node.op).map(write);
          return `(${(sorted ? operands.sort() : operands).join(` ${node.op} `)})`;
        }
        case '.?':
        case '[?]':
          throw refusal(node, 'optional fields');
        default:
          return `(${write(node.args[0])} ${node.op} ${write(node.args[1])})`;
      }
    }
    return write;
  };
  return writer(names, 1)(root);
}

function flat(node: ASTNode, op: '&&' | '||'): ASTNode[] {
  return node.op === op ? node.args.flatMap((operand) => flat(operand, op)) : [node];
}

function literal(node: ASTNode & { readonly op: 'value' }): string {
  const value = node.args;
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number')
    return Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : `${value}`;
  if (typeof value === 'bigint' || typeof value === 'boolean' || value === null) return `${value}`;
  throw refusal(node, 'bytes and unsigned numbers');
}

const refusal = (node: ASTNode, what: string) =>
  new RuleError('type', `${what} are no part of the rule language`, {
    source: node.input,
    start: node.start,
  });
