import { presumedOtherwise, usualConsent } from '../consent/purpose.ts';
import type { Brand } from '../platform/brand.ts';
import type { Rule } from '../platform/brand-words.ts';
import { firstOfAll } from './bucket.ts';
import { type Calendar, openCalendar } from './calendar.ts';
import { type DateAsk, passes } from './dates.ts';
import { columnOf, digest, type Feature, featureKey, partOf, typesOf } from './features.ts';
import { lowerWhole, WAS } from './held.ts';
import {
  compiledLanguage,
  type Expression,
  type LeafType,
  parseCondition,
  ruleLanguage,
} from './language.ts';
import { type Aggregate, type EventsReference, type Reference, referenceText } from './leaves.ts';
import { isOf } from './quintiles.ts';
import { planFeatures, Register } from './register.ts';
import { checkRfm, type RfmParts, rfmParts, rfmReferences } from './rfm-cuts.ts';
import { RuleError, type RulePlace } from './rule-error.ts';
import { answering, cutsIn, keptShorter, type RuleInputs, said, standingBy } from './rule-inputs.ts';
import type { ScoreAsk } from './score-ask.ts';
import { scoresRead } from './score-plans.ts';
import type { ScorePlan } from './scores.ts';
import { type Layers, openLayers } from './value-ask.ts';

export type VersionedRule = Rule & { version: number };

/** A tag's value: `true`, or the name of the first of `values` that holds. */
export type TagValue = true | string;

interface LeafBase {
  readonly index: number;
  /** Its name in compiled text. */
  readonly name: string;
  readonly type: LeafType;
  /** As it is written, in canonical form. */
  readonly text: string;
}

/** An aggregate of a feature, in a window or of all time. */
export interface EventsLeaf extends LeafBase {
  readonly kind: 'events';
  readonly reference: EventsReference;
  readonly feature: Feature;
  /** Which slot of the cell's part it reads; -1: only whether something is there. */
  readonly slot: number;
  /** What its window is anchored on. */
  readonly anchor?: EventsLeaf | FactLeaf;
}
export interface FactLeaf extends LeafBase {
  readonly kind: 'trait' | 'hasTrait' | 'hasTag' | 'tagValue' | 'consent';
  /** The trait, the tag or the purpose. */
  readonly of: string;
}
export interface RfmLeaf extends LeafBase {
  readonly kind: 'rfm';
  readonly score: 'r' | 'f' | 'm';
  readonly by?: 'quintiles';
}
export interface BucketLeaf extends LeafBase {
  readonly kind: 'bucket';
  readonly salt: string;
  readonly of: number;
  readonly feature: Feature;
}
/** A score against a bound. */
export interface ScoreLeaf extends LeafBase, Omit<ScoreAsk, 'kind'> {
  readonly kind: 'score';
}
/** A question about the date that another leaf gives. */
export interface DateLeaf extends LeafBase {
  readonly kind: 'date';
  readonly of: EventsLeaf | FactLeaf;
  readonly ask: DateAsk;
}
export type Leaf = EventsLeaf | FactLeaf | RfmLeaf | BucketLeaf | ScoreLeaf | DateLeaf;

export interface CompiledRule {
  readonly tag: string;
  readonly version: number;
  readonly rule: VersionedRule;
  /** In order: the first that holds gives the value. */
  readonly branches: readonly {
    readonly value: TagValue;
    readonly source: string;
    readonly run: Expression;
  }[];
  /** What it reads itself, each once. */
  readonly leaves: readonly Leaf[];
  /** Tags that it reads itself. */
  readonly reads: readonly string[];
  /** Whether its answer depends on the one before: some branch is `held(…)`. */
  readonly remembers: boolean;
}

/** A brand's rules, compiled: everything that folding and evaluating need, and no state. */
export interface RuleBook {
  /** Of rules, versions, time zone, RFM cuts and, where rules read them, those by quintiles: two books with one digest keep and answer the same. */
  readonly digest: string;
  /** Every rule after those whose tags it reads. */
  readonly rules: readonly CompiledRule[];
  readonly features: readonly Feature[];
  readonly calendar: Calendar;
  readonly leaves: readonly Leaf[];
  /** Those that rules read themselves. */
  readonly read: readonly Leaf[];
  /** Those whose answer is another on another day. */
  readonly dates: readonly DateLeaf[];
  readonly fading: readonly ScoreLeaf[];
  /** Those that rules read, by name. */
  readonly scores: ReadonlyMap<string, ScorePlan>;
  readonly rfm: RfmParts;
  /** The same by the population's cuts; undefined where there are none of what the brand measures now. */
  readonly quintiles: RfmParts | undefined;
  readonly readsQuintiles: boolean;
  /** What values are made of. */
  readonly layers: Layers;
  readonly readsConsent: boolean;
  /** What is presumed of those who have said nothing. */
  readonly consent: Brand['consent'];
  featuresOf(eventType: string): readonly Feature[];
  leafNamed(name: string): Leaf | undefined;
  ruleOf(tag: string): CompiledRule | undefined;
}

/** Changes when the same rules would be kept or answered otherwise: then everything is folded anew. */
const ENGINE = 5;
export const MAX_RULES = 300;

/**
 * Compiles rules: checks types and costs, finds what they read, shares it, and puts them in order.
 *
 * @throws RuleError for the first rule that is wrong
 */
export function compileRules(
  rules: readonly VersionedRule[],
  { timezone, rfm, quintiles, consent = usualConsent, value, retention, ...business }: RuleInputs,
): RuleBook {
  if (rules.length > MAX_RULES) throw new RuleError('cost', `a brand has at most ${MAX_RULES} rules`);
  checkRfm(rfm);
  const register = new Register();
  for (const reference of rfmReferences(rfm, rfm)) register.add(reference, {});
  const layers = openLayers(value);
  const drafts = lowerAll(rules, register, layers);
  const readsQuintiles = register.all.some(({ reference: it }) => it.kind === 'rfm' && it.by !== undefined);
  const edition = readsQuintiles && quintiles && isOf(rfm, quintiles) ? quintiles : undefined;
  for (const reference of edition ? rfmReferences(rfm, edition) : []) register.add(reference, {});
  const scores = scoresRead(register, business);
  const features = planFeatures(register, timezone);
  const byText = new Map<string, Leaf>();
  for (const [index, { text, reference }] of register.all.entries())
    byText.set(text, leafOf(text, reference, index, features, byText));
  const leaves = [...byText.values()];
  const compiled = compiledLanguage(new Map([[WAS, 'bool'], ...leaves.map(nameAndType)]));
  const ordered = inOrder(
    drafts.map((it) => compileRule(it, byText, compiled)),
    register,
  );

  const list = [...features.values()];
  const seenBy = list.flatMap((feature) => typesOf(feature).map((type) => ({ type, feature })));
  const byType = new Map(
    [...Map.groupBy(seenBy, ({ type }) => type)].map(([type, seen]) => [
      type,
      seen.map(({ feature }) => feature),
    ]),
  );
  const byName = new Map(leaves.map((leaf) => [leaf.name, leaf]));
  const byTag = new Map(ordered.map((rule) => [rule.tag, rule]));
  const leafOfText = (text: string) => eventsLeaf(byText.get(text));
  const fixed = rfmParts(rfm, rfm, leafOfText);
  if (!fixed) throw new Error('what RFM reads was not registered');
  const byQuintiles = edition && rfmParts(rfm, edition, leafOfText);
  return {
    digest: digest(
      [
        ENGINE,
        timezone,
        answering(rfm),
        said(rules),
        ...(edition ? [cutsIn(edition)] : []),
        ...scores.inputs,
        ...(drafts.some((it) => it.readsValue) ? [layers.settings] : []),
        ...presumedOtherwise(consent),
        ...keptShorter(retention),
        ...standingBy(business),
      ],
      10,
    ),
    rules: ordered,
    features: list,
    calendar: openCalendar(timezone),
    leaves,
    read: [...new Set(ordered.flatMap((rule) => rule.leaves))],
    dates: leaves.filter((leaf) => leaf.kind === 'date').filter(({ ask }) => passes(ask)),
    fading: leaves.filter((leaf) => leaf.kind === 'score'),
    scores: scores.plans(leafOfText),
    rfm: fixed,
    quintiles: byQuintiles && { ...byQuintiles, edition },
    readsQuintiles,
    layers,
    readsConsent: leaves.some(({ kind }) => kind === 'consent'),
    consent,
    featuresOf: (type) => byType.get(type) ?? [],
    leafNamed: (name) => byName.get(name),
    ruleOf: (tag) => byTag.get(tag),
  };
}

interface Draft {
  readonly rule: VersionedRule;
  readonly place: RulePlace;
  readonly readsValue: boolean;
  /** Expressions in which leaves are names already; `reads` are the texts of those leaves. */
  readonly branches: readonly {
    readonly value: TagValue;
    readonly source: string;
    readonly text: string;
    readonly reads: readonly string[];
    readonly remembers: boolean;
  }[];
}

const nameAndType = ({ name, type }: Leaf): [string, LeafType] => [name, type];

function lowerAll(rules: readonly VersionedRule[], register: Register, layers: Layers): Draft[] {
  const nameOf = (reference: Reference) => leafName(register.indexOf(register.add(reference, {})));
  return draft(rules).map(({ rule, place, branches }) => {
    const lowered = branches.map(({ value, source, ast }) => {
      const { found, ...rest } = inTag(place, () => lowerWhole(ast, nameOf, layers));
      const reads = found.map(({ reference, start }) => register.add(reference, { ...place, source, start }));
      return { value, source, reads, ...rest };
    });
    return { rule, place, branches: lowered, readsValue: lowered.some((it) => it.readsValue) };
  });
}

function compileRule(
  { rule, place, branches }: Draft,
  byText: ReadonlyMap<string, Leaf>,
  compiled: ReturnType<typeof compiledLanguage>,
): CompiledRule {
  const leaves = [...new Set(branches.flatMap(({ reads }) => reads))].flatMap(
    (text) => byText.get(text) ?? [],
  );
  const tags = leaves.flatMap((leaf) =>
    leaf.kind === 'hasTag' || leaf.kind === 'tagValue' ? [leaf.of] : [],
  );
  return {
    tag: rule.tag,
    version: rule.version,
    rule,
    branches: branches.map(({ value, source, text }) => ({
      value,
      source,
      run: parseCondition(compiled, text, place).run,
    })),
    leaves,
    reads: [...new Set(tags)],
    remembers: branches.some((it) => it.remembers),
  };
}

/** Parses and type-checks every expression as its author wrote it. */
function draft(rules: readonly VersionedRule[]) {
  const language = ruleLanguage();
  const tags = new Set<string>();
  return rules.map((rule) => {
    const place: RulePlace = { tag: rule.tag };
    if (tags.has(rule.tag)) throw new RuleError('name', `two rules for the tag ${rule.tag}`, place);
    tags.add(rule.tag);
    const sources: [TagValue, string][] =
      rule.when === undefined ? Object.entries(rule.values ?? {}) : [[true, rule.when]];
    if (sources.length === 0) throw new RuleError('shape', 'a rule has either `when` or `values`', place);
    const branches = sources.map(([value, source]) => ({
      value,
      source,
      ast: parseCondition(language, source, place).ast,
    }));
    return { rule, place, branches };
  });
}

const leafName = (index: number) => `l${index}`;

function leafOf(
  text: string,
  reference: Reference,
  index: number,
  features: ReadonlyMap<string, Feature>,
  before: ReadonlyMap<string, Leaf>,
): Leaf {
  const base = { index, name: leafName(index), text, type: typeOf(reference) };
  if (reference.kind === 'rfm' || reference.kind === 'score') return { ...base, ...reference };
  if (reference.kind === 'date') {
    const of = dateLeaf(referenceText(reference.of), before);
    return { ...base, kind: 'date', of, ask: reference.ask };
  }
  if (reference.kind !== 'events' && reference.kind !== 'bucket')
    return { ...base, kind: reference.kind, of: reference.name };
  const feature = features.get(featureKey(reference.kind === 'bucket' ? firstOfAll : reference));
  if (!feature) throw new Error(`no feature was planned for ${text}`);
  if (reference.kind === 'bucket') return { ...base, ...reference, feature };
  const anchor = reference.anchor && dateLeaf(referenceText(reference.anchor.of), before);
  const part = partOf(reference);
  const column = columnOf(reference.aggregate, part !== 'total');
  return {
    ...base,
    kind: 'events',
    reference,
    feature,
    ...(anchor ? { anchor } : {}),
    slot: column === undefined ? -1 : (feature[part] ?? []).indexOf(column),
  };
}

/** The leaf that gives a date, which was read before the one that asks. */
function dateLeaf(text: string, before: ReadonlyMap<string, Leaf>): EventsLeaf | FactLeaf {
  const leaf = before.get(text);
  if (leaf?.kind !== 'trait' && leaf?.kind !== 'events') throw new Error(`${text} was not read before`);
  return leaf;
}

function typeOf(reference: Reference): LeafType {
  if (reference.kind === 'rfm' || reference.kind === 'bucket') return 'int';
  if (reference.kind === 'date' || reference.kind === 'score') return 'bool';
  if (['hasTag', 'hasTrait', 'consent'].includes(reference.kind)) return 'bool';
  if (reference.kind === 'tagValue') return 'string';
  if (reference.kind !== 'events') return 'any';
  const { aggregate, property } = reference;
  const isTime = aggregate === 'first' || aggregate === 'last' || aggregate === 'nth';
  return isTime && property === undefined ? 'time' : aggregateTypes[aggregate];
}

const aggregateTypes: Record<Aggregate, LeafType> = {
  count: 'int',
  days: 'int',
  distinct: 'int',
  daysInRow: 'int',
  streak: 'int',
  weeksWith: 'int',
  any: 'bool',
  firstEver: 'bool',
  avg: 'double',
  sum: 'any',
  min: 'any',
  max: 'any',
  first: 'any',
  last: 'any',
  start: 'any',
  preference: 'any',
  faded: 'any',
  nth: 'time',
};

const eventsLeaf = (leaf: Leaf | undefined) => (leaf?.kind === 'events' ? leaf : undefined);

/**
 * Every rule after those it reads; otherwise in the order given.
 *
 * @throws RuleError where a rule reads a tag that none earns, or rules read each other in a circle
 */
function inOrder(rules: readonly CompiledRule[], register: Register): CompiledRule[] {
  const byTag = new Map(rules.map((rule) => [rule.tag, rule]));
  const ordered = new Set<CompiledRule>();
  const visit = (rule: CompiledRule, path: readonly string[]): void => {
    if (ordered.has(rule)) return;
    for (const leaf of rule.leaves) {
      if (leaf.kind !== 'hasTag' && leaf.kind !== 'tagValue') continue;
      const place = register.placeOf(leaf.text, rule.tag);
      const read = byTag.get(leaf.of);
      if (!read) throw new RuleError('name', `no rule earns the tag ${JSON.stringify(leaf.of)}`, place);
      if (leaf.kind === 'tagValue' && read.rule.when !== undefined)
        throw new RuleError(
          'type',
          `the tag ${leaf.of} is held or not: ask hasTag(${JSON.stringify(leaf.of)})`,
          place,
        );
      const trail = [...path, rule.tag];
      const circle = trail.includes(leaf.of) ? [...trail.slice(trail.indexOf(leaf.of)), leaf.of] : undefined;
      if (circle)
        throw new RuleError('cycle', `rules read each other in a circle: ${circle.join(' → ')}`, place);
      visit(read, trail);
    }
    ordered.add(rule);
  };
  for (const rule of rules) visit(rule, []);
  return [...ordered];
}

function inTag<T>({ tag }: RulePlace, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof RuleError && error.tag === undefined ? error.inTag(tag) : error;
  }
}
