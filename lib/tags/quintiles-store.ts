import { z } from 'zod';
import type { Rule } from '../platform/brand-words.ts';
import { ConflictError } from '../platform/errors.ts';
import { keys } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';
import { type QuintileEdition, quintileEdition } from './quintiles.ts';

const row = z.object({
  v: z.int().positive(),
  edition: z.string().transform((it) => quintileEdition.parse(JSON.parse(it))),
});

/** Whether rules may read the cuts: those that have none of these words do not. */
export const mentionQuintiles = (rules: readonly Pick<Rule, 'when' | 'values'>[]): boolean =>
  rules.some(({ when, values }) => [when ?? '', ...Object.values(values ?? {})].some((it) => ASKS.test(it)));
const ASKS = /rfm\s*\((?!\s*\))/;

const ATTEMPTS = 5;

/** Cuts by quintiles: the edition in force, and those before it until somebody whom they had counted is erased. */
export function quintileStore(table: Table) {
  async function current(): Promise<QuintileEdition | undefined> {
    const item = await table.get(keys.quintiles());
    return item && row.parse(item).edition;
  }

  return {
    /** Undefined before the first. */
    current,

    /**
     * Puts an edition in force as the next version. That of the same survey is put once.
     *
     * @throws ConflictError if others kept writing at the same time
     */
    async put(edition: Omit<QuintileEdition, 'version'>): Promise<QuintileEdition> {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const before = await current();
        if (before?.survey === edition.survey) return before;
        const next: QuintileEdition = { ...edition, version: (before?.version ?? 0) + 1 };
        const text = { v: next.version, edition: JSON.stringify(next) };
        try {
          await table.put(
            { ...keys.quintiles(), ...text },
            { kind: 'version', version: before?.version ?? 0 },
          );
          await table.put({ ...keys.quintiles(next.version), ...text });
          return next;
        } catch (error) {
          if (!(error instanceof ConflictError)) throw error;
        }
      }
      throw new ConflictError('the cuts were written by others: put them again');
    },
  };
}
