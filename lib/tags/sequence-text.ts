import type { ASTNode } from '@marcbachmann/cel-js';
import { type Call, chainOf, fault, filterOf, type Length, lengthOf, lengthText, textOf } from './chain.ts';
import type { Hook } from './print.ts';

export type { Length } from './chain.ts';

export interface Step {
  readonly type: string;
  readonly filter?: string;
}

/**
 * Events of these steps one after the other, all of them within so many brand-days (or hours) from the first, each at
 * most `gap` after the one before, with one value of a property, and nothing that fulfils `without` in between.
 */
export interface Sequence {
  readonly steps: readonly Step[];
  readonly within: Length;
  readonly gap?: Length;
  readonly same?: string;
  readonly without?: Step;
}

const MAX_STEPS = 5;

/** Reads `sequence(…)` with its limits; undefined if it is something else. */
export function sequenceOf(receiver: ASTNode, inFilter: Hook): Sequence | undefined {
  const said: Call[] = [];
  let inner = receiver;
  for (; inner.op === 'rcall'; inner = inner.args[1]) said.push(inner);
  if (inner.op !== 'call' || inner.args[0] !== 'sequence') return undefined;
  const limits = new Map(said.map((call) => [call.args[0], call]));
  if (limits.size < said.length) throw fault('shape', 'each limit of a sequence stands once', receiver);
  const steps = inner.args[1].map((node) => stepOf(node, inFilter));
  if (steps.length < 2 || steps.length > MAX_STEPS)
    throw fault('shape', `a sequence has 2 to ${MAX_STEPS} steps`, inner);
  const [within, gap, same, without] = ['within', 'gap', 'same', 'without'].map((name) => limits.get(name));
  if (!within)
    throw fault(
      'window',
      'a sequence needs .within("7d"): so long it is followed from its first step',
      inner,
    );
  const [unless] = without?.args[2] ?? [];
  return {
    steps,
    within: lengthOf(within.args[2][0], within),
    ...(gap ? { gap: lengthOf(gap.args[2][0], gap) } : {}),
    ...(same ? { same: textOf(same.args[2][0], same, 'same') } : {}),
    ...(unless ? { without: stepOf(unless, inFilter) } : {}),
  };
}

function stepOf(node: ASTNode, inFilter: Hook): Step {
  const chain = chainOf(node, inFilter);
  if (!chain || chain.window || chain.dates || chain.anchored)
    throw fault('shape', 'a step of a sequence is events("…") with its conditions and no window', node);
  const filter = filterOf(chain.filters);
  return { type: chain.type, ...(filter === undefined ? {} : { filter }) };
}

const stepText = ({ type, filter }: Step): string =>
  `events(${JSON.stringify(type)})${filter === undefined ? '' : `.where(e, ${filter})`}`;

/** A sequence as it is written, in one form. */
export const sequenceText = ({ steps, within, gap, same, without }: Sequence): string =>
  [
    `sequence(${steps.map(stepText).join(', ')}).within(${lengthText(within)})`,
    gap && `.gap(${lengthText(gap)})`,
    same === undefined ? undefined : `.same(${JSON.stringify(same)})`,
    without && `.without(${stepText(without)})`,
  ]
    .filter(Boolean)
    .join('');
