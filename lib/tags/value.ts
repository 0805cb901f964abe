import { split, WHOLE } from '../attribution/split.ts';
import { DAY, toIso } from '../platform/clock.ts';
import { boundaries } from './changes.ts';
import { type ExplainedLeaf, explainLeaf } from './explain.ts';
import { compiledLanguage, type Expression } from './language.ts';
import { type Reference, referenceText } from './leaves.ts';
import { lower } from './lower.ts';
import { Reading, type View } from './reading.ts';
import type { RuleInputs } from './rule-inputs.ts';
import { compileRules, type Leaf, type RuleBook } from './rulebook.ts';
import {
  type LayerName,
  layerNames,
  openLayers,
  totalWeight,
  type ValuePart,
  weightOf,
} from './value-ask.ts';
import { MAX_DAYS } from './windows.ts';

/** A value's parts, ready to be worked out of a profile that was folded by `book`. */
export interface ValuePlan {
  readonly book: RuleBook;
  readonly weights: Readonly<Record<LayerName, number>>;
  readonly whole: number;
  readonly parts: readonly PlannedPart[];
}
interface PlannedPart extends ValuePart {
  readonly leaves: readonly Leaf[];
  readonly points: Expression;
}

/** @throws RuleError for a part that cannot be compiled */
export function valuePlan(brand: RuleInputs): ValuePlan {
  const layers = openLayers(brand.value);
  const rules = layerNames.map((tag) => ({ tag, version: 1, when: `value("${tag}") >= 0` }));
  const book = compileRules(rules, brand);
  const language = compiledLanguage(new Map(book.leaves.map(({ name, type }) => [name, type])));
  const byText = new Map(book.leaves.map((leaf) => [leaf.text, leaf]));
  const parts = layerNames.flatMap(layers.parts).map((part): PlannedPart => {
    const nameOf = (reference: Reference) => byText.get(referenceText(reference))?.name ?? '';
    const { text, found } = lower(part.ast, nameOf, layers);
    const leaves = found.flatMap(({ reference }) => byText.get(referenceText(reference)) ?? []);
    const points = language.parse(`points(${text}, ${part.per}, ${part.most})`);
    return { ...part, leaves: [...new Set(leaves)], points };
  });
  const weights = {
    base: weightOf(layers, 'base'),
    potential: weightOf(layers, 'potential'),
    spread: weightOf(layers, 'spread'),
    loyalty: weightOf(layers, 'loyalty'),
  };
  return { book, weights, whole: totalWeight(layers), parts };
}

/** When a number will be another if nothing happens; absent if it stays, for years at least. */
interface Changing {
  readonly nextChangeAt?: string;
}
export interface ExplainedPart {
  readonly points: number;
  /** As many points as it can give, of how much one is given, and of what: as the brand says. */
  readonly most: number;
  readonly per: number;
  readonly of: string;
  /** Its part of the whole value. */
  readonly ppm: number;
  readonly leaves: readonly ExplainedLeaf[];
}
export interface ExplainedLayer extends Changing {
  readonly value: number;
  readonly weight: number;
  readonly ppm: number;
  readonly parts: Readonly<Record<string, ExplainedPart>>;
}
export interface ExplainedValue extends Changing {
  readonly value: number;
  readonly layers: Readonly<Record<LayerName, ExplainedLayer>>;
}

type Points = readonly number[];

/**
 * What somebody is worth at an instant, as `value()` and `value("…")` in rules say it, and what that is made of: the
 * shares of all parts add up to exactly 1,000,000 ppm, or are 0 where the whole is; those of a layer to the layer's.
 */
export function explainValue(plan: ValuePlan, view: View, at: number): ExplainedValue {
  const reading = new Reading(plan.book, view, at, new Map());
  const given = pointsIn(plan, reading);
  const shares = sharesOf(plan, given);
  const changes = nextPoints(plan, view, at, given);
  const layerOf = (layer: LayerName) => {
    const mine = plan.parts.flatMap((it, i) => (it.layer === layer ? [{ ...it, i }] : []));
    return {
      value: layerPoints(plan, given, layer),
      weight: plan.weights[layer],
      ppm: mine.reduce((sum, { i }) => sum + (shares[i] ?? 0), 0),
      ...nextOf(changes.get(layer)),
      parts: Object.fromEntries(
        mine.map(({ name, most, per, of, leaves, i }) => {
          const read = leaves.map((leaf) => explainLeaf(plan.book, leaf, reading));
          return [name, { points: given[i] ?? 0, most, per, of, ppm: shares[i] ?? 0, leaves: read }];
        }),
      ),
    };
  };
  return {
    value: wholePoints(plan, given),
    ...nextOf(changes.get('')),
    layers: {
      base: layerOf('base'),
      potential: layerOf('potential'),
      spread: layerOf('spread'),
      loyalty: layerOf('loyalty'),
    },
  };
}

const nextOf = (at: number | undefined) => (at === undefined ? {} : { nextChangeAt: toIso(at) });

const pointsIn = ({ parts }: ValuePlan, reading: Reading): Points =>
  parts.map((it) => Number(it.points(reading)));

const layerPoints = ({ parts }: ValuePlan, given: Points, layer: LayerName): number =>
  parts.reduce((sum, it, i) => sum + (it.layer === layer ? (given[i] ?? 0) : 0), 0);

const weighed = ({ parts, weights }: ValuePlan, given: Points): number[] =>
  parts.map(({ layer }, i) => weights[layer] * (given[i] ?? 0));

const wholePoints = (plan: ValuePlan, given: Points): number =>
  Math.floor(weighed(plan, given).reduce((sum, it) => sum + it, 0) / plan.whole);

function sharesOf(plan: ValuePlan, given: Points): number[] {
  const weights = weighed(plan, given);
  return weights.some((it) => it > 0) ? split(WHOLE, weights) : weights;
}

/** When each layer, and under the empty name the whole, is first another than now. */
function nextPoints(plan: ValuePlan, view: View, at: number, given: Points): Map<LayerName | '', number> {
  const numbers = (points: Points) =>
    new Map<LayerName | '', number>([
      ...layerNames.map((layer) => [layer, layerPoints(plan, points, layer)] as const),
      ['', wholePoints(plan, points)],
    ]);
  const now = numbers(given);
  const changes = new Map<LayerName | '', number>();
  // Every window has ended after the longest, but for those of dates that lie far ahead.
  const until = at + (MAX_DAYS + 2) * DAY;
  for (const instant of boundaries(plan.book, view.cells, at, until, view.traits)) {
    const then = numbers(pointsIn(plan, new Reading(plan.book, view, instant, new Map())));
    for (const [name, points] of then)
      if (points !== now.get(name) && !changes.has(name)) changes.set(name, instant);
    if (changes.size === now.size) break;
  }
  return changes;
}
