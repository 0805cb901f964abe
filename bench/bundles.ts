// The size of each function's bundle, and what loading it costs a cold start.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildFunctions } from '../infra/build.ts';
import { atMost, type Figure } from './figure.ts';
import { median } from './numbers.ts';

const STARTS = 20;
const KB = 1024;

export const bundles: Figure = {
  name: 'bundles',
  kind: 'time',
  async measure() {
    const folder = await mkdtemp(join(tmpdir(), 'siyu-bench-'));
    try {
      const built = await buildFunctions({ to: folder });
      // Turn by turn, so that a busy minute of the machine falls on all alike.
      const loads = new Map<string, number[]>(
        ['', ...built.map(({ name }) => name)].map((name) => [name, []]),
      );
      for (let start = 0; start < STARTS; start++) {
        loads.get('')?.push(cpuOf(''));
        for (const { name, dir } of built) loads.get(name)?.push(cpuOf(join(dir, 'index.mjs')));
      }
      const bare = median(loads.get('') ?? []);
      const kb = (bytes: number) => `${bytes.toFixed(0)} KB`;
      const ms = (it: number) => `${it.toFixed(0)} ms`;
      return {
        rows: built.flatMap(({ name, bytes }) => [
          atMost(`${name}: bundle`, bytes / KB, 400, kb),
          atMost(`${name}: module-load CPU over bare Node`, median(loads.get(name) ?? []) - bare, 90, ms),
        ]),
        details: [
          `user + system CPU of a whole process that imports the bundle and ends, less that of one that imports nothing (${bare.toFixed(0)} ms); ${STARTS} starts of each in turn, median`,
        ],
      };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** Milliseconds of CPU of a process that imports a file. */
function cpuOf(file: string): number {
  const load = file === '' ? '' : `await import(${JSON.stringify(pathToFileURL(file).href)});`;
  const script = `${load} const { user, system } = process.cpuUsage(); process.stdout.write(String((user + system) / 1000)); process.exit(0);`;
  const { stdout, status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', NODE_COMPILE_CACHE: '' },
  });
  if (status !== 0) throw new Error(`${file} could not be loaded: ${stderr}`);
  return Number(stdout);
}
