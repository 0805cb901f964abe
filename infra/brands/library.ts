import { z } from 'zod';
import type { BrandInput } from '../../lib/platform/brand.ts';
import { readLibrary, rulesNamed } from '../../lib/tags/library.ts';

/** A brand as its file says it: besides its own rules it may take tags of the library by name. */
export type BrandFile = BrandInput & { readonly library?: readonly string[] };

const taking = z.looseObject({
  library: z.array(z.string()),
  rules: z.array(z.unknown()).default([]),
});
const ofTag = z.looseObject({ tag: z.string() });

/**
 * The brand with the rules that it takes in place of their names; anything else is left as it is. A tag that the
 * brand has a rule for itself keeps the brand's rule.
 *
 * @throws LibraryError for a name that the library does not have
 */
export function withLibrary(input: unknown): unknown {
  if (typeof input !== 'object' || input === null || !('library' in input)) return input;
  const said = taking.safeParse(input);
  if (!said.success) return input; // the brand's own shape says what is wrong
  const { library, rules, ...rest } = said.data;
  const own = new Set(rules.flatMap((it) => ofTag.safeParse(it).data?.tag ?? []));
  const taken = rulesNamed(readLibrary(), library).filter(({ tag }) => !own.has(tag));
  return { ...rest, rules: [...rules, ...taken] };
}
