import type { ASTNode } from '@marcbachmann/cel-js';
import type { ValueLayer, ValueSettings } from '../platform/brand.ts';
import { fault, textOf } from './chain.ts';
import { inPlace, ruleLanguage } from './language.ts';
import { RuleError } from './rule-error.ts';

export const layerNames = ['base', 'potential', 'spread', 'loyalty'] as const;
export type LayerName = (typeof layerNames)[number];

/** A part of a layer; its expression has been checked. */
export interface ValuePart {
  readonly layer: LayerName;
  readonly name: string;
  readonly of: string;
  readonly per: number;
  readonly most: number;
  readonly ast: ASTNode;
}
export interface Layers {
  /** What rules that read a value depend on. */
  readonly settings: ValueSettings;
  /** @throws RuleError for a part that is neither a number nor a condition */
  parts(layer: LayerName): readonly ValuePart[];
}

/** The layers of a brand. Their expressions are read when they are asked for, and once. */
export function openLayers(settings: ValueSettings = {}): Layers {
  const read = new Map<LayerName, readonly ValuePart[]>();
  return {
    settings,
    parts(layer) {
      const parts = read.get(layer) ?? readParts(layer, settings[layer]);
      read.set(layer, parts);
      return parts;
    },
  };
}

function readParts(layer: LayerName, settings: ValueLayer | undefined): ValuePart[] {
  if (!settings) throw new RuleError('name', `the brand says nothing of the value's layer ${layer}`);
  const language = ruleLanguage();
  return Object.entries(settings.parts).map(([name, { of, per, most }]) => {
    const ast = readNumber(language, of);
    return { layer, name, of, per, most, ast };
  });
}

const countable: ReadonlySet<string> = new Set(['int', 'double', 'bool', 'dyn']);

function readNumber(language: ReturnType<typeof ruleLanguage>, source: string): ASTNode {
  try {
    const run = language.parse(source);
    const { valid, error, type } = run.check();
    if (!valid) throw error;
    if (countable.has(type ?? '')) return run.ast;
  } catch (error) {
    throw inPlace(error, { source });
  }
  throw new RuleError('type', 'a part of a value is a number, or true or false', { source });
}

/** What cannot stand in a part: a value is the same whatever tags there are, and whatever others do. */
const foreign: ReadonlySet<string> = new Set(['value', 'hasTag', 'tagValue', 'held']);

/** @throws RuleError for what a part of a value may not read */
export function refuseInPart(node: ASTNode): void {
  if (node.op === 'call' && foreign.has(node.args[0]))
    throw fault('type', `${node.args[0]}() cannot stand in a part of a value`, node);
  const read = node.op === '.' ? node.args[0] : node; // a score is read as a whole: rfm("quintiles").m
  if (read.op === 'call' && read.args[0] === 'rfm' && read.args[1].length > 0)
    throw fault('type', "a part of a value goes by the brand's own cuts: rfm()", node);
}

/**
 * `value("base")`, the points of one layer, 0 to 100; `value()`, all of them by their weights, rounded down:
 *
 *   value(layer) = Σ_parts min(most, max(0, ⌊of / per⌋))      `most` where `of` is true; 0 where it is false or missing
 *   value()      = ⌊Σ_layers weight · value(layer) / Σ_layers weight⌋
 *
 * Compiled it is these sums, of the same leaves that rules read: so all that holds of those holds of a value.
 *
 * @returns undefined for any other expression @throws RuleError for a layer that there is not
 */
export function valueText(
  node: ASTNode,
  layers: Layers,
  write: (part: ASTNode) => string,
): string | undefined {
  if (node.op !== 'call' || node.args[0] !== 'value') return undefined;
  const sumOf = (layer: LayerName) =>
    `(${layers
      .parts(layer)
      .map((it) => pointsText(it, write))
      .join(' + ')})`;
  const [asked] = node.args[1];
  if (!asked) {
    const sum = layerNames.map((layer) => `${weightOf(layers, layer)} * ${sumOf(layer)}`).join(' + ');
    return `((${sum}) / ${totalWeight(layers)})`;
  }
  const layer = layerNames.find((it) => it === textOf(asked, node, 'value'));
  if (layer) return sumOf(layer);
  throw fault('name', `a value has the layers ${layerNames.join(', ')}`, asked);
}

export const weightOf = ({ settings }: Layers, layer: LayerName): number => settings[layer]?.weight ?? 0;

export const totalWeight = (layers: Layers): number =>
  layerNames.reduce((sum, layer) => sum + weightOf(layers, layer), 0);

export const pointsText = ({ ast, per, most }: ValuePart, write: (part: ASTNode) => string): string =>
  `points(${write(ast)}, ${per}, ${most})`;
