// Scope: what may know what, read from the source. A fence that nobody tests is a wish.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

interface Source {
  /** From the root of the repository. */
  readonly path: string;
  /** Without comments: a comment may speak of anything. */
  readonly code: string;
  readonly lines: number;
  /** What it imports: packages as they are named, files from the root of the repository. */
  readonly imports: readonly string[];
}

function sources(...folders: string[]): Source[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => read(join(folder, file))),
  );
}

function read(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8');
  const imports = [
    ...text.matchAll(/(?:^import|^export (?:type )?[{*]|\bimport\()[^;'"`]*?['"]([^'"]+)['"]/gm),
  ].map(([, name = '']) =>
    name.startsWith('.') ? relative(root, resolve(root, dirname(path), name)) : name,
  );
  return { path, code: withoutComments(text), lines: text.split('\n').length - 1, imports };
}

const withoutComments = (text: string) =>
  text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|[^:'"`])\/\/.*$/gm, '$1');

/** The files that do what the fence forbids. */
const offenders = (files: readonly Source[], forbidden: (file: Source) => unknown) =>
  files.filter(forbidden).map(({ path }) => path);

const lib = sources('lib');
const functions = sources('functions');
const pure = lib.filter(({ path }) => !/^lib\/platform\/|(^|[/-])(store|cli)\.ts$/.test(path));

test('there is something to fence', () => {
  expect(lib.length).toBeGreaterThan(10);
  expect(read('lib/platform/dynamo.ts').imports).toEqual(
    expect.arrayContaining(['@aws-sdk/client-dynamodb', 'lib/platform/keys.ts']),
  );
});

describe('who may import what', () => {
  test('the brand’s table is opened with the keys that its rows are sealed under, never without', () => {
    const bare = ({ code }: Source) =>
      /openTable\((?!KEYS_TABLE)/.test(code) || (/TABLE_NAME/.test(code) && !/openBrandTable\(/.test(code));
    const openers = [...functions, ...lib.filter(({ path }) => !path.startsWith('lib/platform/'))];
    expect(offenders(openers, bare)).toEqual([]);
    expect(
      functions.filter(({ code }) => /openBrandTable\(|openAnswers\(/.test(code)).length,
    ).toBeGreaterThan(10);
    expect(read('lib/query/open.ts').code).toContain('openBrandTable(');
  });

  test('only lib/platform knows the AWS SDK', () => {
    const others = [...lib, ...functions].filter(({ path }) => !path.startsWith('lib/platform/'));
    expect(
      offenders(others, ({ imports }) => imports.some((name) => /^@(aws-sdk|smithy)\//.test(name))),
    ).toEqual([]);
  });

  test('lib imports neither functions nor infra', () => {
    expect(
      offenders(lib, ({ imports }) => imports.some((name) => /^(functions|infra)\//.test(name))),
    ).toEqual([]);
  });

  test('nothing that is deployed imports what is not: tests, benches, development packages', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const development = new Set(Object.keys(devDependencies));
    expect(
      offenders([...lib, ...functions].filter(deployed), ({ imports }) =>
        imports.some(
          (name) => /^(test|bench)\//.test(name) || (development.has(name) && !name.startsWith('@types/')),
        ),
      ),
    ).toEqual([]);
  });

  /** A command line of lib runs on a laptop, with the tools of one. */
  function deployed({ path }: Source): boolean {
    return !path.startsWith('lib/import/');
  }
});

describe('what comes from outside comes in as an argument', () => {
  test('only functions read the environment', () => {
    expect(offenders(lib, ({ code }) => /process\s*\.\s*env|from 'node:process'/.test(code))).toEqual([]);
  });

  test('in all of lib only lib/platform/clock.ts reads the clock', () => {
    const others = lib.filter(
      ({ path }) => path !== 'lib/platform/clock.ts' && !/(^|[/-])cli\.ts$/.test(path),
    );
    expect(
      offenders(others, ({ code }) =>
        /Date\.now|new Date\(\s*\)|performance\.now|hrtime|systemClock/.test(code),
      ),
    ).toEqual([]);
  });

  test('nothing throws dice', () => {
    expect(
      offenders(lib, ({ code }) => /Math\.random|randomUUID|randomInt|getRandomValues/.test(code)),
    ).toEqual([]);
  });

  test('a file of functions/ opens nothing when it is imported', () => {
    // At the left margin stands only what runs on import: constants there may be schemas, functions and handlers.
    expect(
      offenders(functions, ({ code }) =>
        /^(export )?(const|let) [^=]*= (await|open\w*\(|process)/m.test(code),
      ),
    ).toEqual([]);
  });

  test('importing a file of lib reads nothing and waits for nothing', () => {
    expect(
      offenders(pure, ({ code }) =>
        /^(export )?(const|let) [^=\n]*= (await|readFileSync|new \w*Client)/m.test(code),
      ),
    ).toEqual([]);
  });
});

describe('the store', () => {
  test('keys are built on one page only', () => {
    const others = [...lib, ...functions].filter(({ path }) => path !== 'lib/platform/keys.ts');
    // A template string with `#` builds one; a prefix in quotes is how rows are told apart when all are read.
    expect(offenders(others, ({ code }) => /`[A-Z]#|[`}]#\$\{|\bpk:\s*[`'"]/.test(code))).toEqual([]);
  });
});

describe('the size of things', () => {
  test('a function is at most 40 lines', () => {
    expect(functions.filter(({ lines }) => lines > 40).map(({ path, lines }) => `${path}: ${lines}`)).toEqual(
      [],
    );
  });

  test('a file is at most 400 lines', () => {
    const all = [...lib, ...functions, ...sources('infra', 'test', 'bench')];
    expect(all.filter(({ lines }) => lines > 400).map(({ path, lines }) => `${path}: ${lines}`)).toEqual([]);
  });
});

describe('what code looks like here', () => {
  const all = [...lib, ...functions, ...sources('infra')];

  test('no default exports, no any', () => {
    expect(offenders(all, ({ code }) => /^export default|:\s*any\b|\bas any\b|<any>/m.test(code))).toEqual(
      [],
    );
  });

  test('no folder or file for what has no name: utils, helpers, services, types, index', () => {
    expect(
      offenders(all, ({ path }) =>
        /(^|\/)(utils?|helpers?|services?|types|index|common|misc)(\.ts$|\/)/.test(path),
      ),
    ).toEqual([]);
  });

  test('what was parsed is not cast', () => {
    expect(offenders(all, ({ code }) => /JSON\.parse\([^;]*\)\s+as\s/.test(code))).toEqual([]);
  });
});
