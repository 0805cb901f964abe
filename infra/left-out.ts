import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Plugin } from 'esbuild';
import { functions, methods } from '../lib/tags/language.ts';

/** A file of a package, of which a bundle gets less than there is. */
interface LeftOut {
  /** esbuild's own regular expression, on the file's full path. */
  readonly file: RegExp;
  /** What the bundle gets. The source must hold what is taken away, or the build fails: the package has changed. */
  readonly keep: (source: string, path: string) => string;
  /** The functions that go without; absent: all. */
  readonly by?: ReadonlySet<string>;
}

/** They answer queues and the clock: what zod refuses there goes to no one, and a log says no more than that it did. */
const speechless: ReadonlySet<string> = new Set(['erasure', 'profile', 'tags']);

/**
 * What packages bring and no function of ours can reach, file by file with the reason. A bundler keeps it because it
 * hangs on a class or a registry that is in use. A function that is called nevertheless says by throwing what is gone.
 */
const leftOut: readonly LeftOut[] = [
  {
    // Each client imports all of its package.json to say one word of it: its version, in the user agent.
    file: /[\\/]@aws-sdk[\\/]client-[a-z-]+[\\/]package\.json$/,
    keep: (source, path) => JSON.stringify({ version: field(source, 'version', path) }),
  },
  {
    // Errors are kept in a registry, so that none is ever unused: 60 classes of operations that we never call. One
    // that is not in it comes as the service's base exception with the same name, message and status, which is all
    // that retries and logs look at. And a computed key counts as an effect, which keeps the shapes of all operations;
    // the same key written out does not.
    file: /[\\/]@aws-sdk[\\/]client-[a-z-]+[\\/]dist-es[\\/]schemas[\\/]schemas_0\.js$/,
    keep(source, path) {
      const registered = /^n0_registry\.registerError\(\w+\$, (\w+)\);$/gm;
      const named = new Map(
        [...source.matchAll(/^const (_\w+) = ("[^"\\]*");$/gm)].map(([, k = '', v = '']) => [k, v]),
      );
      const fewer = replaced(source, path, registered, (line, name) => (errorsByClass.has(name) ? line : ''));
      return replaced(fewer, path, /\[(_\w+)\]:/g, (key, name) => `${named.get(name) ?? key.slice(0, -1)}:`);
    },
  },
  {
    // The same errors as classes, each written out: they differ in two words.
    file: /[\\/]@aws-sdk[\\/]client-sqs[\\/]dist-es[\\/]models[\\/]errors\.js$/,
    keep(source, path) {
      const each =
        /^export class (\w+) extends __BaseException \{\n {4}static shapeId = ("[^"]*");\n {4}name = "\1";\n {4}\$fault = ("\w+");\n[\s\S]*?\n\}$/gm;
      const fewer = replaced(
        source,
        path,
        each,
        (_all, name, shape, fault) =>
          `export const ${name} = /* @__PURE__ */ like("${name}", ${shape}, ${fault});`,
      );
      if (fewer.includes('export class')) throw changed(path);
      return `${fewer}
function like(name, shapeId, $fault) {
  return class extends __BaseException {
    static shapeId = shapeId;
    name = name;
    $fault = $fault;
    constructor(opts) {
      super({ name, $fault, ...opts });
      Object.setPrototypeOf(this, new.target.prototype);
    }
  };
}`;
    },
  },
  {
    // What the runtime knows of a call, for several calls at once, which none of our functions takes; the header that
    // stops functions which call each other for ever needs one word of it, and the environment has that too.
    file: /[\\/]@aws[\\/]lambda-invoke-store[\\/]dist-es[\\/]invoke-store\.js$/,
    keep(source, path) {
      if (!source.includes('getInstanceAsync') || !source.includes('globalThis.awslambda'))
        throw changed(path);
      return 'export const InvokeStore = { getInstanceAsync: async () => globalThis.awslambda?.InvokeStore };';
    },
  },
  {
    // The rules by which a client finds its endpoint: `plain-endpoint.ts` says why and what is known instead.
    file: /[\\/]@aws-sdk[\\/]client-[a-z-]+[\\/]dist-es[\\/]endpoint[\\/]endpointResolver\.js$/,
    keep(source, path) {
      const client = /client-([a-z-]+)/.exec(path)?.[1] ?? '';
      const service = services.get(client);
      if (service === undefined || !source.includes('defaultEndpointResolver')) throw changed(path);
      return `import { plainEndpoint } from ${JSON.stringify(join(import.meta.dirname, 'plain-endpoint.ts'))};
export const defaultEndpointResolver = plainEndpoint(${JSON.stringify(service)});`;
    },
  },
  {
    // Dates as HTTP writes them. What we are sent has times as numbers of seconds.
    file: /[\\/]@smithy[\\/]core[\\/]dist-es[\\/]submodules[\\/]serde[\\/]date-utils\.js$/,
    keep(source, path) {
      const epoch = /^export const parseEpochTimestamp = [\s\S]*?\n\};$/m.exec(source)?.[0];
      const imports = /^import .*strictParseDouble.*$/m.exec(source)?.[0];
      if (epoch === undefined || imports === undefined) throw changed(path);
      return [imports, onlyNames(source.replace(epoch, ''), path), epoch].join('\n');
    },
  },
  {
    // Values that hold themselves. JSON and rows cannot.
    file: /[\\/]zod[\\/]v4[\\/]core[\\/]memoizer\.js$/,
    keep(source, path) {
      const names = [...source.matchAll(/^export (?:function|class) ([\w$]+)/gm)].map(([, name]) => name);
      if (names.join() !== '$ZodCyclicError,isRecursiveSchema,memoizer,isBackEdge') throw changed(path);
      return `export class $ZodCyclicError extends Error {}
export const isRecursiveSchema = () => false;
export const memoizer = () => undefined;
export const isBackEdge = () => false;`;
    },
  },
  {
    // Functions of optional values, which rules do not have (`enableOptionalTypes` is off).
    file: /[\\/]cel-js[\\/]lib[\\/]optional\.js$/,
    keep: (source, path) =>
      replaced(source, path, /^ {2}functionOverload\('optional\.hasValue[\s\S]*?\n\}$/m, () => '}'),
  },
  {
    // Functions that no rule may call (lib/tags/language.ts): their names stay, for the words of a refusal.
    file: /[\\/]cel-js[\\/]lib[\\/]functions\.js$/,
    keep: (source, path) =>
      replaced(
        source,
        path,
        /^ {2}functionOverload\((?:\n {4})?((['`])(?:[^'`(]*[.}])?(\w+)\(.*?\2), (?:.*\)|[\s\S]*?\n {2}\}?\))$/gm,
        (line, signature = '', _quote, name = '') =>
          isCallable(name) && !signature.includes('bytes')
            ? line
            : `functionOverload(${signature}, identity);`,
      ),
  },
  {
    // All regions of the world, for the rules that are left out above.
    file: /[\\/]@aws-sdk[\\/]core[\\/]dist-es[\\/]submodules[\\/]client[\\/]util-endpoints[\\/]lib[\\/]aws[\\/]partitions\.js$/,
    keep(source, path) {
      if (!/^export const partitionsInfo = /m.test(source)) throw changed(path);
      return 'export const partitionsInfo = { partitions: [] };';
    },
  },
  {
    // Retries that measure how much they are throttled: asked for by a setting that nobody of ours makes.
    file: /[\\/]@smithy[\\/]core[\\/]dist-es[\\/]submodules[\\/]retry[\\/]util-retry[\\/](?:AdaptiveRetryStrategy|DefaultRateLimiter)\.js$/,
    keep: onlyNames,
  },
  {
    // Hashes in JavaScript, for a Node that was built without OpenSSL.
    file: /[\\/]@smithy[\\/]core[\\/]dist-es[\\/]submodules[\\/]checksum[\\/](?:md5[\\/]Md5Js|sha256[\\/]Sha256Js)\.js$/,
    keep: onlyNames,
  },
  {
    // Headers of event streams, which are signed one by one. Every signer makes one of these and ours never ask it.
    file: /[\\/]@smithy[\\/]signature-v4[\\/]dist-es[\\/]HeaderFormatter\.js$/,
    keep: onlyNames,
  },
  {
    // ~/.aws/config and its parser: in Lambda there is none, and on a laptop it must not change what a brand does.
    file: /[\\/]@smithy[\\/]core[\\/]dist-es[\\/]submodules[\\/]config[\\/]shared-ini-file-loader[\\/]loadSharedConfigFiles\.js$/,
    keep: (source, path) =>
      replaced(
        source,
        path,
        /^export const loadSharedConfigFiles = [\s\S]*?\n\};$/m,
        () => 'export const loadSharedConfigFiles = async () => ({ configFile: {}, credentialsFile: {} });',
      ),
  },
  {
    // Where a machine on EC2 asks for its region; Lambda and the local run say it in the environment.
    file: /[\\/]@smithy[\\/]core[\\/]dist-es[\\/]submodules[\\/]config[\\/]config-resolver[\\/]regionConfig[\\/]getInstanceMetadataRegion\.js$/,
    keep: (source, path) =>
      replaced(
        source,
        path,
        /^export const getInstanceMetadataRegion = [\s\S]*?\n\};$/m,
        () => 'export const getInstanceMetadataRegion = async () => undefined;',
      ),
  },
  {
    // Buckets as host names, asked for by endpoints of S3 alone.
    file: /[\\/]@smithy[\\/]core[\\/]dist-es[\\/]submodules[\\/]endpoints[\\/]middleware-endpoint[\\/]service-customizations[\\/]s3\.js$/,
    keep: onlyNames,
  },
  {
    // The words of zod's refusals.
    file: /[\\/]zod[\\/]v4[\\/]locales[\\/]en\.js$/,
    by: speechless,
    keep(source, path) {
      if (!source.includes('localeError')) throw changed(path);
      return "export default () => ({ localeError: () => 'Invalid input' });";
    },
  },
  {
    // zod's JSON Schema hangs on every schema. The API's document is made when the brand is staged, not at run time.
    file: /[\\/]zod[\\/]v4[\\/]core[\\/](?:json-schema-processors|to-json-schema)\.js$/,
    keep: onlyNames,
  },
  {
    // Three things of zod. Its utilities as an export are kept whole; the same names imported as a namespace are
    // shaken. Formats as methods of strings, superseded by `z.email()`, drag every format into every string: each is
    // kept by its own name. And each schema carries its way to JSON Schema, which leads nowhere here.
    file: /[\\/]zod[\\/]v4[\\/]classic[\\/]schemas\.js$/,
    keep(source, path) {
      const changes: readonly [RegExp, (match: string, group: string) => string][] = [
        [
          /^import \{ util \} from "\.\.\/core\/index\.js";$/m,
          () =>
            `import * as util from "../core/util.js";\n${thrower('noFormat', 'z.string() with a format as method')}`,
        ],
        [/\bcore\.util\./g, () => 'util.'],
        [/^ +inst\._zod\.processJSONSchema = .*;$/gm, () => ''],
        [
          /^ {4}(\w+)\(params\) \{\n {8}return this\.check\(core\._\w+\(Zod\w+, params\)\);\n {4}\},$/gm,
          (_method, name) => `    ${name}: noFormat,`,
        ],
      ];
      return changes.reduce((text, [what, by]) => replaced(text, path, what, by), source);
    },
  },
];

/**
 * Errors whose class says more than the answer does: that it is asked for by class, that it may be tried again, and of
 * those that SQS gives to a batch of messages the name, for which the answer has an older one.
 */
const errorsByClass = new Set([
  'ConditionalCheckFailedException',
  'ReplicatedWriteConflictException',
  'BatchEntryIdsNotDistinct',
  'BatchRequestTooLong',
  'EmptyBatchRequest',
  'InvalidBatchEntryId',
  'KmsAccessDenied',
  'KmsDisabled',
  'KmsInvalidKeyUsage',
  'KmsInvalidState',
  'KmsNotFound',
  'KmsOptInRequired',
  'KmsThrottled',
  'QueueDoesNotExist',
  'TooManyEntriesInBatchRequest',
  'UnsupportedOperation',
]);

/** What a rule may call, and `dyn`, with which the compiled form speaks. */
const isCallable = (name: string) => name === 'dyn' || functions.has(name) || methods.has(name);

/** Clients → what their services are called in a host name. */
const services = new Map([
  ['dynamodb', 'dynamodb'],
  ['secrets-manager', 'secretsmanager'],
  ['sqs', 'sqs'],
]);

/** Leaves out of every bundle what `leftOut` lists. */
export const deadWeight: Plugin = {
  name: 'dead-weight',
  setup({ onLoad, initialOptions: { entryPoints } }) {
    const [entry] = Array.isArray(entryPoints) ? entryPoints : [];
    const name = typeof entry === 'string' ? basename(entry, '.ts') : '';
    for (const { file, keep, by } of leftOut) {
      if (by && !by.has(name)) continue;
      onLoad({ filter: file }, async ({ path }) => ({
        contents: keep(await readFile(path, 'utf8'), path),
        loader: path.endsWith('.json') ? 'json' : 'js',
      }));
    }
  },
};

/** The names that a file exports, each of which throws when it is called. */
function onlyNames(source: string, path: string): string {
  const names = [...source.matchAll(/^export (?:async )?(const|let|function\*?|class) (\w+)/gm)];
  if (names.length === 0) throw changed(path);
  const lines = names.map(([, kind, name = '']) =>
    kind === 'class' ? `export class ${name} {}` : `export { gone as ${name} };`,
  );
  return [thrower('gone', path.replaceAll('\\', '/').replace(/^.*\/node_modules\//, '')), ...lines].join(
    '\n',
  );
}

/** A function of this name that says what is missing. */
const thrower = (name: string, what: string) =>
  `const ${name} = () => { throw new Error(${JSON.stringify(`${what} is left out of bundles (infra/left-out.ts)`)}); };`;

function replaced(
  source: string,
  path: string,
  what: RegExp,
  by: (match: string, ...groups: string[]) => string,
): string {
  const result = source.replace(what, by);
  if (result === source) throw changed(path);
  return result;
}

function field(source: string, name: string, path: string): string {
  const parsed: unknown = JSON.parse(source);
  const value: unknown = typeof parsed === 'object' && parsed !== null && Reflect.get(parsed, name);
  if (typeof value !== 'string') throw changed(path);
  return value;
}

const changed = (path: string) =>
  new Error(`${path} no longer holds what infra/left-out.ts leaves out of it: look at it again`);
