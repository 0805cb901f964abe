// npm run import: a file of rows, by a mapping, through the HTTP API of a brand.
import { readFile, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { z } from 'zod';
import type { Counts } from '../lib/import/counts.ts';
import { type Imported, importFile } from '../lib/import/import-file.ts';
import { type Refusal, rangesText } from '../lib/import/line.ts';
import { ImportError } from '../lib/import/mapping.ts';
import { NotNowError, paced, sender, type Target } from '../lib/import/send.ts';

const HELP = `npm run import -- FILE --map MAP.yaml [options]

  FILE               rows: .csv or .ndjson, also .gz
  --map MAP.yaml     how rows become events (docs/import.md)
  --url URL          the brand's API                                  [http://127.0.0.1:4510]
  --account NAME     the brand's account of the generic channel       [crm]
  --secret whsec_…   its secret, or SIYU_IMPORT_SECRET                [on this machine: that of the demo brand]
  --rate N           at most N events a second                        [1000]
  --dry-run          read, map and check everything, send nothing
  --restart          begin anew where an import was begun before
  --help             this text

Ends with 0: all rows are in; 2: all but the refused ones, which stand in FILE.rejected.ndjson; 1: somebody has to
mend something; 75: the brand is away, and 130: interrupted: run it again, it goes on where it ended.
`;

/** What the run on this machine gives the account crm of the demo brand; it opens nothing else. */
export const DEVELOPMENT_SECRET = 'whsec_ngHw5FknJpbikWe5iy0ftxOxqO0g4qMx3kJPjYIgwis=';

const EXIT = { done: 0, mend: 1, refused: 2, away: 75, interrupted: 130 } as const;

/** Refusals that are shown; all of them are in the file. */
const SHOWN = 10;

/** What the command line says. @throws ImportError with what is wrong */
export function readArguments(argv: readonly string[], env: Readonly<Record<string, string | undefined>>) {
  const { values, positionals } = parsed(argv);
  const [file, ...more] = positionals;
  if (values.help) return { help: true } as const;
  if (file === undefined || more.length > 0) throw new ImportError(`one FILE, please\n\n${HELP}`);
  if (values.map === undefined) throw new ImportError(`--map MAP.yaml is missing: see docs/import.md`);
  if (!URL.canParse(values.url) || !/^https?:/.test(values.url))
    throw new ImportError(`--url ${values.url} is no address`);
  const isHere = ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(values.url).hostname);
  const secret = values.secret ?? env.SIYU_IMPORT_SECRET ?? (isHere ? DEVELOPMENT_SECRET : undefined);
  if (!values['dry-run'] && !secret?.startsWith('whsec_'))
    throw new ImportError(
      `the secret of the account ${values.account} is missing: --secret whsec_… or SIYU_IMPORT_SECRET`,
    );
  const rate = Number(values.rate);
  if (!(rate > 0)) throw new ImportError(`--rate ${values.rate} is no number of events a second`);
  const target: Target = { url: values.url, account: values.account, secret: secret ?? '' };
  return {
    help: false,
    file,
    map: values.map,
    target,
    rate,
    isHere,
    dryRun: values['dry-run'],
    restart: values.restart,
  } as const;
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        map: { type: 'string' },
        url: { type: 'string', default: 'http://127.0.0.1:4510' },
        account: { type: 'string', default: 'crm' },
        secret: { type: 'string' },
        // What one function folds into different persons well within its time, also on a busy laptop.
        rate: { type: 'string', default: '1000' },
        'dry-run': { type: 'boolean', default: false },
        restart: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new ImportError(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
  }
}

const localClock = z.object({ now: z.iso.datetime() });

/** How far the clock of a run on this machine is from ours: it may have been started at another time. */
async function clockOffset(url: string): Promise<number> {
  try {
    const answer = await fetch(new URL('_local/clock', url.endsWith('/') ? url : `${url}/`));
    return answer.ok ? Date.parse(localClock.parse(await answer.json()).now) - Date.now() : 0;
  } catch {
    return 0; // nobody there, or no local run: sending says so
  }
}

/** The import, as the command line asks for it. @returns the exit code */
export async function main(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const asked = readArguments(argv, env);
  if (asked.help) {
    process.stdout.write(HELP);
    return EXIT.done;
  }
  const { file, map, target, rate, dryRun, restart } = asked;
  const [size, text] = await Promise.all([stat(file), readFile(map, 'utf8')]).then(
    ([{ size }, text]) => [size, text] as const,
    (error) => Promise.reject(new ImportError(String(error instanceof Error ? error.message : error))),
  );
  const offset = asked.isHere && !dryRun ? await clockOffset(target.url) : 0;
  const now = () => Date.now() + offset;
  const screen = openScreen(size);
  const wait = (ms: number) => sleep(ms);
  const send = sender(target, { now, sleep: wait, fetch, tell: screen.tell });
  let stopped = false;
  const stop = () => {
    stopped = true;
  };
  process.once('SIGINT', stop);
  let first: string | undefined;
  try {
    const done = await importFile(
      {
        file,
        mapping: { text, from: map },
        to: `${target.url} ${target.account}`,
        here: process.cwd(),
        restart,
        dryRun,
      },
      {
        now,
        send: paced(send, rate, { now, sleep: wait }),
        progress: screen.progress,
        refused: screen.refused,
        event: (json) => {
          first ??= json;
        },
        stopped: () => stopped,
      },
    );
    screen.end();
    if (dryRun && first !== undefined) process.stdout.write(`the first event: ${first}\n`);
    process.stdout.write(summary(done, dryRun));
    if (!done.complete) return EXIT.interrupted;
    return done.counts.refused + done.counts.quarantined > 0 ? EXIT.refused : EXIT.done;
  } finally {
    screen.end();
    process.removeListener('SIGINT', stop);
  }
}

function openScreen(size: number) {
  const bar = new SingleBar({
    format: '{bar} {percentage}% | {events} events | {refused} refused | {rate}/s | {eta_formatted}',
    hideCursor: true,
    clearOnComplete: false,
    fps: 5,
    stopOnComplete: false,
  });
  const from = performance.now();
  let isOpen = true;
  let shown = 0;
  bar.start(size, 0, { events: 0, refused: 0, rate: '-' });
  /** Lines go to stderr, above the bar. */
  const tell = (line: string) =>
    void process.stderr.write(`${process.stderr.isTTY ? '\r\x1b[K' : ''}${line}\n`);
  let told = 0;
  return {
    tell,
    progress(counts: Counts, bytes: number) {
      const now = performance.now();
      if (now - told < 100 && bytes < size) return;
      told = now;
      const rate = Math.round((counts.events - counts.before) / Math.max(0.001, (now - from) / 1000));
      bar.update(Math.min(bytes, size), { events: counts.events, refused: counts.refused, rate });
    },
    refused({ lines, reason, message }: Refusal) {
      shown += 1;
      if (shown <= SHOWN) tell(`line ${rangesText(lines)}: ${reason}: ${message}`);
      else if (shown === SHOWN + 1) tell('… and more');
    },
    end() {
      if (isOpen) bar.stop();
      isOpen = false;
    },
  };
}

function summary({ counts, complete, files }: Imported, dryRun: boolean): string {
  const { rows, events, inEvents, before, refused, refusedRows, skippedRows, quarantined } = counts;
  const lines = [
    `${rows} rows: ${inEvents} in ${events} events${dryRun ? '' : ' that the brand has taken'}, ${refusedRows} refused, ${skippedRows} skipped`,
    ...(before > 0 ? [`${before} of the events were sent before`] : []),
    ...(quarantined > 0 ? [`${quarantined} events are in the brand's quarantine (GET /quarantine)`] : []),
    ...Object.entries(counts.reasons).map(([reason, count]) => `refused, ${reason}: ${count}`),
    ...Object.entries(counts.skipped).map(([why, count]) => `skipped, ${why}: ${count} rows`),
    ...(refused + quarantined > 0 && !dryRun ? [`the refused lines: ${files.refused}`] : []),
    ...(complete ? [] : ['interrupted: the same command goes on where it ended']),
  ];
  return `${lines.join('\n')}\n`;
}

if (import.meta.main)
  process.exitCode = await main(process.argv.slice(2), process.env).catch((error) => {
    if (!(error instanceof ImportError) && !(error instanceof NotNowError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error instanceof NotNowError ? EXIT.away : EXIT.mend;
  });
