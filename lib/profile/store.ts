import { z } from 'zod';
import type { Event } from '../events/event.ts';
import { byTime, identifier, instant } from '../events/event.ts';
import { ConflictError } from '../platform/errors.ts';
import { DUE_SHARDS, keys, SEGMENT, shardOf } from '../platform/keys.ts';
import { SEALING_BYTES } from '../platform/sealed.ts';
import type { Item, Table } from '../platform/table.ts';
import type { Cluster } from './cluster.ts';
import { pack, packSegment, unpack, unpackSegment } from './codec.ts';
import { cutsIn } from './entries.ts';
import type { Journal, Segment } from './fold.ts';
import { isCut } from './retention.ts';

const bytes = z.instanceof(Uint8Array);
const clusterRow = z.object({ v: z.int(), s: bytes, book: z.string(), due: z.string().optional() });
/** Whom a cluster is left without: every identifier that goes, with its digest, the person's own first. */
const goer = identifier.extend({ digest: z.string(), shared: z.literal(true).optional() });
const erasing = z.object({ at: instant, of: z.array(goer).min(1) });
export type Erasing = z.infer<typeof erasing>;

const redirectRow = z.object({
  ...{
    v: z.int(),
    joined: z.string(),
    s: bytes.optional(),
    book: z.string().optional(),
    erasing: erasing.optional(),
  },
});
const segmentRow = z.object({ b: bytes, before: z.string().optional() });

/** A cluster that another has taken in, or is taking in: until `left` is gone, its events may not all be there yet. */
export interface Redirect {
  readonly joined: string;
  readonly version: number;
  readonly left: Cluster | undefined;
  /** It goes there without somebody. */
  readonly erasing?: Erasing | undefined;
}

/** More segments than a page of a megabyte holds. */
const MANY = 2048;

/** Profiles and their journals. */
export function profileStore(table: Table) {
  /** Sealed segments, newest first; few at a time where few may do, because what is read is paid for. */
  async function* segments(cluster: Cluster, few: boolean): AsyncGenerator<Item> {
    const newest = keys.segment(cluster.id, cluster.sequence - 1);
    const range = { from: SEGMENT, to: newest.sk, newestFirst: true };
    let after: string | undefined;
    for (let limit = few ? 1 : MANY; ; limit = Math.min(limit * 2, MANY)) {
      const { items, next } = await table.page(newest.pk, {
        ...range,
        limit,
        ...(after !== undefined && { after }),
      });
      yield* items;
      if (next === undefined) return;
      after = next;
    }
  }

  const journal = async (cluster: Cluster, from?: string): Promise<Journal> => {
    const events: Event[] = [];
    const cuts = cutsIn(cluster.outbox);
    if (cluster.sequence > 0) {
      for await (const row of segments(cluster, from !== undefined)) {
        const { b, before } = segmentRow.parse(row);
        const sealed = unpackSegment(b, cluster.graph, cluster.createdAt);
        events.push(...sealed.filter((event) => !cuts.some((cut) => isCut(event, cut))));
        if (from !== undefined && (before === undefined || before < from)) break;
      }
    }
    return { from, events: events.sort(byTime) };
  };

  return {
    /** The cluster under an id, or where it has gone. */
    async get(id: string): Promise<Cluster | Redirect | undefined> {
      const row = await table.get(keys.profile(id));
      return row && read(row);
    },

    /** What a row says that somebody came by, perhaps a moment ago: whoever writes by it is told if it was the last word. */
    read,

    /** Puts the next state, if the one it was made from is still the stored one. @throws ConflictError otherwise */
    async put(cluster: Cluster): Promise<void> {
      await table.put(toRow(cluster), { kind: 'version', version: cluster.version - 1 });
    },

    /** Seals a segment; it counts once the state's sequence has passed it. The newest state that seals it wins. */
    async putSegment(cluster: Cluster, { sequence, events, before }: Segment): Promise<void> {
      const b = packSegment(events, cluster.graph, cluster.createdAt);
      const row: Item = {
        ...keys.segment(cluster.id, sequence),
        v: cluster.version,
        b,
        ...(before && { before }),
      };
      try {
        await table.put(row, { kind: 'newer' });
      } catch (error) {
        // The same segment, written by us before a crash or by somebody who is ahead: the state's own put decides.
        if (!(error instanceof ConflictError)) throw error;
      }
    },

    /**
     * The sealed events from an instant on, by reading segments from the newest back until none before can matter;
     * without an instant, all of them.
     */
    journal,

    /**
     * Closes a cluster to everybody and says where it goes. Its state stays until its events have arrived there, and
     * so long it is due: whatever becomes of who closed it, the clock comes by and ends it.
     *
     * @param erasing who does not come along
     */
    async freeze(cluster: Cluster, into: string, due: string, erasing?: Erasing): Promise<void> {
      const { version, book } = cluster;
      const left = version > 0 && {
        s: pack(cluster),
        book,
        w: keys.due(shardOf(cluster.id, DUE_SHARDS)),
        due,
      };
      await table.put(
        {
          ...{ ...keys.profile(cluster.id), v: version + 1, joined: into, ...left },
          ...(erasing && { erasing: { at: erasing.at, of: erasing.of.map((id) => ({ ...id })) } }),
        },
        { kind: 'version', version },
      );
    },

    /** Leaves nothing of a cluster but the way to where it went. Doing it again changes nothing. */
    async leave(id: string, { joined, version, left }: Redirect): Promise<void> {
      await table.put({ ...keys.taken(joined, id) }); // whoever is erased there was here before, and is in backups
      for (let sequence = 0; sequence < (left?.sequence ?? 0) + 1; sequence++)
        await table.remove(keys.segment(id, sequence));
      try {
        await table.put({ ...keys.profile(id), v: version + 1, joined }, { kind: 'version', version });
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error; // somebody else finished it
      }
    },

    /** Every event of a cluster, sealed or not. */
    async events(cluster: Cluster): Promise<Event[]> {
      return [...(await journal(cluster)).events, ...cluster.tail].sort(byTime);
    },
  };
}

export type ProfileStore = ReturnType<typeof profileStore>;

export const isRedirect = (it: Cluster | Redirect): it is Redirect => 'joined' in it;

function read(row: Item): Cluster | Redirect {
  const id = row.pk.slice(keys.profile('').pk.length);
  if (row.joined === undefined) return fromRow(id, clusterRow.parse(row));
  const { joined, v, s, book = '', erasing } = redirectRow.parse(row);
  return { joined, version: v, left: s && fromRow(id, { v, s, book }), erasing };
}

const fromRow = (id: string, { v, s, book, due }: z.infer<typeof clusterRow>): Cluster => ({
  ...{ version: v, due, book },
  ...unpack(s, id),
});

const toRow = (cluster: Cluster): Item => ({
  ...keys.profile(cluster.id),
  v: cluster.version,
  s: packedOnce(cluster),
  book: cluster.book,
  ...(cluster.due !== undefined && { w: keys.due(shardOf(cluster.id, DUE_SHARDS)), due: cluster.due }),
});

/** A state is weighed before it is put: it is compressed for both. */
const packed = new WeakMap<Cluster, Uint8Array>();

function packedOnce(cluster: Cluster): Uint8Array {
  const known = packed.get(cluster);
  if (known) return known;
  const bytes = pack(cluster);
  packed.set(cluster, bytes);
  return bytes;
}

/** How many write units putting a cluster takes: a kilobyte each, names of attributes and their values counted. */
export function writeUnits(cluster: Cluster): number {
  const bytes = Object.entries(toRow(cluster)).reduce((sum, [name, value]) => {
    if (value instanceof Uint8Array) return sum + name.length + value.length + SEALING_BYTES;
    return sum + name.length + 1 + Buffer.byteLength(String(value));
  }, 0);
  return Math.ceil(bytes / 1024);
}
