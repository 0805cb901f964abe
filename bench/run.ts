// npm run bench: every figure that is published, in one table.
import { writeFileSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';
import { parseArgs } from 'node:util';
import { backfill } from './backfill.ts';
import { bundles } from './bundles.ts';
import { cpu } from './cpu.ts';
import { dollars } from './dollars.ts';
import type { Figure, Measured, Row } from './figure.ts';
import { forecast } from './forecast.ts';
import { history } from './history.ts';
import { paths } from './paths.ts';
import { profileUnits } from './profile-units.ts';
import { rules } from './rules.ts';
import { timeFlips } from './time-flips.ts';
import { visible } from './visible.ts';

/** Counts before times. */
const figures: readonly Figure[] = [
  ...[dollars, profileUnits, history, timeFlips, rules],
  ...[forecast, backfill, cpu, paths, visible, bundles],
];

const HELP = `npm run bench -- [options]

  --only NAME    one figure (repeat it for several): ${figures.map(({ name }) => name).join(', ')}
  --json FILE    the same for machines
  --details      how each was measured, and where units, bytes and time go
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      json: { type: 'string' },
      details: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const unknown = values.only?.filter((name) => !figures.some((it) => it.name === name)) ?? [];
  if (unknown.length > 0) throw new Error(`no figure ${unknown.join(', ')}\n\n${HELP}`);
  const chosen = figures.filter(({ name }) => values.only?.includes(name) ?? true);

  const measured: { name: string; kind: Figure['kind']; measured: Measured }[] = [];
  for (const { name, kind, measure } of chosen) {
    process.stderr.write(`measuring ${name} …\n`);
    measured.push({ name, kind, measured: await measure() });
    if (values.json !== undefined)
      writeFileSync(values.json, `${JSON.stringify({ machine: machine(), measured }, null, 2)}\n`);
  }
  process.stdout.write(tableOf(measured.flatMap((it) => it.measured.rows)));
  if (values.details)
    for (const { name, measured: it } of measured)
      process.stdout.write(`\n${name}\n${it.details.map((line) => `  ${line}\n`).join('')}`);
  if (measured.some((it) => it.measured.rows.some(({ ok }) => ok === false))) process.exitCode = 1;
}

const machine = () => ({
  node: process.version,
  platform: `${platform()} ${arch()}`,
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
});

function tableOf(rows: readonly Row[]): string {
  const cells = [
    ['figure', 'value', 'bar', 'ok'],
    ...rows.map(({ figure, value, bar = '', ok }) => [
      figure,
      value,
      bar,
      ok === undefined ? '' : ok ? 'yes' : 'NO',
    ]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

await main().catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
});
