// npm run lineage: what a tag or a report rests on, down to event types, properties and channels.
import { parseArgs } from 'node:util';
import { lineageOfReport, lineageOfTag, reports, type Source } from '../lib/privacy/lineage.ts';
import { compileRules } from '../lib/tags/rulebook.ts';
import { loadBrand } from './brands/load.ts';

const HELP = `npm run lineage -- tag NAME [--brand demo] [--json]
npm run lineage -- report ${reports.join('|')} [--brand demo] [--json]
`;

/** What whoever calls has to mend. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

function lineageOf(what: string | undefined, name: string | undefined, brandName: string) {
  const brand = loadBrand(brandName);
  if (what === 'report') {
    const report = reports.find((it) => it === name);
    if (!report) throw new UsageError(`the reports are ${reports.join(', ')}`);
    return lineageOfReport(report, brand);
  }
  if (what !== 'tag' || name === undefined) throw new UsageError(HELP);
  const rules = brand.rules.map((rule) => ({ ...rule, version: 1 }));
  const found = lineageOfTag(name, compileRules(rules, brand), brand);
  if (!found)
    throw new UsageError(
      `${brandName} has no rule for ${name}; it has ${rules.map(({ tag }) => tag).join(', ')}`,
    );
  return found;
}

function textOf(it: ReturnType<typeof lineageOf>): string {
  const traits =
    'traits' in it ? it.traits.map(({ name, class: is }) => `  trait ${name}: ${is ?? 'no class'}`) : [];
  const tags = 'tags' in it && it.tags.length > 0 ? [`  reads the tags ${it.tags.join(', ')}`] : [];
  const name = 'tag' in it ? `tag ${it.tag}` : `report ${it.report}`;
  return `${[`${name}: ${it.class} at most`, ...tags, ...traits, ...it.sources.flatMap(sourceText)].join('\n')}\n`;
}

function sourceText({ feature, type, properties, from }: Source): string[] {
  const read = properties.map(({ name, class: is }) => `${name} (${is ?? 'no class'})`).join(', ');
  const givers = from.map(({ channel, accounts, how, lacks }) => {
    const missing = lacks.length > 0 ? `, not known to give ${lacks.join(', ')}` : '';
    return `    ${how} by ${channel}: ${accounts.join(', ')}${missing}`;
  });
  return [
    `  ${feature}`,
    `    ${type === '*' ? 'every type of event' : type}${read && `: ${read}`}`,
    ...(givers.length > 0 ? givers : ['    given by no account of this brand']),
  ];
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { brand: { type: 'string', default: 'demo' }, json: { type: 'boolean', default: false } },
  });
  const found = lineageOf(positionals[0], positionals[1], values.brand);
  process.stdout.write(values.json ? `${JSON.stringify(found, undefined, 2)}\n` : textOf(found));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 2;
}
