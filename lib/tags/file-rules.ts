import type { Rule } from '../platform/brand-words.ts';
import { digest } from './features.ts';
import type { VersionedRule } from './rulebook.ts';

/** A rule in force, and where its version came from. */
export interface KeptRule {
  readonly rule: VersionedRule;
  /** When it was put, and by whom; absent for rules of the brand's file. */
  readonly at?: string;
  readonly by?: string;
}

/** The rules in force, as they are kept. */
export interface KeptRules {
  /** 0 until the first put: then nothing is kept, and the file's rules are in force at version 1. */
  readonly version: number;
  readonly rules: readonly KeptRule[];
  /** Tag → digest of its rule in the brand's file when this was written. */
  readonly file: Readonly<Record<string, string>>;
  /** Tag → last version of rules that were taken out of the file: a version is never given twice. */
  readonly retired: Readonly<Record<string, number>>;
  /** Digest of what else of the brand's file answers go by (`inputsDigest`); absent: nobody noted it yet. */
  readonly inputs?: string;
  /** Since when they are in force; absent: since the brand's first rules, or since nobody knows when. */
  readonly at?: string;
}

export const nothingKept: KeptRules = { version: 0, rules: [], file: {}, retired: {} };

/**
 * What is in force after a deployment: rules that changed in the brand's file since the kept ones were written are
 * new versions, rules taken out of the file are retired, and what was put over HTTP stands as long as the file says
 * what it said then. The same inputs give the same versions wherever they are merged.
 */
export function mergeFileRules(kept: KeptRules, fileRules: readonly Rule[]): KeptRules {
  const file = Object.fromEntries(fileRules.map((rule) => [rule.tag, ruleDigest(rule)]));
  const retired = { ...kept.retired };
  const rules: KeptRule[] = [];
  for (const it of kept.rules) {
    const { tag, version } = it.rule;
    if (Object.hasOwn(kept.file, tag) && !Object.hasOwn(file, tag)) retired[tag] = version;
    else rules.push(it);
  }
  for (const rule of fileRules) {
    if (Object.hasOwn(kept.file, rule.tag) && kept.file[rule.tag] === file[rule.tag]) continue;
    const place = rules.findIndex((it) => it.rule.tag === rule.tag);
    const present = rules[place]?.rule;
    if (present && ruleDigest(present) === file[rule.tag]) continue;
    const version = (present?.version ?? retired[rule.tag] ?? 0) + 1;
    delete retired[rule.tag];
    rules.splice(place < 0 ? rules.length : place, 1, { rule: { ...rule, version } });
  }
  return { version: kept.version, rules, file, retired, ...(kept.inputs && { inputs: kept.inputs }) };
}

/** Of what a rule says, without its version. */
const ruleDigest = ({ tag, name, when, values }: Rule): string =>
  digest([tag, name ? [name.zh, name.en] : null, when ?? Object.entries(values ?? {})], 10);
