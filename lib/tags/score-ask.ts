import type { ASTNode } from '@marcbachmann/cel-js';
import { fault, textOf } from './chain.ts';

/** A score against a bound that stands in the rule: so it is known when it will pass it. */
export interface ScoreAsk {
  readonly kind: 'score';
  readonly score: string;
  readonly op: '>=' | '>' | '<' | '<=';
  /** In thousandths. */
  readonly bound: number;
}

const mirrored = { '>=': '<=', '>': '<', '<': '>', '<=': '>=' } as const;
const MAX_BOUND = 1_000_000;

/** `score("price") >= 2.5`, or the other way round. @throws RuleError for a bound that is no such number */
export function scoreAskOf(node: ASTNode): ScoreAsk | undefined {
  if (node.op !== '>=' && node.op !== '>' && node.op !== '<' && node.op !== '<=') return undefined;
  const [left, right] = node.args;
  const [called, other, op] = isScore(left) ? [left, right, node.op] : [right, left, mirrored[node.op]];
  if (!isScore(called)) return undefined;
  const bound = other.op === 'value' ? Number(other.args) * 1000 : Number.NaN;
  const whole = Math.round(bound);
  if (!(whole > 0 && whole <= MAX_BOUND * 1000 && Math.abs(bound - whole) < 1e-6))
    throw fault(
      'type',
      'a score is compared with a number that stands in the rule, more than 0, with at most three decimals',
      other,
    );
  return { kind: 'score', score: textOf(called.args[1][0], called, 'score'), op, bound: whole };
}

const isScore = (node: ASTNode): node is ASTNode & { readonly op: 'call' } =>
  node.op === 'call' && node.args[0] === 'score';

/** A question as it is written. */
export const scoreText = ({ score, op, bound }: ScoreAsk): string =>
  `score(${JSON.stringify(score)}) ${op} ${bound / 1000}${bound % 1000 === 0 ? '.0' : ''}`;
