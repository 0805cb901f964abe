import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { flatTypes } from '../lib/channels/generic-types.ts';
import { event, eventContext } from '../lib/events/event.ts';
import { ownTypes, standardTypes } from '../lib/events/standard.ts';
import { kinds } from '../lib/identity/kinds.ts';
import type { Brand } from '../lib/platform/brand.ts';
import { keys } from '../lib/platform/keys.ts';
import type { Known } from '../lib/privacy/data-map.ts';
import { type LineageBrand, type Read, readsOfReport, readsOfTag, reports } from '../lib/privacy/lineage.ts';
import { furtherProperties, readLibrary, rulesNamed, trades } from '../lib/tags/library.ts';
import { compileRules } from '../lib/tags/rulebook.ts';

const root = new URL('../', import.meta.url);
const filesIn = (folder: string, ending: string): string[] =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .sort()
    .map((file) => `${folder}${file}`);
const textOf = (file: string): string => readFileSync(new URL(file, root), 'utf8');

const sample = z.looseObject({ events: z.array(event) });

/** Every event of the samples in `events/`. */
export const sampledEvents = () =>
  filesIn('events/', '.events.json').flatMap((file) => sample.parse(JSON.parse(textOf(file))).events);

/** Names, each with what says so. */
class Names {
  readonly #by = new Map<string, Set<string>>();
  add(name: string, ...said: readonly string[]): void {
    const known = this.#by.get(name) ?? new Set();
    for (const it of said) known.add(it);
    this.#by.set(name, known);
  }
  all(): ReadonlyMap<string, readonly string[]> {
    return new Map([...this.#by].map(([name, said]) => [name, [...said].sort()]));
  }
}

/**
 * The names that a channel's code gives properties and traits, read from its source: the members of the objects that
 * become properties. Samples show most of them; what a sample does not show stands in the code all the same.
 */
export function namesInMapping(code: string): string[] {
  const opened = /\b(?:present\(|one\(\s*'[a-z_]+',\s*|properties(?::|\s*=)\s*(?:present\()?)\{/g;
  return [...code.matchAll(opened)].flatMap(({ 0: { length }, index }) =>
    membersOf(code.slice(index + length)),
  );
}

/** The names of an object's members, up to the bracket that closes it. */
function membersOf(code: string): string[] {
  const names: string[] = [];
  let depth = 0;
  let isName = true;
  for (const [token] of code.matchAll(/'(?:[^'\\]|\\.)*'|`[^`]*`|[\w$]+|\.\.\.|[^\s]/g)) {
    if (/^[{([]$/.test(token)) depth++;
    if (/^[})\]]$/.test(token) && depth-- === 0) return names;
    if (depth > 0) continue;
    if (isName && /^[a-z][a-z0-9_]*$/.test(token)) names.push(token);
    isName = token === ',';
  }
  return names;
}

/** Paths of what stands around an event's properties. */
function envelopePaths(): string[] {
  const around = ['id', 'type', 'occurredAt', 'receivedAt', 'source.channel', 'source.account'];
  const apart = ['source', 'identifiers', 'properties', 'traits', 'traitsOnce', 'context'];
  const other = Object.keys(event.shape).filter((name) => !around.includes(name) && !apart.includes(name));
  return [...around, ...other, ...pathsOf(eventContext, 'context')];
}

function pathsOf(schema: z.ZodType, path: string): string[] {
  const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  if (!(inner instanceof z.ZodObject)) return [path];
  return Object.entries(inner.shape).flatMap(([name, it]) => pathsOf(it, `${path}.${name}`));
}

/** What the ready tags read, beside what a brand's own rules and settings do. */
function libraryReads(brand: Brand) {
  const library = readLibrary();
  const rules = rulesNamed(library, trades).map((rule) => ({ ...rule, version: 1 }));
  return ruleReads({ ...brand, scores: {} }, rules);
}

function ruleReads(
  brand: Brand & LineageBrand,
  rules: readonly (Brand['rules'][number] & { version: number })[],
) {
  const book = compileRules(rules, brand);
  return book.rules.map((rule) => readsOfTag(rule, book, brand));
}

/** All that there is: of the code's schemas and mappings, the samples, the ready tags, and a brand's own rules and settings. */
export function known(brand: Brand): Known {
  const properties = new Names();
  const traits = new Names();
  const identifiers = new Names();
  for (const kind of Object.keys(kinds)) identifiers.add(kind);
  for (const { required } of Object.values({ ...standardTypes, ...ownTypes }))
    for (const name of Object.keys(required)) properties.add(name);
  for (const names of Object.values(furtherProperties)) for (const name of names) properties.add(name);
  for (const code of filesIn('lib/channels/', '.ts').map(textOf)) {
    for (const name of namesInMapping(code)) properties.add(name);
    for (const [, name = ''] of code.matchAll(/\btraits\.(\w+) = /g)) traits.add(name);
  }
  for (const { traits: names = [] } of Object.values(flatTypes)) for (const name of names) traits.add(name);
  for (const { source: from, ...it } of sampledEvents()) {
    for (const name of namesOf(it.properties)) properties.add(name, from.channel);
    for (const name of Object.keys({ ...it.traits, ...it.traitsOnce })) traits.add(name, from.channel);
    for (const { kind } of it.identifiers) identifiers.add(kind, from.channel);
  }
  const rules = brand.rules.map((rule) => ({ ...rule, version: 1 }));
  const read = [...libraryReads(brand), ...ruleReads(brand, rules)];
  const reported: Read[] = reports.flatMap((report) => readsOfReport(report, brand));
  for (const it of [...read.flatMap(({ reads }) => reads), ...reported])
    for (const name of it.properties) properties.add(name);
  for (const name of read.flatMap((it) => it.traits)) traits.add(name);
  return {
    properties: properties.all(),
    traits: traits.all(),
    identifiers: identifiers.all(),
    envelope: envelopePaths(),
    rows: Object.keys(keys),
    queues: queueNames(),
  };
}

/** Of an event’s properties, and of the things in its lists. */
function namesOf(properties: Readonly<Record<string, unknown>>): string[] {
  const inner = Object.values(properties).flatMap((value) => (Array.isArray(value) ? value : []));
  return [
    ...Object.keys(properties),
    ...inner.flatMap((it) => (typeof it === 'object' && it !== null ? Object.keys(it) : [])),
  ];
}

/** Queues as the constructs name them. */
const queueNames = (): string[] =>
  filesIn('infra/', '.ts')
    .flatMap((file) => [...textOf(file).matchAll(/new QueueConsumer\(this, '(\w+)'/g)])
    .map(([, name = '']) => name)
    .sort();

/** Type → channel → properties, as the samples show them: what `lib/privacy/lineage-origins.ts` holds. */
export function sampledOrigins(): Record<string, Record<string, string>> {
  const found = new Map<string, Map<string, Set<string>>>();
  for (const { type, source: from, properties } of sampledEvents()) {
    const channels = found.get(type) ?? new Map<string, Set<string>>();
    const names = channels.get(from.channel) ?? new Set<string>();
    for (const name of Object.keys(properties)) names.add(name);
    found.set(type, channels.set(from.channel, names));
  }
  return Object.fromEntries(
    [...found]
      .sort(byName)
      .map(([type, channels]) => [
        type,
        Object.fromEntries(
          [...channels].sort(byName).map(([channel, names]) => [channel, [...names].sort().join(' ')]),
        ),
      ]),
  );
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) =>
  a < b ? -1 : a > b ? 1 : 0;
