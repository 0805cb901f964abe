import { z } from 'zod';
import type { Event } from '../events/event.ts';
import { byTime, identifier, instant } from '../events/event.ts';
import { ConflictError } from '../platform/errors.ts';
import { DUE_SHARDS, keys, SEGMENT, shardOf } from '../platform/keys.ts';
import type { Item, Table } from '../platform/table.ts';
import type { Cluster } from './cluster.ts';
import { pack, packSegment, unpack, unpackSegment } from './codec.ts';
import type { Journal, Segment } from './fold.ts';

const bytes = z.instanceof(Uint8Array);
const clusterRow = z.object({ v: z.int(), s: bytes, due: z.string().optional() });
/** Whom a cluster is left without: every identifier that goes, with its digest, the person's own first. */
const erasing = z.object({ at: instant, of: z.array(identifier.extend({ digest: z.string() })).min(1) });
export type Erasing = z.infer<typeof erasing>;

const redirectRow = z.object({
  ...{ v: z.int(), joined: z.string(), s: bytes.optional(), erasing: erasing.optional() },
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
    if (cluster.sequence > 0) {
      for await (const row of segments(cluster, from !== undefined)) {
        const { b, before } = segmentRow.parse(row);
        events.push(...unpackSegment(b, cluster.graph, cluster.createdAt));
        if (from !== undefined && (before === undefined || before < from)) break;
      }
    }
    return { from, events: events.sort(byTime) };
  };

  return {
    /** The cluster under an id, or where it has gone. */
    async get(id: string): Promise<Cluster | Redirect | undefined> {
      const row = await table.get(keys.profile(id));
      if (!row) return undefined;
      if (row.joined === undefined) return fromRow(id, clusterRow.parse(row));
      const { joined, v, s, erasing } = redirectRow.parse(row);
      return { joined, version: v, left: s && fromRow(id, { v, s }), erasing };
    },

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
      const { version } = cluster;
      const left = version > 0 && { s: pack(cluster), w: keys.due(shardOf(cluster.id, DUE_SHARDS)), due };
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

function fromRow(id: string, { v, s, due }: z.infer<typeof clusterRow>): Cluster {
  return { version: v, due, ...unpack(s, id) };
}

function toRow(cluster: Cluster): Item {
  const tags = [...cluster.shown.values()].flatMap(({ tags }) =>
    [...tags].map(([tag, { value }]) => (value === true ? tag : `${tag}=${value}`)),
  );
  return {
    ...keys.profile(cluster.id),
    v: cluster.version,
    s: pack(cluster),
    ...(tags.length > 0 && { tags: [...new Set(tags)].sort() }),
    ...(cluster.due !== undefined && { w: keys.due(shardOf(cluster.id, DUE_SHARDS)), due: cluster.due }),
  };
}

/** How many write units putting a cluster takes: a kilobyte each, names of attributes and their values counted. */
export function writeUnits(cluster: Cluster): number {
  const bytes = Object.entries(toRow(cluster)).reduce((sum, [name, value]) => {
    if (value instanceof Uint8Array) return sum + name.length + value.length;
    const texts = Array.isArray(value) ? value : [value];
    return sum + name.length + texts.reduce<number>((all, it) => all + 3 + Buffer.byteLength(String(it)), 0);
  }, 0);
  return Math.ceil(bytes / 1024);
}
