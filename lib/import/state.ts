import { access, appendFile, constants, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { type Refusal, rangesText } from './line.ts';
import { ImportError } from './mapping.ts';

/**
 * How far an import has come. What a file and a mapping give is a sequence of events and refusals that is the same in
 * each run, so a position in it is all there is to remember: the file is read again from its beginning, and what lies
 * before the position is not sent again. `prefix` is the digest of the events before it: a file that has changed there
 * is found out, a file that has only grown goes on.
 */
export const importState = z.strictObject({
  version: z.literal(1),
  file: z.string(),
  mapping: z.string(),
  /** Where it goes: address and account. */
  to: z.string(),
  /** Events and refusals that are settled. */
  position: z.int().nonnegative(),
  prefix: z.string(),
  /** Of the settled events, those that the brand put into quarantine. */
  quarantined: z.int().nonnegative(),
  /** Length of the file of refusals that belongs to the position. */
  refusedBytes: z.int().nonnegative(),
  updatedAt: z.iso.datetime({ precision: 3 }),
});
export type ImportState = z.infer<typeof importState>;

/** The two small files of an import. */
export interface ImportFiles {
  readonly state: string;
  readonly refused: string;
}

/** Where an import's files are: beside what is imported, or in `here` where nothing can be written beside it. */
export async function importFiles(file: string, here: string): Promise<ImportFiles> {
  const beside = dirname(resolve(file));
  const folder = await access(beside, constants.W_OK).then(
    () => beside,
    () => here,
  );
  const name = join(folder, basename(file));
  return { state: `${name}.siyu-import.json`, refused: `${name}.rejected.ndjson` };
}

/** The state of an import that was begun. @throws ImportError if the file is none that an import wrote */
export async function getState(path: string): Promise<ImportState | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return importState.parse(JSON.parse(text));
  } catch {
    throw new ImportError(`${path} is not what an import writes: take it away, or begin anew with --restart`);
  }
}

/** Puts the state whole or not at all: a crash leaves the one before. */
export async function putState(path: string, state: ImportState): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(state, null, 2)}\n`, { flush: true });
  await rename(`${path}.new`, path);
}

export const dropState = (path: string): Promise<void> => rm(path, { force: true });

/** One refusal as a line of NDJSON: where, why, and nothing of what stood there. */
export const refusalLine = ({ lines, reason, message }: Refusal): string =>
  `${JSON.stringify({ lines: rangesText(lines), reason, message })}\n`;

/** Makes the file of refusals end where the state says; nothing is left of a file with no refusals. */
export async function cutRefused(path: string, bytes: number): Promise<void> {
  if (bytes === 0) return rm(path, { force: true });
  await truncate(path, bytes);
}

export const appendRefused = (path: string, text: string): Promise<void> =>
  text === '' ? Promise.resolve() : appendFile(path, text, { flush: true });
