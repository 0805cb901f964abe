import { createHash } from 'node:crypto';
import { type Clock, toIso } from '../platform/clock.ts';
import { fits } from './batch.ts';
import { type Counts, count, noCounts } from './counts.ts';
import type { Refusal } from './line.ts';
import type { Outcome } from './map-row.ts';
import { ImportError } from './mapping.ts';
import type { SentFault } from './send.ts';
import { appendRefused, type ImportState, putState, refusalLine } from './state.ts';

export interface Settling {
  /** Events are sent and refusals are written by it; without it (a dry run) they are only counted. */
  readonly into?: {
    readonly send: (events: readonly string[]) => Promise<SentFault[]>;
    readonly files: { readonly state: string; readonly refused: string };
    readonly start: Pick<ImportState, 'file' | 'mapping' | 'to'>;
    readonly now: Clock;
  };
  readonly begun?: ImportState;
  /** Each refusal that is new in this run. */
  readonly refused?: (refusal: Refusal) => void;
}

export interface Settler {
  /** What is settled, and the rows that were skipped. */
  readonly counts: Counts;
  /** Takes what the file and the mapping gave next; sends what is full. */
  take(outcome: Outcome): Promise<void>;
  /** Sends the rest. @throws ImportError if the file ended before the place that was reached once */
  end(): Promise<void>;
}

/** Refusals wait for the batch in which they stand; so many of them make one without an event. */
const MOST_SETTLED = 5000;

type Settled = Exclude<Outcome, { kind: 'skipped' }>;

/**
 * Settles outcomes batch by batch: events are sent, then the batch's refusals are written, then the state. A crash in
 * between repeats the batch: its events have their ids, and refusals that no state speaks of are cut off.
 *
 * What lies before the position of `begun` is counted and not sent again.
 */
export function openSettler({ into, begun, refused }: Settling): Settler {
  const counts = noCounts();
  counts.quarantined = begun?.quarantined ?? 0;
  const prefix = createHash('sha256');
  let position = 0;
  let refusedBytes = begun?.refusedBytes ?? 0;
  let batch: Settled[] = [];
  let [events, bytes] = [0, 0];

  const changed = () =>
    new ImportError(
      `${begun?.file ?? 'the file'} is not what it was when the import was begun: begin anew with --restart (events that were sent keep their ids where their rows are the same)`,
    );

  function advance(outcome: Settled): void {
    prefix.update(outcome.kind === 'event' ? outcome.json : refusalLine(outcome.refusal)).update('\n');
    position += 1;
  }

  async function settle(): Promise<void> {
    if (batch.length === 0) return;
    const sent = batch.filter((it) => it.kind === 'event');
    const faults = into && sent.length > 0 ? await into.send(sent.map((it) => it.json)) : [];
    const refusals = batch.flatMap((it) => (it.kind === 'refused' ? [it.refusal] : []));
    for (const { index, reason, message } of faults) {
      const of = sent[index]?.of;
      if (of) refusals.push({ ...of, reason, message: `in quarantine: ${message}` });
    }
    counts.quarantined += faults.length;
    for (const it of batch) {
      count(counts, it);
      advance(it);
    }
    for (const it of refusals) refused?.(it);
    [batch, events, bytes] = [[], 0, 0];
    if (!into) return;
    const text = refusals.map(refusalLine).join('');
    await appendRefused(into.files.refused, text);
    refusedBytes += Buffer.byteLength(text);
    await putState(into.files.state, {
      version: 1,
      ...into.start,
      position,
      prefix: prefix.copy().digest('hex'),
      quarantined: counts.quarantined,
      refusedBytes,
      updatedAt: toIso(into.now()),
    });
  }

  return {
    counts,
    async take(outcome) {
      if (outcome.kind === 'skipped') return count(counts, outcome);
      if (begun && position < begun.position) {
        count(counts, outcome);
        if (outcome.kind === 'event') counts.before += 1;
        advance(outcome);
        if (position === begun.position && prefix.copy().digest('hex') !== begun.prefix) throw changed();
        return;
      }
      const size = outcome.kind === 'event' ? Buffer.byteLength(outcome.json) : 0;
      if (size > 0 && !fits(events, bytes, size)) await settle();
      batch.push(outcome);
      if (size > 0) [events, bytes] = [events + 1, bytes + size + 1];
      if (batch.length >= MOST_SETTLED) await settle();
    },
    async end() {
      if (begun && position < begun.position) throw changed();
      await settle();
    },
  };
}
