import type { Event } from '../events/event.ts';
import { type Attachment, emptyGraph, type Graph, nameOf, type Sighting } from '../identity/graph.ts';

/**
 * What a graph knows of those who stay and no event tells any more, because it has expired: who was seen with whom, and who was
 * seen at all. Of a fact that names somebody who is gone there is nothing.
 *
 * @param events all that are left of everybody, those of whoever is gone too
 * @param gone names of who is gone
 */
export function unwitnessed(graph: Graph, events: readonly Event[], gone: ReadonlySet<string>): Graph {
  const known = new Set(events.map(({ id }) => id));
  const left = <T extends Sighting>(it: T | undefined, other: (it: T) => string): T | undefined =>
    it && !known.has(it.event) && !gone.has(other(it)) ? it : undefined;
  const edges = [...graph.edges].filter(([, it]) => !gone.has(it.a) && left(it, ({ b }) => b));
  const attachments = [...graph.attachments].flatMap(([name, it]): [string, Attachment][] => {
    const beside = left(it.beside, ({ owner }) => owner);
    const among = left(it.among, ({ leader }) => leader);
    if (gone.has(name) || (!beside && !among)) return [];
    return [[name, { ...(beside && { beside }), ...(among && { among }) }]];
  });
  const told = new Set([
    ...events.flatMap(({ identifiers }) => identifiers.map(nameOf)),
    ...[...graph.decisions.values()].flatMap(({ a, b }) => [a, b]),
    ...graph.tenures.keys(),
  ]);
  const named = new Set([
    ...edges.flatMap(([, { a, b }]) => [a, b]),
    ...attachments.flatMap(([name, { beside, among }]) => [
      name,
      beside?.owner ?? name,
      among?.leader ?? name,
    ]),
  ]);
  const identifiers = [...graph.identifiers].filter(
    ([name]) => named.has(name) || !(gone.has(name) || told.has(name)),
  );
  return {
    ...emptyGraph(),
    ...{ identifiers: new Map(identifiers), edges: new Map(edges), attachments: new Map(attachments) },
  };
}
