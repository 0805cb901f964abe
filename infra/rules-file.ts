// The rules of a file, as people keep them beside their code: YAML or JSON, one rule or several.
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Rule, rule } from '../lib/platform/brand-words.ts';
import { UsageError } from './rules-ask.ts';

const file = z.union([
  z.array(z.unknown()),
  z.strictObject({ rules: z.array(z.unknown()) }),
  z.looseObject({}),
]);

/** @throws UsageError if it cannot be read, holds no rules, or two of one tag */
export async function readRules(path: string): Promise<Rule[]> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new UsageError(`${path} cannot be read`);
  });
  return rulesIn(text, path);
}

/** @param name of the file, for what is said of it */
export function rulesIn(text: string, name: string): Rule[] {
  const said = file.safeParse(yamlOf(text, name));
  if (!said.success) throw new UsageError(`${name} holds no rules: give a rule, or a list of them`);
  const list = Array.isArray(said.data) ? said.data : 'rules' in said.data ? said.data.rules : [said.data];
  if (!Array.isArray(list) || list.length === 0) throw new UsageError(`${name} holds no rules`);
  const rules = list.map((it, i) => ruleOf(it, `${name}: rule ${i + 1}`));
  const tags = new Set(rules.map(({ tag }) => tag));
  if (tags.size < rules.length) throw new UsageError(`${name} has two rules for one tag`);
  return rules;
}

function yamlOf(text: string, name: string): unknown {
  try {
    return parse(text); // JSON is YAML too
  } catch (error) {
    throw new UsageError(`${name} is no YAML and no JSON: ${error instanceof Error ? error.message : ''}`);
  }
}

function ruleOf(said: unknown, place: string): Rule {
  const it = rule.safeParse(said);
  if (it.success) return it.data;
  const issues = it.error.issues.map(({ path, message }) => `${path.join('.') || 'rule'}: ${message}`);
  throw new UsageError(`${place}: ${issues.join('; ')}`);
}
