import { z } from 'zod';
import { type Clock, DAY, HOUR, SECOND } from '../platform/clock.ts';
import { compress, decompress } from '../platform/compressed.ts';
import { keys } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';
import { digest } from './features.ts';
import { type Survey, survey } from './survey.ts';

/** How long an answer is kept: it may name profiles, and who looks at it looks soon. */
export const SURVEY_MS = 24 * HOUR;
/** A back-fill names nobody, and its messages may come back from the dead-letter queue after two weeks. */
export const BACKFILL_MS = 30 * DAY;

const bytes = z.instanceof(Uint8Array);
const surveyRow = z.object({ survey: z.string(), ttl: z.int() });
const pieceRow = z.object({ sk: z.string(), b: bytes });
const stored = z.strictObject({ next: z.string().optional(), found: z.unknown() });

/** What was found in the rows after one place of a part, up to another. */
export interface Piece {
  readonly part: number;
  /** Empty: from the part's beginning. */
  readonly after: string;
  /** Absent: up to the part's end. */
  readonly next?: string | undefined;
  readonly found: unknown;
}

/** The pieces that are there, each profile in one of them at most, and how many parts they cover whole. */
export interface Pieces {
  readonly found: readonly unknown[];
  readonly parts: number;
}

/** Surveys and what they found, until they are a day old. */
export function surveyStore(table: Table, now: Clock) {
  const ttl = (ms = SURVEY_MS) => Math.ceil((now() + ms) / SECOND);

  return {
    async put(it: Survey): Promise<void> {
      const kept = it.asked.kind === 'backfill' ? BACKFILL_MS : SURVEY_MS;
      await table.put({ ...keys.sum('survey', it.id), ttl: ttl(kept) }); // first: no survey may be where nobody finds it
      await table.put({ ...keys.survey(it.id), survey: JSON.stringify(it), ttl: ttl(kept) });
    },

    /** Undefined if there never was one, its day is over, or it was ended. */
    async get(id: string): Promise<Survey | undefined> {
      const row = surveyRow.safeParse(await table.get(keys.survey(id)));
      if (!row.success || row.data.ttl * SECOND <= now()) return undefined;
      return survey.parse(JSON.parse(row.data.survey));
    },

    /** Whether it was ended because somebody whom it may have counted was erased (`survey-end.ts`). */
    async isEnded(id: string): Promise<boolean> {
      return (await table.get(keys.survey(id)))?.ended === true;
    },

    /** Puts a piece in place of what an earlier attempt found from the same place on. */
    async putPiece(id: string, { part, after, next, found }: Piece, keptMs = SURVEY_MS): Promise<void> {
      const b = compress({ ...(next !== undefined && { next }), found });
      await table.put({ ...keys.surveyPiece(id, part, digest(after, 16)), b, ttl: ttl(keptMs) });
    },

    /** What an earlier attempt found from this place on. */
    async piece(id: string, part: number, after: string): Promise<unknown> {
      const row = pieceRow.safeParse(await table.get(keys.surveyPiece(id, part, digest(after, 16))));
      return row.success ? stored.parse(decompress(row.data.b)).found : undefined;
    },

    /**
     * The pieces of each part from its beginning on, as far as they follow on each other. A message that came twice
     * may have cut its part in other places: what does not follow on is left out, so that nobody counts twice.
     */
    async pieces({ id, of }: Survey): Promise<Pieces> {
      const byPlace = new Map<string, z.infer<typeof stored>>();
      for await (const row of table.query(keys.survey(id).pk)) {
        if (row.sk === keys.survey(id).sk) continue;
        const { sk, b } = pieceRow.parse(row);
        byPlace.set(sk, stored.parse(decompress(b)));
      }
      const found: unknown[] = [];
      let parts = 0;
      for (let part = 0; part < of; part++) {
        let after: string | undefined = '';
        while (after !== undefined) {
          const piece = byPlace.get(keys.surveyPiece(id, part, digest(after, 16)).sk);
          if (!piece) break;
          found.push(piece.found);
          after = piece.next;
        }
        if (after === undefined) parts++;
      }
      return { found, parts };
    },
  };
}

export type SurveyStore = ReturnType<typeof surveyStore>;
