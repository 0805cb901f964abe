// npm run attribution:judge: how near the models come to the truth, where it is known or can be asked for.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { liftOf } from '../lib/attribution/holdout.ts';
import { holdoutReader } from '../lib/attribution/holdout-file.ts';
import { judge } from '../lib/attribution/judge.ts';
import { chooseOrder } from '../lib/attribution/markov-order.ts';
import { NothingToForetell, predict } from '../lib/attribution/prediction.ts';
import { JudgeFileError, journeysReader, type LinesReader } from '../lib/attribution/prediction-file.ts';
import { pathsEnded } from '../lib/attribution/prediction-paths.ts';
import { scenarioNames, scenarios } from '../lib/attribution/simulation.ts';
import { type TouchRole, touchRole } from '../lib/platform/brand-words.ts';
import { eachLine } from './file-lines.ts';
import { liftText, predictionText, scenarioText, summaryText } from './judge-text.ts';

const HELP = `npm run attribution:judge -- [options]

  Without a file: simulated people whose truth is known. Each model's distance from it, beside linear's.
    --scenario NAME    (repeat it for several) [all]: ${scenarioNames.join(', ')}
    --users N          people who are judged; as many others are learned from     [60000]

  --log FILE           journeys, CSV or NDJSON, also .gz: what models foretell of a brand's own log
    --ahead DAYS       whether somebody converts within so many days              [7]
    --lookback DAYS    touches that count                                         [30]
    --split SHARE      of the time that is trained on                             [0.7]
    --role CHANNEL=ROLE  for touches that name none: direct, indirect, latent     [latent]

  --holdout FILE       groups of campaigns, CSV: lift beside credit
    --share SHARE      of people held out, where the file names people, no groups

  --seed N             the same seed, the same digits                             [1]
  --resamples N        draws for the intervals, at least 200                      [200]
  --json FILE          all of it for machines, to the last digit
`;

/** What whoever calls has to mend. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

const days = z.coerce.number().positive().max(365);
const share = z.coerce.number().gt(0).lt(1);
const roleOfChannel = z
  .string()
  .regex(/^.+=(direct|indirect|latent)$/, 'say CHANNEL=direct, indirect or latent')
  .transform((text): [string, TouchRole] => {
    const at = text.lastIndexOf('=');
    return [text.slice(0, at), touchRole.parse(text.slice(at + 1))];
  });
const asked = z.object({
  scenario: z.array(z.enum(scenarioNames)).default([...scenarioNames]),
  users: z.coerce.number().int().min(1_000).max(1_000_000).default(60_000),
  log: z.string().optional(),
  ahead: days.default(7),
  lookback: days.default(30),
  split: share.default(0.7),
  role: z.array(roleOfChannel).default([]),
  holdout: z.string().optional(),
  share: share.optional(),
  seed: z.coerce.number().int().min(0).default(1),
  resamples: z.coerce.number().int().min(200).max(10_000).default(200),
  json: z.string().optional(),
});
type Asked = z.infer<typeof asked>;

function read(argv: readonly string[]): Asked | 'help' {
  const values = parsed(argv);
  if (values.help) return 'help';
  const options = asked.safeParse(values);
  if (options.success) return options.data;
  const [{ path = [], message } = {}] = options.error.issues;
  throw new UsageError(`--${String(path[0])}: ${message}\n\n${HELP}`);
}

function parsed(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const many = { type: 'string', multiple: true } as const;
  try {
    return parseArgs({
      args: [...argv],
      options: {
        ...{ scenario: many, users: text, log: text, ahead: text, lookback: text, split: text, role: many },
        ...{ holdout: text, share: text, seed: text, resamples: text, json: text },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
  }
}

async function readFile<T>(file: string, reader: LinesReader<T>): Promise<T> {
  try {
    await eachLine(file, (line) => reader.take(line));
    return reader.end();
  } catch (error) {
    // What is wrong with the file, or with reading it: anything else is a fault of ours and stays one.
    if (error instanceof JudgeFileError || (error instanceof Error && 'code' in error))
      throw new JudgeFileError(`${file}: ${error.message}`);
    throw error;
  }
}

/** What one judgement says, for people and for machines. */
interface Told {
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}

function judgeSimulated({ scenario, users: people, seed, resamples }: Asked): Told {
  const judged = scenario.map((name) => ({
    scenario: name,
    ...judge(scenarios[name], { people, seed, resamples }),
  }));
  const parts = [...judged.map((it) => scenarioText(it, scenarios[it.scenario])), summaryText(judged)];
  return { text: parts.join(''), json: { people, seed, resamples, scenarios: judged } };
}

async function judgeLog(file: string, options: Asked): Promise<Told> {
  const { ahead: aheadDays, lookback: lookBackDays, split, seed, resamples } = options;
  const journeys = await readFile(file, journeysReader(new Map(options.role)));
  const prediction = predict(journeys, { aheadDays, lookBackDays, split, seed, resamples });
  const ended = (from: number, to: number) => pathsEnded(journeys, { from, to, lookBackDays });
  const markov = chooseOrder(ended(-Infinity, prediction.cut), ended(prediction.cut, prediction.to));
  return {
    text: predictionText(prediction, markov, aheadDays),
    json: { settings: { aheadDays, lookBackDays, split, seed, resamples }, prediction, markov },
  };
}

async function judgeHoldout(file: string, { share }: Asked): Promise<Told> {
  const lifts = (await readFile(file, holdoutReader(share))).map(liftOf);
  return { text: liftText(lifts), json: { lifts } };
}

/** The command, as it was asked for. @returns what it prints */
export async function judgeModels(argv: readonly string[]): Promise<string> {
  const options = read(argv);
  if (options === 'help') return HELP;
  const { log, holdout, json } = options;
  const told = [
    ...(log === undefined ? [] : [await judgeLog(log, options)]),
    ...(holdout === undefined ? [] : [await judgeHoldout(holdout, options)]),
  ];
  if (told.length === 0) told.push(judgeSimulated(options));
  if (json !== undefined) {
    const all = Object.assign({}, ...told.map((it) => it.json));
    writeFileSync(json, `${JSON.stringify(all, null, 2)}\n`);
  }
  return told.map(({ text }) => text).join('');
}

if (import.meta.main)
  process.exitCode = await judgeModels(process.argv.slice(2)).then(
    (text) => {
      process.stdout.write(text);
      return 0;
    },
    (error) => {
      const isTold = [UsageError, JudgeFileError, NothingToForetell].some((it) => error instanceof it);
      if (!isTold) throw error;
      process.stderr.write(`${error.message}\n`);
      return 1;
    },
  );
