import { z } from 'zod';
import { beginning, type Head, hashOf } from './entry.ts';

/** A row of a lane as it is stored: its place, its text, and what the text is said to hash to. */
export interface StoredEntry {
  readonly day: string;
  readonly lane: number;
  readonly n: number;
  readonly text: string;
  readonly hash: string;
}

/** What the log held when somebody looked: the head of every lane that had any entry on the days from `from` to `to`. */
export const anchor = z.strictObject({
  n: z.int().positive(),
  at: z.string(),
  from: z.iso.date(),
  to: z.iso.date(),
  heads: z.array(z.strictObject({ day: z.iso.date(), lane: z.int(), n: z.int(), hash: z.string() })),
  /** Hash of the anchor before. */
  prev: z.string(),
});
export type Anchor = z.infer<typeof anchor>;

export interface StoredAnchor {
  readonly n: number;
  readonly text: string;
  readonly hash: string;
  /** Keyed digest of the hash: who may write to the table and does not hold the brand's key cannot make one. */
  readonly seal: string;
}

/** What the first anchor follows. */
export const FIRST = 'anchor';

/** Something is not as it was written. */
export interface Finding {
  /** The entry's or the anchor's name: `2026-11-11/3:17`, `anchor:5`. */
  readonly entry: string;
  readonly wrong:
    | 'changed' /** its text is not what was hashed */
    | 'moved' /** it says that it belongs elsewhere */
    | 'unlinked' /** it does not follow the one before it */
    | 'missing' /** there are later ones, or an anchor names it */
    | 'unsealed' /** an anchor that was not made with the brand's key */;
}

const place = z.looseObject({ day: z.string(), lane: z.int(), n: z.int(), at: z.string(), prev: z.string() });

export const nameOfEntry = ({ day, lane, n }: { day: string; lane: number; n: number }): string =>
  `${day}/${lane}:${n}`;

/**
 * Finds every entry of a lane that is not as it was appended. An entry that was taken away and its followers numbered
 * anew is found by the link; the end of a lane that was cut off is found only against an anchor.
 *
 * @param rows of one lane, by number
 */
export function verifyLane(day: string, lane: number, rows: readonly StoredEntry[]): Finding[] {
  const found: Finding[] = [];
  let before: Head = beginning(day, lane);
  for (const row of rows) {
    const name = nameOfEntry(row);
    for (let n = before.n + 1; n < row.n; n++)
      found.push({ entry: nameOfEntry({ day, lane, n }), wrong: 'missing' });
    const said = placeIn(row.text);
    if (hashOf(row.text) !== row.hash) found.push({ entry: name, wrong: 'changed' });
    else if (said?.day !== day || said.lane !== lane || said.n !== row.n || !said.at.startsWith(day))
      found.push({ entry: name, wrong: 'moved' });
    else if (row.n === before.n + 1 && said.prev !== before.hash)
      found.push({ entry: name, wrong: 'unlinked' });
    before = { n: row.n, hash: row.hash };
  }
  return found;
}

function placeIn(text: string): z.infer<typeof place> | undefined {
  try {
    return place.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Where an anchor's text cannot be read, it holds nothing fast. */
export function anchorIn(text: string): Anchor | undefined {
  try {
    return anchor.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/**
 * Finds every anchor that is not as it was made. That the last ones were cut off is found only by who has kept their
 * hash elsewhere: each is written to the log of the function that makes it, which the table's writers cannot reach.
 *
 * @param seal the keyed digest of a hash
 * @param kept the hash of an anchor that somebody kept
 */
export function verifyAnchors(
  anchors: readonly StoredAnchor[],
  seal: (hash: string) => string,
  kept?: string,
): Finding[] {
  const found: Finding[] = [];
  let before: Head = { n: 0, hash: FIRST };
  for (const { n, text, hash, seal: sealed } of anchors) {
    const entry = `anchor:${n}`;
    for (let lost = before.n + 1; lost < n; lost++) found.push({ entry: `anchor:${lost}`, wrong: 'missing' });
    const said = anchorIn(text);
    if (hashOf(text) !== hash) found.push({ entry, wrong: 'changed' });
    else if (said?.n !== n) found.push({ entry, wrong: 'moved' });
    else if (seal(hash) !== sealed) found.push({ entry, wrong: 'unsealed' });
    else if (n === before.n + 1 && said.prev !== before.hash) found.push({ entry, wrong: 'unlinked' });
    before = { n, hash };
  }
  if (kept !== undefined && !anchors.some(({ hash }) => hash === kept))
    found.push({ entry: `anchor ${kept}`, wrong: 'missing' });
  return found;
}

/**
 * Finds what an anchor held fast and is there no more, or is another.
 *
 * @param hashes the hash of every entry that is there, by its name
 */
export function verifyHeads(
  anchors: readonly StoredAnchor[],
  hashes: ReadonlyMap<string, string>,
  isLooked: (day: string) => boolean = () => true,
): Finding[] {
  const found = new Map<string, Finding>();
  for (const { text } of anchors)
    for (const head of anchorIn(text)?.heads ?? []) {
      const entry = nameOfEntry(head);
      const hash = hashes.get(entry);
      if (!isLooked(head.day) || hash === head.hash) continue;
      found.set(entry, { entry, wrong: hash === undefined ? 'missing' : 'changed' });
    }
  return [...found.values()];
}
