import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Brand } from '../platform/brand.ts';
import type { Rule } from '../platform/brand-words.ts';
import { ConflictError } from '../platform/errors.ts';
import { keys } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';
import type { KeptRule, KeptRules } from './file-rules.ts';
import type { QuintileEdition } from './quintiles.ts';
import { mentionQuintiles, quintileStore } from './quintiles-store.ts';
import { RuleError } from './rule-error.ts';
import { inputsDigest } from './rule-inputs.ts';
import { compileRules, type VersionedRule } from './rulebook.ts';
import { keptRule, rulesKept, text } from './rules-kept.ts';

/** What the row of the rules held once: `tag@version` of each, and since when. */
const ruleSetRow = z.object({
  names: z.string().transform((it) => it.split(' ')),
  at: z.string().optional(),
});
const ruleRow = z.object({ rule: text.pipe(keptRule) });

const ATTEMPTS = 8;
/** All rules stand in one row, and a row has 400 KB. */
const MAX_BYTES = 300_000;

/**
 * The rules in force and every version that ever was. The row of the rules is the truth; a version's own row is its
 * history, written when it is put and again before it is replaced, so that no crash loses one.
 *
 * @param compile what checks rules before they are written; who runs thousands of stacks may remember what it said
 */
export function ruleStore(table: Table, brand: Brand, compile: typeof compileRules = compileRules) {
  const { kept, current } = rulesKept(table, brand);

  const append = (it: KeptRule) =>
    table.put({ ...keys.rule(it.rule.tag, it.rule.version), rule: JSON.stringify(it) });

  /** Notes what was in force, before it is replaced: whoever replaces it notes the same. */
  const appendSet = ({ version, rules, at }: KeptRules) =>
    table.put({
      ...keys.ruleSet(version),
      names: rules.map(nameOf).join(' '),
      ...(at !== undefined && { at }),
    });

  /** A version of a rule. What is in force may have no row of its own yet. */
  async function ruleNamed(name: string, present: readonly KeptRule[]): Promise<KeptRule> {
    const known = present.find((it) => nameOf(it) === name);
    if (known) return known;
    const [tag = '', version] = name.split('@');
    return ruleRow.parse(await table.get(keys.rule(tag, Number(version)))).rule;
  }

  async function rulesAt(instant: string): Promise<{ rules: VersionedRule[]; at?: string }> {
    const { stored, merged } = await kept();
    const present = { rules: merged.rules.map((it) => it.rule), ...(stored.at && { at: stored.at }) };
    if (stored.at === undefined || stored.at <= instant) return present;
    let first: z.infer<typeof ruleSetRow> | undefined;
    const { pk, sk } = keys.ruleSet(stored.version - 1);
    for await (const row of table.query(pk, { from: keys.ruleSet(0).sk, to: sk, newestFirst: true })) {
      first = ruleSetRow.parse(row);
      if (first.at === undefined || first.at <= instant) break;
    }
    if (!first) return { rules: present.rules };
    const rules = await Promise.all(first.names.map((name) => ruleNamed(name, stored.rules)));
    const isFirst = first.at === undefined || first.at > instant;
    return { rules: rules.map((it) => it.rule), ...(!isFirst && { at: first.at }) };
  }

  /** The rules as the row holds them. @throws RuleError if they are too long together or do not compile */
  function checked(rules: readonly KeptRule[]): string {
    const text = JSON.stringify(rules);
    if (Buffer.byteLength(text) > MAX_BYTES)
      throw new RuleError('cost', `all rules together are longer than ${MAX_BYTES} bytes`);
    compile(
      rules.map((it) => it.rule),
      brand,
    );
    return text;
  }

  /** Puts the row in place of the one that was read. @returns false if somebody else wrote first */
  async function replace(stored: KeptRules, next: Omit<KeptRules, 'version'>, at?: string): Promise<boolean> {
    const rules = checked(next.rules);
    const inForce = new Set(next.rules.map(nameOf));
    for (const it of stored.rules) if (!inForce.has(nameOf(it))) await append(it);
    if (stored.version > 0 || stored.rules.length > 0) await appendSet(stored);
    const row = {
      ...{ v: stored.version + 1, rules, file: { ...next.file }, retired: { ...next.retired } },
      inputs: next.inputs ?? inputsDigest(brand),
      ...(at !== undefined && { at }),
    };
    try {
      await table.put({ ...keys.rules(), ...row }, { kind: 'version', version: stored.version });
      return true;
    } catch (error) {
      if (error instanceof ConflictError) return false;
      throw error;
    }
  }

  return {
    current,

    /** One rule in force and all its versions, newest first; undefined if the tag has no rule. */
    async get(tag: string): Promise<{ rule: VersionedRule; versions: KeptRule[] } | undefined> {
      const { stored, merged } = await kept();
      const ofTag = [...merged.rules, ...stored.rules].filter((it) => it.rule.tag === tag);
      const present = merged.rules.find((it) => it.rule.tag === tag);
      if (!present) return undefined;
      for await (const row of table.query(keys.rule(tag, 0).pk)) ofTag.push(ruleRow.parse(row).rule);
      const versions = new Map(ofTag.reverse().map((it) => [it.rule.version, it]));
      return {
        rule: present.rule,
        versions: [...versions.values()].sort((a, b) => b.rule.version - a.rule.version),
      };
    },

    /**
     * Puts a rule in force as the tag's next version. All rules are compiled together first: what is in force always
     * compiles. Putting what is in force already changes nothing.
     *
     * @throws RuleError if the rules would not compile; then nothing was written
     * @throws ConflictError if others kept writing at the same time
     */
    async put(rule: Rule, at: string, by: string): Promise<{ rule: VersionedRule; rules: VersionedRule[] }> {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const { stored, merged } = await kept();
        const { present, unchanged, next, rules, retired } = withRule(merged, rule, at, by);
        const done = { rule: next.rule, rules: rules.map((it) => it.rule) };
        if (unchanged) return done;
        if (present) await append(present);
        const before = stored.version > 0 ? stored : merged;
        if (!(await replace(before, { ...merged, rules, retired }, at))) continue;
        await append(next);
        return done;
      }
      throw new ConflictError(`the rules were written ${ATTEMPTS} times by others: put ${rule.tag} again`);
    },

    /**
     * The rules that putting a rule would bring into force, compiled together and checked as `put` does. Writes nothing.
     *
     * @throws RuleError if they would not compile
     */
    async draft(
      rule: Rule,
    ): Promise<{ rule: VersionedRule; rules: VersionedRule[]; inForce: VersionedRule[] }> {
      const { merged } = await kept();
      const { next, rules } = withRule(merged, rule);
      checked(rules);
      return {
        rule: next.rule,
        rules: rules.map((it) => it.rule),
        inForce: merged.rules.map((it) => it.rule),
      };
    },

    /**
     * Writes down what a deployment changed in the brand's file, so that its versions are fixed. The rules that come
     * into force are announced before they are written: a crash in between announces twice, never not at all.
     *
     * @param at since when they are in force; absent where nobody asks for the past
     * @returns whether the rules in force, or what else they answer by, are others now
     */
    async adopt(announce: (rules: readonly VersionedRule[]) => Promise<void>, at?: string): Promise<boolean> {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const { stored, merged } = await kept();
        const inputs = inputsDigest(brand);
        const isSameFile = stored.version > 0 && isDeepStrictEqual(stored.file, merged.file);
        if (isSameFile && stored.inputs === inputs) return false;
        const changed =
          stored.rules.map(nameOf).join() !== merged.rules.map(nameOf).join() ||
          (stored.inputs !== undefined && stored.inputs !== inputs);
        if (changed) await announce(merged.rules.map((it) => it.rule));
        if (await replace(stored, { ...merged, inputs }, at)) return changed;
      }
      throw new ConflictError('the rules were written by others: adopt the file again');
    },

    /**
     * The rules that were in force at an instant. The first that a brand had count for all the time before.
     *
     * @returns also since when they are; absent: they are the first
     */
    async inForceAt(
      instant: string,
    ): Promise<{ rules: VersionedRule[]; at?: string; quintiles?: QuintileEdition }> {
      const then = await rulesAt(instant);
      const quintiles = mentionQuintiles(then.rules) ? await quintileStore(table).current() : undefined;
      return { ...then, ...(quintiles && { quintiles }) };
    },

    /** The rules in force, by tag. */
    async list(): Promise<VersionedRule[]> {
      const { merged } = await kept();
      return merged.rules.map((it) => it.rule).sort((a, b) => (a.tag < b.tag ? -1 : 1));
    },
  };
}

export type RuleStore = ReturnType<typeof ruleStore>;

/** The rules with one of them put: as the tag's next version, unless it stands so already. */
function withRule(merged: KeptRules, rule: Rule, at?: string, by?: string) {
  const present = merged.rules.find((it) => it.rule.tag === rule.tag);
  const { [rule.tag]: retiredVersion, ...retired } = merged.retired;
  const unchanged = present !== undefined && isSame(present.rule, rule);
  const version = (present?.rule.version ?? retiredVersion ?? 0) + 1;
  const next: KeptRule = unchanged ? present : { rule: { ...rule, version }, at, by };
  const rules = present ? merged.rules.map((it) => (it === present ? next : it)) : [...merged.rules, next];
  return { present, unchanged, next, rules, retired };
}

const nameOf = ({ rule: { tag, version } }: KeptRule) => `${tag}@${version}`;

const content = ({ tag, name, when, values }: Rule) =>
  JSON.stringify([tag, name?.zh, name?.en, when, Object.entries(values ?? {})]);
const isSame = (a: Rule, b: Rule): boolean => content(a) === content(b);
