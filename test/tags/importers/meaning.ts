import { rfmSettings } from '../../../lib/platform/brand.ts';
import type { Imported } from '../../../lib/tags/importers/words.ts';
import { compileRules } from '../../../lib/tags/rulebook.ts';
import { type Person, tagsOf } from '../people.ts';

/** Who of some people holds the rule that was imported: what it means, and not how it is written. */
export function holders({ when }: Imported, people: Readonly<Record<string, Person>>): string[] {
  const book = compileRules([{ tag: 'it', when, version: 1 }], {
    timezone: 'Asia/Shanghai',
    rfm: rfmSettings.parse({}),
  });
  return Object.entries(people).flatMap(([name, person]) => (tagsOf(book, person).has('it') ? [name] : []));
}
