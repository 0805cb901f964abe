import { z } from 'zod';
import type { Identifier } from '../events/event.ts';
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
    ]),
  ),
]);
export type StoredGraph = z.infer<typeof storedGraph>;

/** @param since the cluster's first instant, in milliseconds */
export function packGraph({ identifiers, edges, attachments }: Graph, since: number): StoredGraph {
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
  const packedAttachments = [...attachments].map(([name, { beside, among }]): StoredGraph[3][number] => [
    ref(name),
    beside ? [seen(beside), ref(beside.owner)] : 0,
    among ? [seen(among), ref(among.leader)] : 0,
  ]);
  return [
    [...identifiers.values()].map(({ kind, scope, value }) => [kind, scope, value]),
    [...sightings.values()],
    packedEdges,
    packedAttachments,
  ];
}

export function unpackGraph([ids, sightings, edges, attachments]: StoredGraph, since: number): Graph {
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
      attachments.map(([ref, beside, among]): [string, Attachment] => [
        name(ref),
        {
          ...(beside && { beside: { ...seen(beside[0]), owner: name(beside[1]) } }),
          ...(among && { among: { ...seen(among[0]), leader: name(among[1]) } }),
        },
      ]),
    ),
  };
}
