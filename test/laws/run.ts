// The law tests from the command line: `npm run test:laws -- [--deep] [--seed N] [--plan TEXT] [file …]`.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** At least 100,000 schedules, and ten times the histories of a build. */
    deep: { type: 'boolean', default: false },
    /** One case alone, as a failure names it. */
    seed: { type: 'string' },
    /** One schedule of faults alone, as a failure names it. */
    plan: { type: 'string' },
  },
});

const root = fileURLToPath(new URL('../../', import.meta.url));
const env: NodeJS.ProcessEnv = { ...process.env };
if (values.deep) env.LAWS_DEEP = '1';
if (values.seed !== undefined) env.LAWS_SEED = values.seed;
if (values.plan !== undefined) env.LAWS_PLAN = values.plan;

const files = positionals.length > 0 ? positionals.map((file) => `test/laws/${file}`) : ['test/laws/'];
const { status } = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', '--config', '.vitest.config.ts', ...files],
  { cwd: root, env, stdio: 'inherit' },
);
process.exitCode = status ?? 1;
