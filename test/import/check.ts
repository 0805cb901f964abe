// npm run import:check [-- [completejourney | online-retail] [--rate N]]: the whole reference logs through a real run, to the cent.
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { main } from '../../infra/import.ts';
import { startRun } from '../../infra/local/brand-run.ts';
import { rowsOf } from './recount.ts';
import {
  comparePeople,
  completejourney,
  hasReference,
  type Log,
  NO_REFERENCE,
  onlineRetail,
  SECRET,
  tellTotals,
} from './reference.ts';

const say = (line: string) => void process.stdout.write(`${line}\n`);
const seconds = (from: number) => `${((performance.now() - from) / 1000).toFixed(1)} s`;

/** Imports one log and compares. @returns what is not as counted */
async function check(log: Log, more: readonly string[]): Promise<string[]> {
  const counted = log.recount(rowsOf(log.file));
  const run = await startRun({
    brand: log.brand,
    clockAt: log.clockAt,
    log: (name, line, failed) => failed && say(`${name}: ${line}`),
  });
  const folder = await mkdtemp(join(tmpdir(), 'siyu-import-'));
  try {
    const file = join(folder, basename(log.file));
    await symlink(log.file, file);
    const argv = [file, '--map', log.mapping, '--url', run.url, '--secret', SECRET, ...more];
    let from = performance.now();
    const code = await main(argv, {});
    say(`${log.name}: sent in ${seconds(from)}, exit code ${code}`);
    const { deadLetters } = await run.idle(60 * 60_000);
    say(`${log.name}: all in profiles and credits after ${seconds(from)}`);
    from = performance.now();
    const { wrong, ...told } = await tellTotals(run, log);
    for (const [queue, dead] of Object.entries(deadLetters))
      if (dead > 0) wrong.push(`${dead} messages were given up: ${queue}`);
    const expected = {
      events: counted.events,
      persons: counted.people.size,
      purchases: counted.purchases,
      paid: counted.paid,
      attributed: counted.attributed,
    };
    for (const [name, value] of Object.entries(expected)) {
      const got = Object.entries(told).find(([key]) => key === name)?.[1];
      say(
        `  ${name.padEnd(11)} ${String(got).padStart(12)}   counted otherwise ${String(value).padStart(12)}`,
      );
      if (got !== value) wrong.push(`${name}: ${got}, counted otherwise ${value}`);
    }
    if (code !== (counted.refusedRows > 0 ? 2 : 0)) wrong.push(`the import ended with ${code}`);
    say(`${log.name}: reports read in ${seconds(from)}`);
    from = performance.now();
    wrong.push(...(await comparePeople(run, counted.people.values())));
    say(
      `  refunds ${counted.refunds} of ${counted.refunded}; each person's journal compared; ${seconds(from)}`,
    );
    return wrong.map((it) => `${log.name}: ${it}`);
  } finally {
    await run.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const known = [completejourney, onlineRetail];
const asked = process.argv.slice(2);
const named = known.filter(({ name }) => asked.includes(name));
const logs = named.length > 0 ? named : known;
const more = asked.filter((it) => !known.some(({ name }) => name === it));
if (!hasReference) say(`nothing checked: ${NO_REFERENCE}`);
else {
  const wrong: string[] = [];
  for (const log of logs) wrong.push(...(await check(log, more)));
  say(wrong.length === 0 ? 'everything as counted, to the cent' : wrong.slice(0, 50).join('\n'));
  process.exitCode = wrong.length === 0 ? 0 : 1;
}
