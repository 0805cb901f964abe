import { z } from 'zod';
import { DAY } from '../platform/clock.ts';
import { ConflictError } from '../platform/errors.ts';
import { keys, SEGMENT } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';
import type { Cluster } from './cluster.ts';
import { packSegment, unpackSegment } from './codec.ts';
import { type Cut, isCut } from './retention.ts';

/** How long a row stands of which nothing is left: longer than any writer that could still bring it back as it was. */
export const GONE_DAYS = 14;

const segmentRow = z.object({ v: z.int(), b: z.instanceof(Uint8Array), before: z.string().optional() });

/**
 * Takes what has expired out of a cluster's journal, to the event: of sealed segments, and of one that somebody sealed who
 * then crashed. Doing it again changes nothing.
 *
 * A segment gets the version before the state's own: no older state wins against it, so nobody brings it back as it was, and
 * whoever seals from this state on does. One of which nothing is left ends by itself.
 */
export async function takeOut(
  cluster: Cluster,
  cut: Cut,
  { table, now }: { readonly table: Pick<Table, 'query' | 'put'>; readonly now: () => number },
): Promise<void> {
  const last = keys.segment(cluster.id, cluster.sequence);
  for await (const row of table.query(last.pk, { from: SEGMENT, to: last.sk })) {
    const { v, b, before } = segmentRow.parse(row);
    const events = unpackSegment(b, cluster.graph, cluster.createdAt);
    const left = events.filter((event) => !isCut(event, cut));
    if (left.length === events.length || v >= cluster.version) continue;
    const next = {
      ...{ pk: row.pk, sk: row.sk, v: cluster.version - 1 },
      b: packSegment(left, cluster.graph, cluster.createdAt),
      ...(before !== undefined && { before }),
      ...(left.length === 0 && { ttl: Math.floor((now() + GONE_DAYS * DAY) / 1000) }),
    };
    try {
      await table.put(next, { kind: 'version', version: v });
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error; // taken out by somebody else, or the cluster has gone
    }
  }
}
