import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Clock, HOUR, SECOND } from '../platform/clock.ts';
import { compress, decompress } from '../platform/compressed.ts';
import { ConflictError } from '../platform/errors.ts';
import { END, keys } from '../platform/keys.ts';
import type { Item, Table } from '../platform/table.ts';
import {
  type Learnable,
  type LearningRefused,
  type ModelVersion,
  modelVersion,
  type Run,
  run,
} from './population.ts';
import { type Counts, counts } from './population-counts.ts';

/** How long what was counted is kept: as long as its messages may come again, so that no part is counted in vain. */
const KEPT_MS = 5 * 24 * HOUR;
/** What fits into a row beside its keys; more goes on in rows of its own. */
const ROW_BYTES = 300 * 1024;

const bytes = z.instanceof(Uint8Array);
const runRow = z.object({ b: bytes, ttl: z.int() });
const bodyRow = z.object({ b: bytes });
const headRow = z.object({ more: z.array(z.string()), b: bytes });
const stored = z.strictObject({
  next: z.string().optional(),
  found: counts.optional(),
  refused: z.string().optional(),
});

/** What was counted in the rows after one place of a part, up to another; or why nothing could be. */
export interface Piece {
  readonly part: number;
  /** Empty: from the part's beginning. */
  readonly after: string;
  /** Absent: up to the part's end. */
  readonly next?: string | undefined;
  readonly found: Counts | LearningRefused;
}

const digest = (of: string | Uint8Array): string =>
  createHash('sha256').update(of).digest('base64url').slice(0, 16);

/** Counts of everybody until they are learned of, and the versions that come of them, which stay. */
export function populationStore(table: Table, now: Clock) {
  const ttl = () => Math.ceil((now() + KEPT_MS) / SECOND);

  async function bodyOf(head: Item): Promise<Uint8Array> {
    const { more, b } = headRow.parse(head);
    const rest = await Promise.all(
      more.map(async (sk) => bodyRow.parse(await table.get({ pk: head.pk, sk })).b),
    );
    return Buffer.concat([b, ...rest]);
  }

  return {
    async putRun(it: Run): Promise<void> {
      await table.put({ ...keys.sum('model', it.id), ttl: ttl() }); // first: no count may be where nobody finds it
      await table.put({ ...keys.modelRun(it.id), b: compress(it), ttl: ttl() });
    },

    /** Undefined if there never was one, or its time is over. */
    async getRun(id: string): Promise<Run | undefined> {
      const row = runRow.safeParse(await table.get(keys.modelRun(id)));
      if (!row.success || row.data.ttl * SECOND <= now()) return undefined;
      return run.parse(decompress(row.data.b));
    },

    /**
     * Puts a piece in place of what an earlier attempt counted from the same place on. What does not fit into its row
     * is put first, under the name of what is in it: whoever reads the head finds all that belongs to it.
     */
    async putPiece(id: string, { part, after, next, found }: Piece): Promise<void> {
      const said = found instanceof Error ? { refused: found.message } : { found };
      const body = compress({ ...(next !== undefined && { next }), ...said });
      const key = keys.modelPiece(id, part, digest(after));
      const more: string[] = [];
      for (let at = ROW_BYTES; at < body.length; at += ROW_BYTES) {
        const b = body.subarray(at, at + ROW_BYTES);
        const own = keys.modelPiece(id, part, `${digest(after)}.${digest(b)}`);
        await table.put({ ...own, b, ttl: ttl() });
        more.push(own.sk);
      }
      await table.put({ ...key, more, b: body.subarray(0, ROW_BYTES), ttl: ttl() });
    },

    /**
     * Gives the pieces of each part from its beginning on, as far as they follow on each other: a message that came
     * twice may have cut its part in other places, and nobody counts twice. One piece is held at a time.
     *
     * @returns how many parts were there whole, and the first refusal
     */
    async eachPiece(
      { id, of }: Run,
      take: (found: Counts) => void = () => {},
    ): Promise<{ parts: number; refused?: string }> {
      let parts = 0;
      let refused: string | undefined;
      for (let part = 0; part < of; part++) {
        let after: string | undefined = '';
        while (after !== undefined) {
          const head: Item | undefined = await table.get(keys.modelPiece(id, part, digest(after)));
          if (!head) break;
          const piece: z.infer<typeof stored> = stored.parse(decompress(await bodyOf(head)));
          if (piece.found) take(piece.found);
          refused ??= piece.refused;
          after = piece.next;
        }
        if (after === undefined) parts++;
      }
      return { parts, ...(refused !== undefined && { refused }) };
    },

    /** Puts a version; the first that comes of a count stays, whoever comes again. */
    async putVersion(it: ModelVersion): Promise<void> {
      const key = keys.modelVersion(it.parameters.model, it.id);
      await once(() => table.put({ ...key, b: compress(it) }, { kind: 'absent' }));
    },

    /** Puts what holds from now on, unless something newer does. */
    async putNewest(model: Learnable, at: string, body: unknown): Promise<void> {
      const row = { ...keys.model(model), v: Date.parse(at), b: compress(body) };
      await once(() => table.put(row, { kind: 'newer' }));
    },

    async getVersion(model: Learnable, id: string): Promise<ModelVersion | undefined> {
      const row = await table.get(keys.modelVersion(model, id));
      return row && modelVersion.parse(decompress(bodyRow.parse(row).b));
    },

    /** The newest versions of a model, the newest first. */
    async versions(model: Learnable, limit: number): Promise<ModelVersion[]> {
      const { pk, sk } = keys.modelVersion(model, '');
      const { items } = await table.page(pk, { from: sk, to: `${sk}${END}`, newestFirst: true, limit });
      return items.map((row) => modelVersion.parse(decompress(bodyRow.parse(row).b)));
    },
  };
}
export type PopulationStore = ReturnType<typeof populationStore>;

async function once(put: () => Promise<void>): Promise<void> {
  try {
    await put();
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
  }
}
