import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type Rule, rule } from '../platform/brand-words.ts';

/** The trades that the library has tags for; the tags of each are in `library/<trade>.json`. */
export const trades = ['ecommerce', 'beauty', 'education', 'finance', 'retail'] as const;
export type Trade = (typeof trades)[number];

const sentence = z.strictObject({ zh: z.string().min(1).max(120), en: z.string().min(1).max(200) });

/** A tag as the library keeps it: a rule with a name, and one sentence that says what it is for. */
export const readyTag = z
  .strictObject({
    ...rule.shape,
    name: sentence,
    why: sentence,
    /** Amounts that stand in the rule, in minor units: what a brand of another currency has to look at. */
    money: z.array(z.int().positive()).default([]),
  })
  .refine((it) => (it.when === undefined) !== (it.values === undefined), {
    error: 'a tag has either `when` or `values`',
  });
export type ReadyTag = z.infer<typeof readyTag>;

export type Library = Readonly<Record<Trade, readonly ReadyTag[]>>;

/**
 * Properties that library rules read beyond those that each standard type requires, as channels give them: whoever
 * takes a tag that reads one sees to it that it is sent.
 */
export const furtherProperties: Readonly<Record<string, readonly string[]>> = {
  order_paid: ['products', 'store_id'],
  coupon_redeemed: ['store_id'],
  coupon_issued: ['expires_at'],
  points_changed: ['balance_after', 'biz_type'],
  lead_submitted: ['form_id'],
};

/** A name that the library does not have. */
export class LibraryError extends Error {
  override readonly name = 'LibraryError';
}

/** Reads the library from the files beside this one. For the command line and for deploying: no function needs it. */
export function readLibrary(): Library {
  const read = (trade: Trade) =>
    z
      .array(readyTag)
      .parse(JSON.parse(readFileSync(new URL(`./library/${trade}.json`, import.meta.url), 'utf8')));
  return {
    ecommerce: read('ecommerce'),
    beauty: read('beauty'),
    education: read('education'),
    finance: read('finance'),
    retail: read('retail'),
  };
}

/** A ready tag as a brand writes it. */
export const ruleOf = ({ tag, name, when, values }: ReadyTag): Rule => ({
  tag,
  name,
  ...(when === undefined ? {} : { when }),
  ...(values === undefined ? {} : { values }),
});

/** The expressions of a tag, one for each of its values. */
export const expressionsOf = ({ when, values }: ReadyTag): string[] =>
  when === undefined ? Object.values(values ?? {}) : [when];

/** Tags that a tag reads itself. */
export const tagsReadBy = (it: ReadyTag): string[] => [
  ...new Set(namesIn(expressionsOf(it), /\b(?:hasTag|tagValue)\("(\w+)"\)/g)),
];

/** Traits that a tag reads: who takes it sends them. */
export const traitsReadBy = (it: ReadyTag): string[] => [
  ...new Set(namesIn(expressionsOf(it), /\b(?:hasTrait|trait)\("(\w+)"\)/g)),
];

const namesIn = (expressions: readonly string[], pattern: RegExp): string[] =>
  expressions.flatMap((text) => [...text.matchAll(pattern)].map(([, name = '']) => name));

/**
 * The rules that a brand takes by name: `beauty` is a whole trade, `beauty/skincare_refill` one tag. What a tag reads
 * comes with it. In the library's order, each once.
 *
 * @throws LibraryError for a trade or a tag that the library does not have
 */
export function rulesNamed(library: Library, names: readonly string[]): Rule[] {
  const all = trades.flatMap((trade) => library[trade]);
  const chosen = new Set<string>();
  const choose = (it: ReadyTag): void => {
    if (chosen.has(it.tag)) return;
    chosen.add(it.tag);
    for (const read of all.filter(({ tag }) => tagsReadBy(it).includes(tag))) choose(read);
  };
  for (const it of names.flatMap((name) => tagsNamed(library, name))) choose(it);
  return all.filter(({ tag }) => chosen.has(tag)).map(ruleOf);
}

function tagsNamed(library: Library, name: string): readonly ReadyTag[] {
  const [first = '', tag, ...more] = name.split('/');
  const trade = trades.find((it) => it === first);
  if (!trade || more.length > 0)
    throw new LibraryError(`the library has no ${JSON.stringify(name)}: its trades are ${trades.join(', ')}`);
  if (tag === undefined) return library[trade];
  const found = library[trade].filter((it) => it.tag === tag);
  if (found.length === 0)
    throw new LibraryError(`the library has no tag ${JSON.stringify(tag)} for ${trade}`);
  return found;
}
