import { createHash } from 'node:crypto';
import { z } from 'zod';
import { compress, decompress } from './compressed.ts';
import { keys } from './keys.ts';
import type { Table } from './table.ts';

/**
 * What keys are derived of: the seeds in a tree in which each seed gives its two children (Goldreich, Goldwasser, Micali
 * 1986), by the steps that lead to them, 0 to the left and 1 to the right. No seed lies below another; where there is none, it was shredded.
 */
const seeds = z.record(z.string(), z.string());
export type Seeds = z.infer<typeof seeds>;

/** Seeds that are stored together, and how often they were. */
export interface SeedPage {
  readonly v: number;
  readonly seeds: Seeds;
}

/** The page that holds the first steps; below each of them, where something was shredded there, stands a page of its own. */
export const FIRST = '';

/** Bytes of a seed: 128 bits of security. */
export const SEED = 16;

/** A name's leaf lies so deep: of ten million names none shares its leaf with one of a million that were shredded, but in one brand of seven thousand. */
const DEPTH = 56;
/** How many steps the first page holds: a few tens of kilobytes at most. */
const HEAD = 12;

const storedPage = z.object({ v: z.int(), b: z.instanceof(Uint8Array) });

export async function getSeeds(path: string, table: Pick<Table, 'get'>): Promise<SeedPage | undefined> {
  const row = await table.get(keys.seeds(path));
  if (!row) return undefined;
  const { v, b } = storedPage.parse(row);
  return { v, seeds: seeds.parse(decompress(b)) };
}

/** @throws ConflictError if another page than the one with this version is stored */
export const putSeeds = (path: string, { v, seeds }: SeedPage, table: Pick<Table, 'put'>): Promise<void> =>
  table.put({ ...keys.seeds(path), v: v + 1, b: compress(seeds) }, { kind: 'version', version: v });

/** The way to a name's leaf: through the first page, and below it. */
export function pathOf(name: string): readonly [string, string] {
  const digest = createHash('sha256').update(name).digest();
  const steps = [...digest.subarray(0, DEPTH / 8)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return [steps.slice(0, HEAD), steps.slice(HEAD)];
}

export const seedText = (seed: Uint8Array): string => Buffer.from(seed).toString('base64url');

/** The seed that lies some steps below another. */
export function below(seed: string, steps: string): string {
  let at: Uint8Array = Buffer.from(seed, 'base64url');
  for (const step of steps) {
    const both = createHash('sha256').update(at).digest();
    at = step === '0' ? both.subarray(0, SEED) : both.subarray(SEED);
  }
  return seedText(at);
}

/** How many steps of a path lead to the seed that it lies below; undefined if there is none any more. */
export function reach(seeds: Seeds, path: string): number | undefined {
  for (let steps = 0; steps <= path.length; steps++) if (seeds[path.slice(0, steps)]) return steps;
  return undefined;
}

/** The seed at the end of a path; undefined if it was shredded, or something below it. */
export function seedAt(seeds: Seeds, path: string): string | undefined {
  const steps = reach(seeds, path);
  return steps === undefined ? undefined : below(seeds[path.slice(0, steps)] ?? '', path.slice(steps));
}
