// Scope: what the CDK's command line runs, as it runs it: a process with the context in its environment.
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { loadBrand } from '../../infra/brands/load.ts';
import { functionNames } from './a-stack.ts';

const root = resolve(import.meta.dirname, '../..');

function cdk(context: Record<string, string>) {
  const outdir = mkdtempSync(join(tmpdir(), 'siyu-app-'));
  const env = {
    ...process.env,
    CDK_OUTDIR: outdir,
    CDK_CONTEXT_JSON: JSON.stringify(context),
    CDK_VALIDATION: 'false', // another test asks CloudFormation's schemas
  };
  return new Promise<{ code: number; stderr: string; outdir: string }>((done) => {
    execFile(process.execPath, ['infra/app.ts'], { cwd: root, env }, (error, _, stderr) =>
      done({ code: typeof error?.code === 'number' ? error.code : 0, stderr, outdir }),
    );
  });
}

const templates = (outdir: string) => readdirSync(outdir).filter((file) => file.endsWith('.template.json'));

test('a brand of infra/brands becomes one stack with its name, each function with its brand', async () => {
  const { code, outdir } = await cdk({ brand: 'demo-edu' });
  expect(code).toBe(0);
  expect(templates(outdir)).toEqual(['siyu-demo-edu.template.json']);
  const assets = readdirSync(outdir).filter((name) => name.startsWith('asset.'));
  expect(assets).toHaveLength(functionNames.length);
  for (const asset of assets)
    expect(JSON.parse(readFileSync(join(outdir, asset, 'brand.json'), 'utf8')).name).toBe('demo-edu');
});

test('a brand of a file is deployed like any other, to try things with if asked', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'siyu-brand-')), 'trial.json');
  writeFileSync(file, JSON.stringify({ ...loadBrand('demo'), name: 'trial' }));
  const { code, outdir } = await cdk({ brandFile: file, keepData: 'false' });
  expect(code).toBe(0);
  const template = readFileSync(join(outdir, 'siyu-trial.template.json'), 'utf8');
  expect(template.includes('"DeletionPolicy": "Retain"')).toBe(false);
});

test('without a brand nothing is chosen for you', async () => {
  const { code, stderr, outdir } = await cdk({});
  expect(code).toBe(1);
  expect(stderr).toBe('say which brand: -c brand=demo | demo-edu, or -c brandFile=FILE.json\n');
  expect(templates(outdir)).toEqual([]);
});
