// Scope: what esbuild makes of a function, and what lies beside it. Whether the functions work is tested with them.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadBrand } from '../../infra/brands/load.ts';
import { type BuiltFunction, buildFunctions, stageBrand } from '../../infra/build.ts';

const run = promisify(execFile);
let to: string;
let built: BuiltFunction[];
let bundle: string;

beforeAll(async () => {
  to = await mkdtemp(join(tmpdir(), 'siyu-build-'));
  built = await buildFunctions({ from: join(import.meta.dirname, 'fixtures'), to });
  bundle = await readFile(join(to, 'probe', 'index.mjs'), 'utf8');
});
afterAll(() => rm(to, { recursive: true, force: true }));

test('every file of the folder becomes one bundle, and its size is told', () => {
  expect(built.map(({ name }) => name)).toEqual(['probe', 'rules']);
  expect(built[0]).toEqual({ name: 'probe', dir: join(to, 'probe'), bytes: Buffer.byteLength(bundle) });
});

test('a staged function runs with nothing but Node, and finds its brand beside it', async () => {
  const dir = await stageBrand(loadBrand('demo-edu'), built, join(to, 'demo-edu'));
  const { stdout } = await run(
    process.execPath,
    [
      '-e',
      'import(process.argv[1]).then((m) => m.handler()).then((reply) => console.log(JSON.stringify(reply)))',
      join(dir, 'probe', 'index.mjs'),
    ],
    { env: { AWS_REGION: 'eu-west-1' }, cwd: tmpdir() },
  );
  expect(JSON.parse(stdout)).toEqual({
    brand: 'demo-edu',
    digest: '9935ed35',
    reason: 'Invalid input: expected string, received undefined',
    opens: 3,
  });
});

test('no secret of the local run travels with the code', async () => {
  const brand = loadBrand('demo');
  const dir = await stageBrand(brand, built, join(to, 'demo'));
  const staged = await readFile(join(dir, 'probe', 'brand.json'), 'utf8');
  expect(JSON.parse(staged)).toEqual({ ...brand, local: undefined });
  expect(['whsec_', 'encodingAesKey', 'development_'].filter((word) => staged.includes(word))).toEqual([]);
});

describe('a bundle is made again', () => {
  const from = join(import.meta.dirname, 'fixtures');
  const read = async () => readFile(join(to, 'again', 'probe', 'index.mjs'), 'utf8');
  const note = () => join(to, 'again', 'made', 'probe.json');
  const again = () => buildFunctions({ from, to: join(to, 'again') });
  /** Changes what is noted of the bundle. */
  const noted = async (
    change: (of: { how: string; of: Record<string, string>; made: string }) => unknown,
  ) => {
    const known = JSON.parse(await readFile(note(), 'utf8'));
    change(known);
    await writeFile(note(), JSON.stringify(known));
  };
  const digestOf = (text: string) => createHash('sha256').update(text).digest('base64url');
  const OLD = 'export const handler = "made before";';
  /** As if it had been made before, of what it would be made of now. */
  const makeOld = async () => {
    await again();
    await writeFile(join(to, 'again', 'probe', 'index.mjs'), OLD);
    await noted((it) => Object.assign(it, { made: digestOf(OLD) }));
  };

  test('not where it was made of the same, by the same tools', async () => {
    await makeOld();
    const [probe] = await again();
    expect(await read()).toBe(OLD);
    expect(probe).toEqual({ name: 'probe', dir: join(to, 'again', 'probe'), bytes: OLD.length });
  });

  test.each<[string, Parameters<typeof noted>[0]]>([
    [
      'where a file that it is made of is another',
      (it) => Object.assign(it.of, { 'lib/platform/brand-file.ts': '' }),
    ],
    ['where a file is no more', (it) => Object.assign(it.of, { 'lib/platform/gone.ts': digestOf('') })],
    ['where the tools are others', (it) => Object.assign(it, { how: '' })],
    ['where it is not what was made', (it) => Object.assign(it, { made: digestOf('something else') })],
  ])('%s', async (_, change) => {
    await makeOld();
    await noted((it) => expect(Object.keys(it.of)).toContain('lib/platform/brand-file.ts'));
    await noted(change);
    await again();
    expect(await read()).toBe(bundle);
  });

  test('where the note was cut off', async () => {
    await makeOld();
    await writeFile(note(), '{"how":');
    await again();
    expect(await read()).toBe(bundle);
  });
});

/** Which of these the bundle holds; a list, so that a failure does not print the bundle. */
const held = (...words: string[]) => words.filter((word) => bundle.includes(word));

test('built-ins are asked of the process: an import would load them all at start', () => {
  expect(bundle.match(/\bimport\b[^;(]{0,100}?["']node:\w+["']|\brequire\(/g)).toBeNull();
  expect(held('process.getBuiltinModule("node:https")')).toHaveLength(1);
});

test('credentials come from the environment alone: no profiles, no SSO, no containers', () => {
  expect(held('no AWS credentials in the environment')).toHaveLength(1);
  expect(held('sso_session', 'AWS_CONTAINER_CREDENTIALS', 'credential_process')).toEqual([]);
});

test('what our services never do is not carried: streams of events, endpoints that must be discovered', () => {
  expect(held('import("@smithy/core/event-streams")')).toHaveLength(1); // asked for by name, if it ever were
  expect(held('EndpointCache', 'endpoint_discovery')).toEqual([]);
});

test('zod brings one language, and no way to JSON Schema', () => {
  expect(held('Invalid input: expected ', 'Ungültige Eingabe')).toEqual(['Invalid input: expected ']);
  expect(held('additionalProperties', 'draft-2020-12')).toEqual([]);
});

describe('the functions that there are', () => {
  let functions: BuiltFunction[];
  let staged: string;
  beforeAll(async () => {
    functions = await buildFunctions({ to: join(to, 'functions') });
    staged = await stageBrand(loadBrand('demo'), functions, join(to, 'staged'));
  });

  test('each fits in 400 KB', () => {
    expect(functions.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['capture', 'profile', 'query']),
    );
    expect(functions.filter(({ bytes }) => bytes > 400 * 1024)).toEqual([]);
  });

  test('a schema that a function does not use is not carried', async () => {
    const carries = async (name: string) =>
      (await readFile(join(to, 'functions', name, 'index.mjs'), 'utf8')).includes('tally');
    expect([await carries('profile'), await carries('erasure')]).toEqual([true, false]);
  });

  test('each can be loaded, with nothing but Node, and hands out its handler', async () => {
    const script =
      'for (const file of process.argv.slice(1)) console.log(typeof (await import(file)).handler)';
    const files = functions.map(({ name }) => join(staged, name, 'index.mjs'));
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script, ...files], {
      env: {},
      cwd: tmpdir(),
    });
    expect(stdout.trim().split('\n')).toEqual(functions.map(() => 'function'));
  });

  test('query finds the document of the API beside it, in the name of the brand', async () => {
    const document: unknown = JSON.parse(await readFile(join(staged, 'query', 'openapi.json'), 'utf8'));
    expect(document).toMatchObject({
      openapi: '3.1.0',
      info: { title: `Siyu: ${loadBrand('demo').title.en}` },
      paths: {
        '/openapi.json': { get: {} },
        '/healthz': { get: {} },
        '/rules/{tag}': { put: {} },
        '/profiles/{kind}/{value}': { get: { responses: { 200: {} } } },
      },
    });
    const paths: unknown = JSON.parse(await readFile(join(staged, 'query', 'paths.json'), 'utf8'));
    expect(paths).toMatchObject({ segment: expect.arrayContaining(['/v1/{call}']) });
    expect(paths).not.toHaveProperty('generic');
    expect(await readdir(join(staged, 'capture'))).not.toContain('openapi.json');
  });
});

test('source maps lie aside, where no function loads them', async () => {
  expect(await readdir(join(to, 'probe'))).toEqual(['index.mjs']);
  expect(held('sourceMappingURL')).toEqual([]);
  expect(await readdir(join(to, 'maps'))).toEqual(['probe.map', 'rules.map']);
});

test('building again writes nothing that is the same already', async () => {
  const path = join(to, 'probe', 'index.mjs');
  const before = await stat(path);
  await buildFunctions({ from: join(import.meta.dirname, 'fixtures'), to });
  expect((await stat(path)).ino).toBe(before.ino);
});
