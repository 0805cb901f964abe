// npm run rules -- library: the ready tags, as a list, one by one, or as a page.
import { parseArgs } from 'node:util';
import { type ReadyTag, readLibrary, ruleOf, tagsReadBy, trades, traitsReadBy } from '../lib/tags/library.ts';
import { connection, UsageError } from './rules-ask.ts';
import { amount, libraryPage } from './tag-library-page.ts';

const options = {
  trade: { type: 'string' },
  show: { type: 'string' },
  page: { type: 'string' },
} as const;

/** Prints what is asked for; nothing is sent anywhere. @returns the exit code */
export async function library(argv: readonly string[]): Promise<number> {
  const { values } = connection.parse(() => parseArgs({ args: [...argv], options }));
  const all = readLibrary();
  if (values.page !== undefined) {
    if (values.page !== 'zh' && values.page !== 'en') throw new UsageError('--page is zh or en');
    process.stdout.write(libraryPage(all, values.page));
    return 0;
  }
  if (values.show !== undefined)
    return show(
      trades.flatMap((trade) => all[trade]),
      values.show,
    );
  const asked = trades.filter((trade) => values.trade === undefined || values.trade === trade);
  if (asked.length === 0) throw new UsageError(`--trade is one of ${trades.join(', ')}`);
  for (const trade of asked)
    for (const { tag, name, why } of all[trade])
      process.stdout.write(`${`${trade}/${tag}`.padEnd(36)}${name.zh} · ${name.en}: ${why.en}\n`);
  return 0;
}

/** The tag as the body of a `PUT`; what whoever puts it has to know goes to standard error. */
function show(all: readonly ReadyTag[], asked: string): number {
  const found = all.find(({ tag }) => tag === asked.replace(/^\w+\//, ''));
  if (!found) throw new UsageError(`the library has no tag ${asked}`);
  const { tag, ...body } = ruleOf(found);
  process.stdout.write(`${JSON.stringify(body, undefined, 2)}\n`);
  const hints = [
    `PUT /rules/${tag}: ${found.why.zh} ${found.why.en}`,
    ...found.money.map((it) => `${it} is ${amount(it)} in minor units`),
    ...tagsReadBy(found).map((it) => `reads the tag ${it}: put that first`),
    ...traitsReadBy(found).map((it) => `reads the trait ${it}`),
  ];
  process.stderr.write(`${hints.join('\n')}\n`);
  return 0;
}
