import { z } from 'zod';
import type { Brand } from '../platform/brand.ts';
import { rule } from '../platform/brand-words.ts';
import { keys } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';
import { type KeptRules, mergeFileRules, nothingKept } from './file-rules.ts';
import type { QuintileEdition } from './quintiles.ts';
import { mentionQuintiles, quintileStore } from './quintiles-store.ts';
import type { VersionedRule } from './rulebook.ts';

/** A rule with the version that a row holds. As text: DynamoDB's maps forget the order of `values`. */
export const versionedRule = z.looseObject({ version: z.int().positive() }).transform(
  ({ version, ...rest }): VersionedRule => ({
    ...rule.parse(rest),
    version,
  }),
);
export const keptRule = z.strictObject({
  rule: versionedRule,
  at: z.string().optional(),
  by: z.string().optional(),
});
/** JSON as text. */
export const text = z.string().transform((it): unknown => JSON.parse(it));
const rulesRow = z.object({
  v: z.int().positive(),
  rules: text.pipe(z.array(keptRule)),
  file: z.record(z.string(), z.string()),
  retired: z.record(z.string(), z.int()),
  inputs: z.string().optional(),
  /** Since when; absent: since the brand's first rules. */
  at: z.string().optional(),
});
/** What is in force, for the many who only read it. */
export function rulesKept(table: Table, brand: Brand) {
  /** What the row holds, and what is in force: the row with the brand's file merged in. */
  async function kept(): Promise<{ stored: KeptRules; merged: KeptRules }> {
    const row = await table.get(keys.rules());
    if (!row) return { stored: nothingKept, merged: mergeFileRules(nothingKept, brand.rules) };
    const { v, at, inputs, ...rest } = rulesRow.parse(row);
    const stored = { version: v, ...rest, ...(at !== undefined && { at }), ...(inputs && { inputs }) };
    return { stored, merged: mergeFileRules(stored, brand.rules) };
  }

  return {
    kept,

    /** The rules in force, and the population's cuts if they read them. `version` grows with each put; 0 before the first. */
    async current(): Promise<{ version: number; rules: VersionedRule[]; quintiles?: QuintileEdition }> {
      const { merged } = await kept();
      const rules = merged.rules.map((it) => it.rule);
      const quintiles = mentionQuintiles(rules) ? await quintileStore(table).current() : undefined;
      return { version: merged.version, rules, ...(quintiles && { quintiles }) };
    },
  };
}
