// A bundle that was made of the same before is not made again: it takes seconds, and every run of a brand begins with it.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { version as swcVersion } from '@swc/core';
import { version as esbuildVersion } from 'esbuild';
import { z } from 'zod';

const root = resolve(import.meta.dirname, '..');

/** What is noted of a bundle: digests of how it was made, of every file that it was made of, and of itself. */
const note = z.strictObject({ how: z.string(), of: z.record(z.string(), z.string()), made: z.string() });
type Note = z.infer<typeof note>;

const digestOf = (contents: string | Uint8Array): string =>
  createHash('sha256').update(contents).digest('base64url');

/** Digests of files by their path from the root of the project, each read once. */
export type Digests = (path: string) => Promise<string | undefined>;

export function openDigests(): Digests {
  const known = new Map<string, Promise<string | undefined>>();
  return (path) => {
    const digest =
      known.get(path) ??
      readFile(resolve(root, path)).then(
        (contents) => digestOf(contents),
        () => undefined,
      );
    known.set(path, digest);
    return digest;
  };
}

/** How bundles are made: tools, packages, and the files that say what is done with them. */
async function howMade(digests: Digests): Promise<string> {
  const says = ['package-lock.json', 'infra/build.ts', 'infra/left-out.ts', 'infra/made-before.ts'];
  const all = await Promise.all(says.map(digests));
  return digestOf(JSON.stringify([process.version, esbuildVersion, swcVersion, ...all]));
}

/**
 * A bundle, if it was made of what it would be made of now; undefined: make it.
 *
 * @param bundle where it lies @param notes where `noteOf` it does
 */
export async function madeBefore(
  bundle: string,
  notes: string,
  digests: Digests,
): Promise<Uint8Array | undefined> {
  try {
    const { how, of, made } = note.parse(JSON.parse(await readFile(notes, 'utf8')));
    if (how !== (await howMade(digests))) return undefined;
    const same = await Promise.all(
      Object.entries(of).map(async ([path, digest]) => (await digests(path)) === digest),
    );
    const contents = await readFile(bundle);
    return same.every(Boolean) && digestOf(contents) === made ? contents : undefined;
  } catch {
    return undefined; // never made, or by somebody who was stopped
  }
}

/**
 * What is to be noted of a bundle, once it lies where it belongs.
 *
 * @param inputs paths of the files that it was made of, from the root of the project
 */
export async function noteOf(
  contents: Uint8Array,
  inputs: readonly string[],
  digests: Digests,
): Promise<string> {
  const of = await Promise.all(inputs.map(async (path) => [path, (await digests(path)) ?? ''] as const));
  const how = await howMade(digests);
  return JSON.stringify({ how, of: Object.fromEntries(of), made: digestOf(contents) } satisfies Note);
}
