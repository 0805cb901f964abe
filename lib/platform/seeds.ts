import { hash } from 'node:crypto';
import { z } from 'zod';
import { compress, decompress } from './compressed.ts';
import { keys } from './keys.ts';
import type { Table } from './table.ts';

/**
 * What keys are derived of: the seeds in a tree in which each seed gives its four children, one hash of 512 bits in four parts
 * (Goldreich, Goldwasser, Micali 1986), by the steps that lead to them. No seed lies below another; where there is none, it was shredded.
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

/** Bytes of a seed: 128 bits of security. It is kept, and derived from, as a text of hexadecimal digits: a buffer for each step took longer than hashing. */
export const SEED = 16;

/** The steps that there are from a seed. */
export const STEPS = ['0', '1', '2', '3'] as const;

/** A name's leaf lies under so many steps, 56 bits: of ten million names none shares its leaf with one of a million that were shredded, but in one brand of seven thousand. */
const DEPTH = 28;
/** How many steps the first page holds: a few tens of kilobytes at most. */
const HEAD = 6;

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
  const digest = hash('sha256', name, 'buffer').subarray(0, DEPTH / 4);
  const steps = Array.from(digest, (byte) => byte.toString(STEPS.length).padStart(4, '0')).join('');
  return [steps.slice(0, HEAD), steps.slice(HEAD)];
}

export const seedText = (seed: Uint8Array): string => Buffer.from(seed).toString('hex');

/** The seed that lies some steps below another: of the SHA-512 of a seed's text the part that the step names. */
export function below(seed: string, steps: string): string {
  const length = 2 * SEED;
  let at = seed;
  for (const step of steps)
    at = hash('sha512', at, 'hex').slice(Number(step) * length, (Number(step) + 1) * length);
  return at;
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
