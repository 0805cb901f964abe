import type { Outcome } from './map-row.ts';

/** What became of the rows read: every one is in exactly one of `inEvents`, `refusedRows`, `skippedRows`. */
export interface Counts {
  rows: number;
  events: number;
  inEvents: number;
  refused: number;
  refusedRows: number;
  /** Reason → refusals. */
  reasons: Record<string, number>;
  skippedRows: number;
  /** Why → rows. */
  skipped: Record<string, number>;
  /** Of the events, those that a run before this one had sent. */
  before: number;
  /** Of the events, those that the brand could not take: it keeps them in quarantine. */
  quarantined: number;
}

export const noCounts = (): Counts => ({
  rows: 0,
  events: 0,
  inEvents: 0,
  refused: 0,
  refusedRows: 0,
  reasons: {},
  skippedRows: 0,
  skipped: {},
  before: 0,
  quarantined: 0,
});

export function count(into: Counts, outcome: Outcome): void {
  const rows = rowsIn(outcome);
  into.rows += rows;
  if (outcome.kind === 'event') {
    into.events += 1;
    into.inEvents += rows;
  } else if (outcome.kind === 'refused') {
    const { reason } = outcome.refusal;
    into.refused += 1;
    into.refusedRows += rows;
    into.reasons[reason] = (into.reasons[reason] ?? 0) + 1;
  } else {
    into.skippedRows += rows;
    into.skipped[outcome.why] = (into.skipped[outcome.why] ?? 0) + rows;
  }
}

const rowsIn = (outcome: Outcome): number =>
  outcome.kind === 'event'
    ? outcome.of.rows
    : outcome.kind === 'refused'
      ? outcome.refusal.rows
      : outcome.rows;
