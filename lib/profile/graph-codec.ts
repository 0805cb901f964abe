import { z } from 'zod';
import type { Identifier } from '../events/event.ts';
import { type Decision, verdict } from '../identity/decisions.ts';
import { type Attachment, type Edge, type Graph, nameOf, type Sighting } from '../identity/graph.ts';
import { toIso } from '../platform/clock.ts';

const int = z.int();
const nothing = z.literal(0);
export const storedIdentifier = z.tuple([z.string(), z.string(), z.string()]);

/**
 * A graph for the disk: identifiers by their place in a list, and each sighting once: an event that shows three
 * identifiers makes three edges, and its id is what does not compress.
 */
export const storedGraph = z.tuple([
  z.array(storedIdentifier),
  z.array(z.tuple([int, z.string()])), // sightings: time after the cluster's first, event
  z.array(z.tuple([int, int, int])), // edges: identifier, identifier, sighting
  z.array(
    z.tuple([
      int, // identifier
      z.union([z.tuple([int, int]), nothing]), // beside: sighting, owner
      z.union([z.tuple([int, int]), nothing]), // among: sighting, leader
      z.array(z.tuple([z.string(), int])).optional(), // owners, where it had several: who, time after the cluster's first
    ]),
  ),
  // decisions, where there are any: identifier, identifier, verdict, time after the cluster's first, event, who, why
  z.array(z.tuple([int, int, verdict, int, z.string(), z.string(), z.string()])).optional(),
]);
export type StoredGraph = z.infer<typeof storedGraph>;

/** @param since the cluster's first instant, in milliseconds */
export function packGraph({ identifiers, edges, attachments, decisions }: Graph, since: number): StoredGraph {
  const place = new Map([...identifiers.keys()].map((name, i) => [name, i]));
  const ref = (name: string) => place.get(name) ?? -1;
  const sightings = new Map<string, [number, string]>();
  const seen = ({ at, event }: Sighting): number => {
    if (!sightings.has(event)) sightings.set(event, [Date.parse(at) - since, event]);
    return [...sightings.keys()].indexOf(event);
  };
  const packedEdges = [...edges.values()].map((edge): [number, number, number] => [
    ref(edge.a),
    ref(edge.b),
    seen(edge),
  ]);
  const packedAttachments = [...attachments].map(
    ([name, { beside, among, owners }]): StoredGraph[3][number] => {
      const first: [number, number] | 0 = beside ? [seen(beside), ref(beside.owner)] : 0;
      const leads: [number, number] | 0 = among ? [seen(among), ref(among.leader)] : 0;
      if (!owners) return [ref(name), first, leads];
      return [ref(name), first, leads, owners.map(({ by, at }) => [by, Date.parse(at) - since])];
    },
  );
  const packed: StoredGraph = [
    [...identifiers.values()].map(({ kind, scope, value }) => [kind, scope, value]),
    [...sightings.values()],
    packedEdges,
    packedAttachments,
  ];
  if (decisions.size === 0) return packed; // nearly everybody: not a byte for it
  const packedDecisions = [...decisions.values()].map((it): NonNullable<StoredGraph[4]>[number] => [
    ref(it.a),
    ref(it.b),
    it.verdict,
    Date.parse(it.at) - since,
    it.event,
    it.by,
    it.why,
  ]);
  return [packed[0], packed[1], packed[2], packed[3], packedDecisions];
}

export function unpackGraph(
  [ids, sightings, edges, attachments, decisions]: StoredGraph,
  since: number,
): Graph {
  const identifiers = ids.map(([kind, scope, value]): Identifier => ({ kind, scope, value }));
  const names = identifiers.map(nameOf);
  const name = (ref: number) => names[ref] ?? '';
  const seen = (ref: number): Sighting => {
    const [at = 0, event = ''] = sightings[ref] ?? [];
    return { at: toIso(since + at), event };
  };
  return {
    identifiers: new Map(identifiers.map((id, i) => [name(i), id])),
    edges: new Map(
      edges.map(([a, b, ref]): [string, Edge] => [
        `${name(a)}\t${name(b)}`,
        { ...seen(ref), a: name(a), b: name(b) },
      ]),
    ),
    attachments: new Map(
      attachments.map(([ref, beside, among, owners]): [string, Attachment] => [
        name(ref),
        {
          ...(beside && { beside: { ...seen(beside[0]), owner: name(beside[1]) } }),
          ...(among && { among: { ...seen(among[0]), leader: name(among[1]) } }),
          ...(owners && { owners: owners.map(([by, at]) => ({ by, at: toIso(since + at) })) }),
        },
      ]),
    ),
    decisions: new Map(
      (decisions ?? []).map(([a, b, to, at, event, by, why]): [string, Decision] => [
        `${name(a)}\t${name(b)}`,
        { a: name(a), b: name(b), verdict: to, at: toIso(since + at), event, by, why },
      ]),
    ),
  };
}
