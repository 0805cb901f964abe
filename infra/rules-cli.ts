// npm run rules: what a brand's rules say of its customers, from the command line.
import { AwayError, UsageError } from './rules-ask.ts';
import { forecast } from './rules-forecast.ts';
import { rfm } from './rules-rfm.ts';

const HELP = `npm run rules -- COMMAND [options]

  rfm                  recency, frequency and money of every customer, with scores 1 to 5 by quintiles
    --as-of DAY        purchases before this count: a day (its midnight in UTC) or an instant    [now]
    --ties apart       equal values are ordered by their customers' ids; together: one score     [apart]
    --csv              every customer; without it, how many have each score

  forecast TAG         what a draft of the tag's rule would change; it changes nothing
    --rule EXPRESSION  the draft, or
    --file FILE        a file with an expression, or with the rule as JSON
    --days N           how many days back, 1 to 30                                               [30]
    --json             all of it for machines

  --url URL            the brand's API                                       [http://127.0.0.1:4510]
  --key KEY            an API key, or SIYU_API_KEY                    [on this machine: the demo brand's]

Ends with 0; with 1 if somebody has to mend something; with 75 if the brand is away.
`;

const EXIT = { done: 0, mend: 1, away: 75 } as const;

const commands: Readonly<Record<string, typeof rfm>> = { rfm, forecast };

/** The command that the command line names. @returns the exit code */
export async function main(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || rest.includes('--help') || name === '--help') {
    process.stdout.write(HELP);
    return name === undefined ? EXIT.mend : EXIT.done;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  try {
    if (!command) throw new UsageError(`there is no command ${name}\n\n${HELP}`);
    return await command(rest, env);
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof AwayError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error instanceof AwayError ? EXIT.away : EXIT.mend;
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2), process.env);
