import { z } from 'zod';
import type { Brand } from '../platform/brand.ts';
import type { Rule } from '../platform/brand-words.ts';
import type { Feature } from './features.ts';
import { lowerWhole, WAS } from './held.ts';
import { compiledLanguage, type LeafType, parseCondition, ruleLanguage } from './language.ts';
import { type Reference, referenceText } from './leaves.ts';
import { outcomesOf } from './outcomes.ts';
import { personalIn } from './personal.ts';
import { print } from './print.ts';
import { RuleError } from './rule-error.ts';
import { compileRules, type Leaf, type RuleBook, type TagValue, type VersionedRule } from './rulebook.ts';
import type { Layers } from './value-ask.ts';
import type { Window } from './windows.ts';

/** An `error` is refused when it is put; a `warning` is put, and somebody should have read it. */
export const finding = z.object({
  severity: z.enum(['error', 'warning']),
  /** A fault of the rule's text (`syntax`, `type`, `name`, `window`, `cost`, `cycle`, `shape`), or what was found in it. */
  type: z.string(),
  message: z.string(),
  /** Of `values`: in which of them. */
  value: z.string().optional(),
  /** Another tag that it is about. */
  tag: z.string().optional(),
  line: z.int().optional(),
  column: z.int().optional(),
  caret: z.string().optional(),
});
export type Finding = z.infer<typeof finding>;

/** What a rule would take, beside the rules in force. */
export const ruleCost = z.object({
  /** Numbers, facts and values that it reads. */
  leaves: z.int(),
  /** What is counted for it in every profile; and how many of these no other rule has counted already. */
  features: z.int(),
  newFeatures: z.int(),
  /** The most brand-days that a profile keeps for those, all together. */
  days: z.int(),
});
export type RuleCost = z.infer<typeof ruleCost>;

export interface Checked {
  readonly findings: readonly Finding[];
  /** Absent if it does not compile. */
  readonly cost?: RuleCost;
}

/** More brand-days of a profile than this, for one rule: somebody should know. */
const MANY_DAYS = 1095;

/**
 * Looks a rule over before it is put: whether it compiles among the others, and then whether it can come out both
 * ways, says what another tag says already, keeps much, or holds what belongs to one person.
 *
 * @param rules those that would be in force with it @param inForce those that are
 */
export function checkRule(
  rule: VersionedRule,
  rules: readonly VersionedRule[],
  inForce: readonly VersionedRule[],
  brand: Brand,
): Checked {
  try {
    const book = compileRules(rules, brand);
    const cost = costOf(book, rule.tag, compileRules(inForce, brand));
    const findings = [
      ...personal(rule),
      ...outcomes(book, rule),
      ...duplicates(rule, rules, book.layers),
      ...costly(cost),
    ];
    return { findings, cost };
  } catch (error) {
    return { findings: [faultOf(error, rule.tag)] };
  }
}

/** @throws what is no fault of the rule */
export function faultOf(error: unknown, ofTag: string): Finding {
  if (!(error instanceof RuleError)) throw error;
  const { type, message, line, column, caret, tag } = error;
  const place = caret === '' ? {} : { line, column, caret };
  return { severity: 'error', type, message, ...place, ...(tag !== undefined && tag !== ofTag && { tag }) };
}

/** @throws RuleError `personal` if the rule holds a value that belongs to one person */
export function refusePersonal(rule: Rule): void {
  for (const { source, ast } of branchesOf(rule))
    for (const it of personalIn(ast))
      if (it.what === 'value') throw personalFault(it.of, { tag: rule.tag, source, start: it.start });
}

const personalFault = (of: string, place: { tag: string; source: string; start: number }) =>
  new RuleError('personal', `a rule says nothing of one person: this looks like ${of}`, place);

function personal(rule: VersionedRule): Finding[] {
  return branchesOf(rule).flatMap(({ source, ast, value }) =>
    personalIn(ast).map(({ what, of, start }): Finding => {
      const fault = personalFault(of, { tag: rule.tag, source, start });
      const { line, column, caret } = fault;
      const inValue = typeof value === 'string' && { value };
      return what === 'value'
        ? { ...faultOf(fault, rule.tag), ...inValue }
        : {
            severity: 'warning',
            type: 'personal',
            message: `whoever sees the tag learns something of the trait ${of}, which belongs to one person`,
            ...{ line, column, caret },
            ...inValue,
          };
    }),
  );
}

function branchesOf({ tag, when, values }: Rule) {
  const sources: [TagValue, string][] = when === undefined ? Object.entries(values ?? {}) : [[true, when]];
  const language = ruleLanguage();
  return sources.map(([value, source]) => ({
    value,
    source,
    ast: parseCondition(language, source, { tag }).ast,
  }));
}

/** Whether it holds of everybody, of nobody, or has values that never come out. */
function outcomes(book: RuleBook, rule: VersionedRule): Finding[] {
  const leaves = new Map(book.leaves.map((leaf) => [leaf.text, leaf]));
  const nameOf = (reference: Reference) => leaves.get(referenceText(reference))?.name ?? '';
  const compiled = compiledLanguage(
    new Map([[WAS, 'bool'], ...book.leaves.map(({ name, type }): [string, LeafType] => [name, type])]),
  );
  const branches = branchesOf(rule).map(({ value, ast }) => ({
    value,
    ast: parseCondition(compiled, lowerWhole(ast, nameOf, book.layers).text, { tag: rule.tag }).ast,
  }));
  const valuesOf = (tag: string) => Object.keys(book.ruleOf(tag)?.rule.values ?? {});
  const all = outcomesOf(branches, (name) => book.leafNamed(name), valuesOf);
  if (!all) return [];
  const warning = (type: string, message: string, value?: string): Finding => ({
    ...{ severity: 'warning', type, message },
    ...(value !== undefined && { value }),
  });
  const [only] = all;
  if (all.size === 1 && only === undefined) return [warning('always_false', 'nobody can ever hold this')];
  if (all.size === 1)
    return [warning('always_true', `everybody holds this${only === true ? '' : `, as ${only}`}`)];
  return branches.flatMap(({ value }) =>
    typeof value === 'string' && !all.has(value)
      ? [warning('never', `the value ${value} never comes out: what stands above it holds before`, value)]
      : [],
  );
}

/** Other tags whose rules say the same, in whatever order or spelling. */
function duplicates(rule: VersionedRule, rules: readonly VersionedRule[], layers: Layers): Finding[] {
  const said = sayingOf(rule, layers);
  return rules
    .filter((it) => it.tag !== rule.tag && sayingOf(it, layers) === said)
    .map(({ tag }) => ({
      ...{ severity: 'warning', type: 'duplicate', tag },
      message: `this is what the tag ${tag} says already`,
    }));
}

/** What a rule says, in one form: leaves as they are compiled, the operands of `&&` and `||` in one order. */
function sayingOf(rule: Rule, layers: Layers): string {
  return JSON.stringify(
    branchesOf(rule).map(({ value, ast }) => {
      const names = new Map<string, string>();
      const nameOf = (reference: Reference) => {
        const text = referenceText(reference);
        const name = `l${[...names.values()].indexOf(text) < 0 ? names.size : [...names.values()].indexOf(text)}`;
        names.set(name, text);
        return name;
      };
      const { text } = lowerWhole(ast, nameOf, layers);
      const language = compiledLanguage(new Map([...names.keys()].map((name) => [name, 'any'])));
      return [value, print(language.parse(text).ast, { sorted: true, names })];
    }),
  );
}

function costOf(book: RuleBook, tag: string, inForce: RuleBook): RuleCost {
  const leaves = book.ruleOf(tag)?.leaves ?? [];
  const features = new Map(leaves.flatMap(featuresOf).map((it) => [it.id, it]));
  const others = new Set(
    inForce.rules
      .filter((it) => it.tag !== tag)
      .flatMap((it) => it.leaves.flatMap(featuresOf))
      .map(({ id }) => id),
  );
  const added = [...features.values()].filter(({ id }) => !others.has(id));
  return {
    leaves: leaves.length,
    features: features.size,
    newFeatures: added.length,
    days: added.reduce((sum, it) => sum + Math.max(0, ...it.dayWindows.map(reachOf)), 0),
  };
}

function costly({ days }: RuleCost): Finding[] {
  if (days <= MANY_DAYS) return [];
  const message = `up to ${days} brand-days of every profile are kept for this rule alone: shorter windows, or those of other rules, cost less`;
  return [{ severity: 'warning', type: 'cost', message }];
}

function featuresOf(leaf: Leaf): Feature[] {
  if (leaf.kind === 'date') return featuresOf(leaf.of);
  if (leaf.kind === 'bucket') return [leaf.feature];
  if (leaf.kind !== 'events') return [];
  return [leaf.feature, ...(leaf.anchor ? featuresOf(leaf.anchor) : [])];
}

const DAYS_IN = { hour: 1 / 24, day: 1, week: 7, month: 31 } as const;
const reachOf = ({ unit, from }: Window): number => Math.ceil(from * DAYS_IN[unit]);
