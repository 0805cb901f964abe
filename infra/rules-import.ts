// npm run rules -- import: a segment, a cohort or a user group of another system as a rule.
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { rfmSettings } from '../lib/platform/brand.ts';
import { fromDittofeed } from '../lib/tags/importers/dittofeed.ts';
import { fromPostHog } from '../lib/tags/importers/posthog.ts';
import { fromSensors } from '../lib/tags/importers/sensors.ts';
import { ImportError, type Imported, tagOf } from '../lib/tags/importers/words.ts';
import { RuleError } from '../lib/tags/rule-error.ts';
import { compileRules } from '../lib/tags/rulebook.ts';
import { connection, UsageError } from './rules-ask.ts';

const importers: Readonly<Record<string, (input: unknown, currency?: string) => Imported>> = {
  posthog: fromPostHog,
  dittofeed: fromDittofeed,
  sensors: fromSensors,
};

const options = {
  from: { type: 'string' },
  tag: { type: 'string' },
  currency: { type: 'string' },
} as const;

/** Prints the rule as the body of a `PUT`, and what it cannot say as theirs did to standard error. @returns the exit code */
export async function importRule(argv: readonly string[]): Promise<number> {
  const { values, positionals } = connection.parse(() =>
    parseArgs({ args: [...argv], options, allowPositionals: true }),
  );
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new UsageError('one FILE, please');
  const { from = '', currency } = values;
  const read = Object.hasOwn(importers, from) ? importers[from] : undefined;
  if (!read) throw new UsageError(`--from is one of ${Object.keys(importers).join(', ')}`);
  if (currency !== undefined && !/^[A-Z]{3}$/.test(currency))
    throw new UsageError('--currency is three letters, such as CNY');
  const { name, when, notes } = inWords(await jsonOf(file), (input) => read(input, currency));
  const tag = values.tag ?? (name === undefined ? undefined : tagOf(name));
  if (tag === undefined) throw new UsageError('its name gives no tag in Latin letters: say one by --tag');
  inWords({ tag, when, version: 1 }, (rule) =>
    compileRules([rule], { timezone: 'UTC', rfm: rfmSettings.parse({}) }),
  );
  const shown = name === undefined ? {} : { name: { zh: name.slice(0, 200), en: name.slice(0, 200) } };
  process.stdout.write(`${JSON.stringify({ ...shown, when }, undefined, 2)}\n`);
  process.stderr.write(`${[`PUT /rules/${tag}`, ...notes].join('\n')}\n`);
  return 0;
}

async function jsonOf(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw new UsageError(`${file} cannot be read`);
  });
  return connection.parse((): unknown => JSON.parse(text));
}

/** What cannot be said is for whoever calls, in words. */
function inWords<T, U>(input: T, work: (input: T) => U): U {
  try {
    return work(input);
  } catch (error) {
    if (error instanceof ImportError) throw new UsageError(error.message);
    if (error instanceof RuleError) throw new UsageError(`${error.message}\n${error.caret}`);
    throw error;
  }
}
