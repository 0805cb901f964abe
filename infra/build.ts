// functions/*.ts → dist/<name>/index.mjs, and for a brand dist/<brand>/<name>/ with the brand beside the code.
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { type Options, transform } from '@swc/core';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import type { Channel } from '../lib/channels/channel.ts';
import type { Brand } from '../lib/platform/brand.ts';
import { deadWeight } from './left-out.ts';
import { type Digests, madeBefore, noteOf, openDigests } from './made-before.ts';

const root = resolve(import.meta.dirname, '..');

export interface BuiltFunction {
  readonly name: string;
  /** Where its index.mjs lies. */
  readonly dir: string;
  readonly bytes: number;
}

export interface BuildPlaces {
  /** Where the entries are: one file a function. */
  readonly from?: string;
  /** Where the bundles go. */
  readonly to?: string;
}

/**
 * Bundles every function. One that was made of the same before is not made again; and what is the same already is not
 * written again, so that whoever watches or hashes the files sees a change only when there is one.
 *
 * @throws esbuild's own error with file, line and reason when an entry cannot be bundled
 */
export async function buildFunctions(places: BuildPlaces = {}): Promise<BuiltFunction[]> {
  const { from = join(root, 'functions'), to = join(root, 'dist') } = places;
  const entries = (await readdir(from)).filter((file) => file.endsWith('.ts')).sort();
  const digests = openDigests();
  return Promise.all(entries.map((file) => bundle(join(from, file), to, digests)));
}

async function bundle(entry: string, to: string, digests: Digests): Promise<BuiltFunction> {
  const name = basename(entry, '.ts');
  const dir = join(to, name);
  const notes = join(to, 'made', `${name}.json`);
  const before = await madeBefore(join(dir, 'index.mjs'), notes, digests);
  if (before) return { name, dir, bytes: before.length };
  const { outputFiles, metafile } = await build({
    ...bundleOptions,
    metafile: true,
    entryPoints: [entry],
    outfile: join(dir, 'index.mjs'),
  });
  const [map = '', code = ''] = [/\.map$/, /\.mjs$/].map(
    (end) => outputFiles.find(({ path }) => end.test(path))?.text,
  );
  const smaller = await transform(code, { ...smallest, inputSourceMap: map });
  const contents = Buffer.from(smaller.code);
  await put(join(dir, 'index.mjs'), contents);
  // Maps lie aside: loading one at run time costs 22–60 ms of a cold start. Stacks are decoded offline.
  await put(join(to, 'maps', `${name}.map`), Buffer.from(smaller.map ?? map));
  const inputs = Object.keys(metafile.inputs).filter((path) => !path.startsWith('builtin:'));
  await put(notes, Buffer.from(await noteOf(contents, inputs, digests)));
  return { name, dir, bytes: contents.length };
}

/**
 * In Node 24 an ESM import of a built-in evaluates all its lazy getters (and so loads undici, about 45 ms);
 * asking the process for it does not.
 */
const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup({ onResolve, onLoad }) {
    const names = builtinModules.map((name) => name.replace(/^node:/, '').replaceAll('/', '\\/'));
    const builtin = new RegExp(`^(?:node:)?(?:${names.join('|')})$`);
    onResolve({ filter: builtin }, ({ path }) => ({
      path: path.replace(/^(node:)?/, 'node:'),
      namespace: 'builtin',
    }));
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

/**
 * Importing a file of ours does nothing, so one of which nothing is used can be left out with all that it imports.
 * A bundler cannot know that by itself.
 */
const ownFilesArePure: Plugin = {
  name: 'own-files-are-pure',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.?\/.*\.ts$/, namespace: 'file' }, ({ path, resolveDir }) => {
      const file = resolve(resolveDir, path);
      // What is missing is left to esbuild, which says where it was asked for.
      return existsSync(file) ? { path: file, sideEffects: false } : undefined;
    });
  },
};

/** A schema at the top of a file, whatever its length. */
const SCHEMA = /^((?:export )?const \w+ = )(z[\s.][\s\S]*?);\n(?=\S|\n)/gm;

/**
 * zod's `z` is a namespace in an export, which no bundler shakes: 450 KB, more than half of it error messages in
 * forty languages. The same names imported as a namespace are shaken to what is used. And making a schema is a call, which
 * might do anything: those of a file that nobody uses are left out only if the bundler is told that it does nothing.
 */
const shakenZod: Plugin = {
  name: 'shaken-zod',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8'))
        .replace(
          /^import \{([^}]*)\bz\b,?([^}]*)\} from 'zod';$/m,
          "import * as z from 'zod'; import {$1$2} from 'zod';",
        )
        .replace(SCHEMA, '$1/* @__PURE__ */ (() => $2)();\n'),
      loader: 'ts',
    }));
  },
};

export const bundleOptions = {
  bundle: true,
  write: false,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  minify: true,
  // The default order prefers CommonJS, which cannot be shaken: every bundle would be bigger.
  mainFields: ['module', 'main'],
  legalComments: 'none',
  sourcemap: 'external',
  alias: {
    '@aws-sdk/credential-provider-node': join(import.meta.dirname, 'env-credentials.ts'),
    '@aws-sdk/middleware-endpoint-discovery': join(import.meta.dirname, 'no-endpoint-discovery.ts'),
  },
  // Loaded by the SDK when an answer is a stream of events, which none of ours is: 15 KB in every function.
  external: ['@smithy/core/event-streams'],
  plugins: [lazyBuiltins, ownFilesArePure, shakenZod, deadWeight],
  absWorkingDir: root,
  logLevel: 'silent',
} satisfies BuildOptions;

/** esbuild joins the files and leaves out what is unused; a compressor of the whole then takes another 14 KB off each function. */
const smallest = {
  configFile: false,
  swcrc: false,
  isModule: true,
  minify: true,
  sourceMaps: true,
  jsc: {
    target: 'es2024',
    minify: { compress: { toplevel: true }, mangle: { toplevel: true }, module: true },
  },
} satisfies Options;

/**
 * The functions of one brand: the bundles with the brand's configuration beside each. It travels with the code
 * because the environment of a Lambda function ends at 4 KB. What stands under `local` (secrets in clear) is left out.
 * Beside `query` lies also what it answers to /openapi.json, and what it knows of the channels' own paths.
 *
 * @returns the folder that holds one folder a function
 */
export async function stageBrand(
  brand: Brand,
  built: readonly BuiltFunction[],
  to = join(root, 'dist', brand.name),
): Promise<string> {
  const { local: _, ...deployed } = brand;
  const configuration = Buffer.from(`${JSON.stringify(deployed)}\n`);
  for (const { name, dir } of built) {
    await put(join(to, name, 'brand.json'), configuration);
    await put(join(to, name, 'index.mjs'), await readFile(join(dir, 'index.mjs')));
    if (name === 'query') {
      await put(join(to, name, 'openapi.json'), await apiDocument(brand));
      await put(join(to, name, 'paths.json'), await pathsOfChannels());
    }
  }
  return to;
}

/** Made here and not at run time, because the part of zod that describes schemas is left out of bundles. */
async function apiDocument(brand: Brand): Promise<Buffer> {
  const [
    { openApi },
    { documentRoute, routes },
    { explainRoutes },
    { valueRoutes },
    { identityRoutes },
    { consentRoutes },
    { previewRoutes },
    { privacyRoutes },
    { lineageRoutes },
    { requestRoutes },
    { archiveRoutes },
    { accessRoutes },
  ] = await Promise.all([
    import('../lib/query/openapi.ts'),
    import('../lib/query/routes.ts'),
    import('../lib/query/explain.ts'),
    import('../lib/query/value.ts'),
    import('../lib/identity/routes.ts'),
    import('../lib/consent/routes.ts'),
    import('../lib/identity/preview-routes.ts'),
    import('../lib/privacy/routes.ts'),
    import('../lib/privacy/lineage-routes.ts'),
    import('../lib/privacy/request-routes.ts'),
    import('../lib/privacy/archive-routes.ts'),
    import('../lib/privacy/access-routes.ts'),
  ]);
  const all = [
    ...routes,
    ...explainRoutes,
    ...valueRoutes,
    ...identityRoutes,
    ...consentRoutes,
    ...previewRoutes,
    ...privacyRoutes,
    ...lineageRoutes,
    ...requestRoutes,
    ...archiveRoutes,
    ...accessRoutes,
    documentRoute(() => undefined),
  ];
  return Buffer.from(`${JSON.stringify(openApi(all, brand))}\n`);
}

/** Channel → its own paths. Made here, because a function that knew the channels themselves would carry all of them. */
async function pathsOfChannels(): Promise<Buffer> {
  const { channels } = await import('../lib/channels/registry.ts');
  const own = Object.values<Channel>(channels).map(
    ({ name, routes }) => [name, Object.keys(routes)] as const,
  );
  return Buffer.from(`${JSON.stringify(Object.fromEntries(own.filter(([, paths]) => paths.length > 0)))}\n`);
}

/** Puts a file as a whole or not at all: two runs may stage the same brand at once. */
async function put(path: string, contents: Uint8Array): Promise<void> {
  const old = await readFile(path).catch(() => undefined);
  if (old && Buffer.compare(old, contents) === 0) return;
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(draft, contents);
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

if (import.meta.main) {
  const built = await buildFunctions();
  if (built.length === 0) console.log('functions/ holds no function yet: nothing was built');
  for (const { name, bytes } of built)
    console.log(`${name.padEnd(12)} ${(bytes / 1024).toFixed(0).padStart(5)} KB`);
}
