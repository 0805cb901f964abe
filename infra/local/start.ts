// npm start: one brand on this machine, with the demo unless told otherwise, until Ctrl-C.
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Run, RunOptions } from './brand-run.ts';

export type { Run, RunOptions };

const HELP = `npm start -- [options]

  --no-demo           start without playing the demo
  --brand NAME        a brand of infra/brands (demo, demo-edu)                   [demo]
  --brand-file FILE   any brand, as JSON, with its local secrets and keys inline
  --data DIR          keep tables, queues and clock in DIR between runs          [in memory]
  --clock ISO         the time at which everything starts, 2026-11-11T00:00:00+08:00
  --port N            the port (or PORT=N)                                       [4510]
  --verbose           show what the functions log
  --help              this text

While it runs: GET /_local/ledger, /_local/idle, /_local/digest, /_local/clock; POST /_local/clock {"advance": "31d"}.
AWS_ENDPOINT_URL_DYNAMODB points the run at another DynamoDB.
`;

const NODE = 24;

/** Starts a run; see `startRun` of brand-run.ts. */
export async function startRun(options: RunOptions = {}): Promise<Run> {
  return (await import('./brand-run.ts')).startRun(options);
}

/** What the command line says. @throws with one sentence that says what is wrong */
export function readArguments(argv: readonly string[], env: Readonly<Record<string, string | undefined>>) {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      'no-demo': { type: 'boolean', default: false },
      brand: { type: 'string' },
      'brand-file': { type: 'string' },
      data: { type: 'string' },
      clock: { type: 'string' },
      port: { type: 'string' },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const port = Number(values.port ?? env.PORT ?? 4510);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`no port: ${values.port ?? env.PORT}`);
  const clockAt = values.clock === undefined ? undefined : Date.parse(values.clock);
  if (clockAt !== undefined && (Number.isNaN(clockAt) || !/(Z|[+-]\d\d:\d\d)$/.test(values.clock ?? '')))
    throw new Error(`--clock ${values.clock} is no instant: say 2026-11-11T00:00:00+08:00, with the offset`);
  if (values.brand !== undefined && values['brand-file'] !== undefined)
    throw new Error('either --brand or --brand-file, not both');
  return {
    demo: !values['no-demo'],
    verbose: values.verbose,
    help: values.help,
    options: {
      brand: values.brand,
      brandFile: values['brand-file'],
      data: values.data,
      clockAt,
      port,
      host: env.HOST,
      dynamodb: env.AWS_ENDPOINT_URL_DYNAMODB,
    },
  };
}

async function main(): Promise<void> {
  const version = process.versions.node;
  if (Number(version.split('.')[0]) < NODE)
    throw new Error(`Node ${version} is too old: \`npm ci\` brings Node ${NODE}, and \`npm start\` runs it`);
  const { demo, verbose, help, options } = readArguments(process.argv.slice(2), process.env);
  if (help) return void process.stdout.write(HELP);
  process.env.TZ = 'UTC'; // as in Lambda: code that asks for local time should be found out here

  const from = performance.now();
  const run = await startRun({
    ...options,
    log: (name, line, failed) => {
      if (failed || verbose || line.includes('"level":"error"')) process.stderr.write(`${name}: ${line}\n`);
    },
  });
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (stopping) process.exit(1); // asked twice
      stopping = true;
      run.stop().then(
        () => process.exit(0),
        (error) => {
          process.stderr.write(`${error}\n`);
          process.exit(1);
        },
      );
    });

  process.stdout.write(
    `${run.brand.name} is ready after ${((performance.now() - from) / 1000).toFixed(1)} s\n`,
  );
  const demoFile = new URL('./demo.ts', import.meta.url);
  if (demo && existsSync(demoFile)) {
    const { playDemo }: { playDemo: (run: Run) => Promise<void> } = await import(demoFile.href);
    try {
      await playDemo(run);
    } catch (error) {
      if (stopping) return; // Ctrl-C in the middle of it
      await run.stop();
      throw error;
    }
  }
  if (!stopping) process.stdout.write(welcome(run));
}

function welcome({ url, keys }: Run): string {
  const curl = (rest: string) => `  curl -s ${rest}\n`;
  return `
URL   ${url}
key   ${keys.admin}   (admin; development only)

${curl(`${url}/healthz`)}${curl(`-H 'authorization: Bearer ${keys.admin}' ${url}/tags`)}${curl(`${url}/_local/ledger`)}
Ctrl-C ends it.
`;
}

if (import.meta.main)
  await main().catch((error) => {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exit(1);
  });
