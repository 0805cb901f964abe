// npm run attribution -- paths FILE.csv: what each channel earns of aggregated paths, without a running brand; and
// spend FILE.csv: what channels and campaigns cost, into a running one.
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { orders } from '../lib/attribution/markov.ts';
import { OrderRefused } from '../lib/attribution/markov-chain.ts';
import type { ChannelCredit } from '../lib/attribution/paths.ts';
import {
  PathsFileError,
  type PathsFormat,
  type PathsRead,
  pathsReader,
} from '../lib/attribution/paths-file.ts';
import {
  MEANINGS,
  type PathModel,
  type PathResult,
  type PathSettings,
  pathModels,
  sharePaths,
  wholeOf,
} from '../lib/attribution/paths-models.ts';
import { eachLine } from './file-lines.ts';
import { AwayError, UsageError } from './rules-ask.ts';
import { spend } from './spend.ts';

const HELP = `npm run attribution -- paths FILE.csv [options]

  FILE.csv           aggregated paths, also .gz:  path;total_conversions;total_conversion_value;total_null
                                                  wecom > mini-program > shop;2;199.80;11
  --model NAME       (repeat it for several) [all]: ${pathModels.slice(0, 4).join(', ')},
                     ${pathModels.slice(4).join(', ')}
  --json             the same for machines, to the last digit

  --delimiter C      between cells                                     [found: ; , or tab]
  --separator TEXT   between the channels of a path                    [>]
  --path, --conversions, --value, --nulls NAME                         columns of another name
  --direct NAME      the channel that last_non_direct passes over      [direct]
  --order K          markov: channels that are remembered, 1 to 4      [1]
  --repeats drop     markov: a channel that follows itself is no step  [keep]
  --fewest N         markov: refused below N observations a state      [10]
  --prior N          shapley_rate: strength of the overall rate        [20]
  --by sequence      shapley_rate: the order of channels counts        [set]
  --seed N           shapley_rate: of samples beyond 14 channels       [1]

npm run attribution -- spend FILE.csv [options]

  FILE.csv           day,channel,campaign,cost     2026-11-11,douyin,double-11,1999.50
                     or amount, in minor units, in place of cost; campaign may be empty
  --digits N         of the currency after the point, at most 4        [2]
  --url URL          the brand's API                                   [http://127.0.0.1:4510]
  --key KEY          an API key of role admin, or SIYU_API_KEY         [on this machine: the demo brand's]
`;

const number = z.coerce.number().min(0);
const asked = z.object({
  model: z.array(z.enum(pathModels)).optional(),
  order: z.coerce.number().pipe(z.literal(orders)).optional(),
  repeats: z.enum(['keep', 'drop']).optional(),
  fewest: number.optional(),
  prior: number.optional(),
  by: z.enum(['set', 'sequence']).optional(),
  seed: z.coerce.number().int().optional(),
  delimiter: z.string().length(1).optional(),
  separator: z.string().optional(),
  path: z.string().optional(),
  conversions: z.string().optional(),
  value: z.string().optional(),
  nulls: z.string().optional(),
  direct: z.string().optional(),
  json: z.boolean(),
});
type Asked = z.infer<typeof asked>;

function read(argv: readonly string[]): { file: string; options: Asked } | 'help' {
  const text = { type: 'string' } as const;
  const { values, positionals } = parsed(() =>
    parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        model: { type: 'string', multiple: true },
        ...{ order: text, repeats: text, fewest: text, prior: text, by: text, seed: text },
        ...{ delimiter: text, separator: text, direct: text },
        ...{ path: text, conversions: text, value: text, nulls: text },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }),
  );
  if (values.help) return 'help';
  const [verb, file, ...more] = positionals;
  if (verb !== 'paths' || file === undefined || more.length > 0)
    throw new UsageError(`say: paths FILE.csv\n\n${HELP}`);
  const options = asked.safeParse(values);
  if (options.success) return { file, options: options.data };
  const [{ path = [], message } = {}] = options.error.issues;
  throw new UsageError(`--${String(path[0])}: ${message}\n\n${HELP}`);
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
  }
}

const formatOf = ({ delimiter, separator, path, conversions, value, nulls }: Asked): PathsFormat => ({
  ...(delimiter !== undefined && { delimiter }),
  ...(separator !== undefined && { separator }),
  columns: {
    ...(path !== undefined && { path }),
    ...(conversions !== undefined && { conversions }),
    ...(value !== undefined && { value }),
    ...(nulls !== undefined && { nulls }),
  },
});

const settingsOf = ({ order, repeats, fewest, prior, by, seed, direct }: Asked): PathSettings => ({
  markov: {
    ...(order !== undefined && { order }),
    ...(repeats !== undefined && { repeats }),
    ...(fewest !== undefined && { leastPerState: fewest }),
  },
  rate: {
    ...(prior !== undefined && { prior }),
    ...(by !== undefined && { by }),
    ...(seed !== undefined && { sampling: { seed } }),
  },
  ...(direct !== undefined && { direct }),
});

/** Reads the file line by line: what stays in memory is each distinct path once. */
async function readPaths(file: string, format: PathsFormat): Promise<PathsRead> {
  const reader = pathsReader(format);
  try {
    await eachLine(file, (line) => reader.take(line));
    return reader.end();
  } catch (error) {
    // What is wrong with the file, or with reading it: anything else is a fault of ours and stays one.
    if (error instanceof PathsFileError || (error instanceof Error && 'code' in error))
      throw new PathsFileError(`${file}: ${error.message}`);
    throw error;
  }
}

/** A result, or why there is none: one model's refusal does not keep the others from theirs. */
type Outcome = PathResult | { readonly model: PathModel; readonly refused: string };

function outcomeOf(
  model: PathModel,
  { paths }: PathsRead,
  settings: PathSettings,
  isAsked: boolean,
): Outcome {
  try {
    return sharePaths(paths, model, settings);
  } catch (error) {
    if (isAsked || !(error instanceof OrderRefused)) throw error;
    return { model, refused: error.message };
  }
}

const isResult = (it: Outcome): it is PathResult => 'channels' in it;

/** The command, as it was asked for. @returns what it prints */
export async function attributePaths(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<string> {
  const [verb, ...rest] = argv;
  if (verb === 'spend') return rest.includes('--help') ? HELP : spend(rest, env);
  const call = read(argv);
  if (call === 'help') return HELP;
  const { file, options } = call;
  const found = await readPaths(file, formatOf(options));
  const settings = settingsOf(options);
  const outcomes = (options.model ?? pathModels).map((model) =>
    outcomeOf(model, found, settings, options.model !== undefined),
  );
  if (options.json) {
    const { rows, paths } = found;
    const head = { rows, distinctPaths: paths.starts.length - 1, totals: wholeOf(paths) };
    return `${JSON.stringify({ ...head, settings, results: outcomes }, null, 2)}\n`;
  }
  return textOf(found, outcomes);
}

function textOf({ paths, rows, has }: PathsRead, outcomes: readonly Outcome[]): string {
  const { conversions, value, nulls } = wholeOf(paths);
  const results = outcomes.filter(isResult);
  const lines = [
    `${rows} rows, ${paths.starts.length - 1} distinct paths, ${paths.channels.length} channels: ${conversions} conversions` +
      `${has.value ? ` worth ${exact(value)}` : ''}, ${nulls} paths without`,
    '',
    ...(results.length === 1 ? alone(results[0]!, has.value) : sideBySide(results, 'conversions')),
    ...(results.length > 1 && has.value ? ['', ...sideBySide(results, 'value')] : []),
  ];
  const notes = outcomes.flatMap((it) => {
    if (!isResult(it)) return [`${it.model}: none: ${it.refused}`];
    const facts = Object.entries(it.facts).map(([name, fact]) => `${name} ${exact(fact)}`);
    const told = facts.length > 0 ? [`${it.model}: ${facts.join(', ')}`] : [];
    return [...told, ...it.flags.map((flag) => `${it.model}: ${MEANINGS[flag]}`)];
  });
  return [...lines, ...(notes.length > 0 ? ['', ...notes] : []), ''].join('\n');
}

/** Rows and numbers of the model that stand beside its credits. */
const effect = z.object({ effect: z.object({ conversions: z.number(), value: z.number() }) });
const uncertain = z.object({ standardError: z.object({ conversions: z.number() }) });

function alone({ channels, model }: PathResult, hasValue: boolean): string[] {
  const total = channels.reduce((sum, it) => sum + it.conversions, 0);
  const percent = (it: ChannelCredit) => `${(total > 0 ? (100 * it.conversions) / total : 0).toFixed(2)} %`;
  const more = (it: ChannelCredit): string[] => {
    if (model === 'markov') return [effect.safeParse(it).data?.effect.conversions.toFixed(6) ?? ''];
    if (model === 'shapley_rate')
      return [uncertain.safeParse(it).data?.standardError.conversions.toFixed(3) ?? ''];
    return [];
  };
  const besides =
    model === 'markov' ? ['removal effect'] : model === 'shapley_rate' ? ['standard error'] : [];
  return table([
    [model, 'conversions', 'share', ...(hasValue ? ['value'] : []), ...besides],
    ...byCredit(channels).map((it) => [
      it.channel,
      it.conversions.toFixed(3),
      percent(it),
      ...(hasValue ? [it.value.toFixed(3)] : []),
      ...more(it),
    ]),
  ]);
}

function sideBySide(results: readonly PathResult[], of: 'conversions' | 'value'): string[] {
  const columns = results.map(({ channels }) => new Map(channels.map((it) => [it.channel, it[of]])));
  return table([
    [of, ...results.map(({ model }) => model)],
    ...byCredit(results[0]?.channels ?? []).map(({ channel }) => [
      channel,
      ...columns.map((credits) => (credits.get(channel) ?? 0).toFixed(2)),
    ]),
  ]);
}

const byCredit = (channels: readonly ChannelCredit[]): ChannelCredit[] =>
  [...channels].sort((a, b) => b.conversions - a.conversions || (a.channel < b.channel ? -1 : 1));

/** At most six digits after the point, and none that are noise. */
const exact = (value: number): string => String(Number(value.toFixed(6)));

/** Names to the left, numbers to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}

if (import.meta.main)
  process.exitCode = await attributePaths(process.argv.slice(2), process.env).then(
    (text) => {
      process.stdout.write(text);
      return 0;
    },
    (error) => {
      const isTold = [UsageError, AwayError, PathsFileError, OrderRefused].some((it) => error instanceof it);
      if (!isTold) throw error;
      process.stderr.write(`${error.message}\n`);
      return 1;
    },
  );
