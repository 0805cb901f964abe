// npm run rules: what a brand's rules say of its customers, from the command line.
import { AwayError, UsageError } from './rules-ask.ts';
import { explain } from './rules-explain.ts';
import { forecast } from './rules-forecast.ts';
import { importRule } from './rules-import.ts';
import { library } from './rules-library.ts';
import { check, diff, publish, rollback } from './rules-publish.ts';
import { rfm } from './rules-rfm.ts';

const HELP = `npm run rules -- COMMAND [options]

  rfm                  recency, frequency and money of every customer, with scores 1 to 5 by quintiles
    --as-of DAY        purchases before this count: a day (its midnight in UTC) or an instant    [now]
    --ties apart       equal values are ordered by their customers' ids; together: one score     [apart]
    --csv              every customer; without it, how many have each score

  check FILE           what is wrong with the rules of a file, YAML or JSON, or should be known; ends with 1 if wrong
  diff FILE            what they say otherwise than those in force, and whom that would move
  publish FILE         check, forecast, question, publication, and how far the back-fill is
    --yes              asks nothing
  rollback TAG VERSION puts what a version said in force again
  explain KIND VALUE TAG   why a customer has a tag, or has it not
    --at INSTANT       as of then, by the rule that was in force then                            [now]
    --scope SCOPE      of the identifier, where its kind has several
                       check, diff, explain: --json for machines; diff, publish: --days N as below

  forecast TAG         what a draft of the tag's rule would change; it changes nothing
    --rule EXPRESSION  the draft, or
    --file FILE        a file with an expression, or with the rule as JSON
    --days N           how many days back, 1 to 30                                               [30]
    --json             all of it for machines

  library              the ready tags of the library; nothing is sent anywhere
    --trade TRADE      ecommerce, beauty, education, finance or retail                            [all]
    --show TAG         one of them as the body of a PUT
    --page zh|en       all of them as a page of documentation

  import FILE          a segment of another system as the body of a PUT; nothing is sent anywhere
    --from SYSTEM      posthog (a cohort), dittofeed (a segment) or sensors (a user group's rules)
    --tag TAG          its name here                                        [from the name it has there]
    --currency CNY     in which its amounts are, where it reads money

  --url URL            the brand's API                                       [http://127.0.0.1:4510]
  --reason REASON      why you ask: without it identifiers are masked; it is kept in the audit log
  --key KEY            an API key, or SIYU_API_KEY                    [on this machine: the demo brand's]

Ends with 0; with 1 if somebody has to mend something; with 75 if the brand is away.
`;

const EXIT = { done: 0, mend: 1, away: 75 } as const;

const commands: Readonly<Record<string, typeof rfm>> = {
  ...{ check, diff, publish, rollback, explain },
  rfm,
  forecast,
  library,
  import: importRule,
};

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
