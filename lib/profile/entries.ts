import { type Cut, cutText, parseCut } from './retention.ts';

/**
 * What follows from a cluster's state and has to be written or sent after it. An entry names *what* to write, never
 * the content: that is taken from the state at the time of writing, so that writing late or twice writes the truth.
 */
export const entry = {
  /** A profile's membership of a tag. */
  tag: (profile: string, tag: string) => `T ${profile} ${tag}`,
  /** What a profile did on a brand-day (its number). */
  activity: (profile: string, day: number) => `A ${profile} ${day}`,
  /** A conversion whose credits may have changed; no event before `since` can matter to it. */
  conversion: (key: string, since: string | undefined) => `C ${key} ${since ?? ''}`,
  /** All conversions of the cluster. */
  conversions: () => 'C *',
  /** A pair of strong identifiers that met and was, or is, not joined; by the pair's digest. */
  review: (pair: string) => `R ${pair}`,
  /** A cluster that is being taken in: until it is left, events of it may be missing and rows of it too many. */
  arrival: (cluster: string) => `J ${cluster}`,
  /** Events that have expired, and still stand in sealed segments. */
  expiry: (cut: Cut) => `F ${cutText(cut)}`,
};

/** Ends an entry that the clock made, and not an event. */
const BY_CLOCK = ' ~';

export const byClock = (text: string): string => `${text}${BY_CLOCK}`;

/** The entry as an event would have made it. */
export const unmarked = (text: string): string =>
  text.endsWith(BY_CLOCK) ? text.slice(0, -BY_CLOCK.length) : text;

/** Whether the clock has to see to an entry: nobody else comes again for it. */
export const isOwedByClock = (text: string): boolean => text.endsWith(BY_CLOCK) || text.startsWith('J ');

export type Entry =
  | { readonly kind: 'tag'; readonly profile: string; readonly tag: string }
  | { readonly kind: 'activity'; readonly profile: string; readonly day: number }
  | { readonly kind: 'conversion'; readonly key: string; readonly since: string | undefined }
  | { readonly kind: 'conversions' }
  | { readonly kind: 'arrival'; readonly cluster: string }
  | { readonly kind: 'review'; readonly pair: string }
  | { readonly kind: 'expiry'; readonly cut: Cut };

export function parseEntry(text: string): Entry {
  const [kind, first = '', second = ''] = text.split(' ');
  switch (kind) {
    case 'T':
      return { kind: 'tag', profile: first, tag: second };
    case 'A':
      return { kind: 'activity', profile: first, day: Number(second) };
    case 'C':
      return first === '*'
        ? { kind: 'conversions' }
        : { kind: 'conversion', key: first, since: second || undefined };
    case 'R':
      return { kind: 'review', pair: first };
    case 'J':
      return { kind: 'arrival', cluster: first };
    case 'F':
      return { kind: 'expiry', cut: parseCut(first) };
    default:
      throw new Error(`unknown entry in an outbox: ${kind}`);
  }
}

/** The clusters that are being taken in. */
export const arrivalsIn = (outbox: readonly string[]): string[] =>
  outbox.flatMap((text) => {
    const it = parseEntry(unmarked(text));
    return it.kind === 'arrival' ? [it.cluster] : [];
  });

/** What of the journal has expired and is to be taken out: until it is, whoever reads it reads past it. */
export const cutsIn = (outbox: readonly string[]): Cut[] =>
  outbox.flatMap((text) => {
    const it = parseEntry(unmarked(text));
    return it.kind === 'expiry' ? [it.cut] : [];
  });
