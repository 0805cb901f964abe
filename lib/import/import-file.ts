import type { Clock } from '../platform/clock.ts';
import type { Counts } from './counts.ts';
import { gatherer } from './gather.ts';
import { type Gathered, isRefusal, type Refusal } from './line.ts';
import { type Outcome, rowMapper } from './map-row.ts';
import { ImportError, mappingDigest, readMapping } from './mapping.ts';
import { openRows } from './rows.ts';
import type { SentFault } from './send.ts';
import { openSettler } from './settle.ts';
import { cutRefused, dropState, getState, type ImportFiles, type ImportState, importFiles } from './state.ts';

export interface ImportOptions {
  readonly file: string;
  /** The text of the mapping, and where it is from, for messages. */
  readonly mapping: { readonly text: string; readonly from: string };
  /** Where the events go, in words: an import goes on only to where it was begun. */
  readonly to: string;
  /** The folder for state and refusals where the file's own cannot be written. */
  readonly here: string;
  /** Begin anew: what has been sent is sent again, which changes nothing. */
  readonly restart?: boolean;
  /** Read, map and check everything; send and write nothing. */
  readonly dryRun?: boolean;
}

export interface ImportDeps {
  /** Sends events; those that were not taken come back by index. */
  readonly send: (events: readonly string[]) => Promise<SentFault[]>;
  readonly now: Clock;
  /** After each row. */
  readonly progress?: (counts: Counts, bytesRead: number) => void;
  /** Each event, before it is sent. */
  readonly event?: (json: string) => void;
  /** Each refusal that is new in this run. */
  readonly refused?: (refusal: Refusal) => void;
  /** Whether to end here, to go on another time. */
  readonly stopped?: () => boolean;
}

export interface Imported {
  readonly counts: Counts;
  /** Whether the end of the file was reached. */
  readonly complete: boolean;
  readonly files: ImportFiles;
}

/**
 * Brings a file in: its rows, gathered and mapped, go out in batches in the order of the file.
 *
 * @throws ImportError if a person has to mend something; NotNowError if the brand is away: run it again, it goes on
 */
export async function importFile(options: ImportOptions, deps: ImportDeps): Promise<Imported> {
  const { file, dryRun = false } = options;
  const mapping = readMapping(options.mapping.text, options.mapping.from);
  const files = await importFiles(file, options.here);
  const begun = dryRun ? undefined : await begin(options, files);
  const { send, now } = deps;
  const start = { file, mapping: mappingDigest(options.mapping.text), to: options.to };
  const rows = await openRows(file, mapping);
  try {
    const mapRow = rowMapper(mapping, rows.columns);
    const gather = gatherer(mapping.group);
    const settler = openSettler({
      begun,
      refused: deps.refused,
      into: dryRun ? undefined : { send, files, start, now },
    });
    const { counts } = settler;
    const take = async (all: readonly (Gathered | Refusal)[]) => {
      for (const it of all) {
        const outcome: Outcome = isRefusal(it) ? { kind: 'refused', refusal: it } : mapRow(it);
        if (outcome.kind === 'event') deps.event?.(outcome.json);
        await settler.take(outcome);
      }
    };
    for await (const line of rows.lines) {
      await take(gather.take(line));
      deps.progress?.(counts, rows.bytesRead());
      if (deps.stopped?.()) return { counts, complete: false, files };
    }
    await take(gather.end());
    await settler.end();
    deps.progress?.(counts, rows.bytesRead());
    return { counts, complete: true, files };
  } finally {
    rows.close();
  }
}

async function begin(options: ImportOptions, files: ImportFiles): Promise<ImportState | undefined> {
  if (options.restart) await dropState(files.state);
  const state = await getState(files.state);
  const anew = 'finish it as it was begun, or begin anew with --restart (nothing comes twice)';
  if (state && state.mapping !== mappingDigest(options.mapping.text))
    throw new ImportError(`${files.state} was begun with another mapping: ${anew}`);
  if (state && state.to !== options.to)
    throw new ImportError(`${files.state} was begun to ${state.to}: ${anew}`);
  await cutRefused(files.refused, state?.refusedBytes ?? 0);
  return state;
}
