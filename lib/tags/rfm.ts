import { Reading, type View } from './reading.ts';
import { rfmScore } from './rfm-cuts.ts';
import type { RfmLeaf, RuleBook } from './rulebook.ts';

/** Scores of recency, frequency and money, 1 to 5; 5 is best. */
export interface Rfm {
  readonly r: number;
  readonly f: number;
  readonly m: number;
}

/** A profile's scores at an instant; undefined when it has no purchase in the window. */
export function rfmOf(book: RuleBook, view: View, at: number): Rfm | undefined {
  const reading = new Reading(book, view, at, new Map());
  const of = (score: RfmLeaf['score']) => rfmScore(book.rfm, score, (leaf) => reading.value(leaf));
  const [r, f, m] = [of('r'), of('f'), of('m')];
  return r === undefined || f === undefined || m === undefined ? undefined : { r, f, m };
}
