import type { Identifier } from '../events/event.ts';
import type { Decision, Verdict } from '../identity/decisions.ts';
import { type Attachment, type Edge, type Graph, nameOf, type Sighting } from '../identity/graph.ts';
import { edgeKey, noTenures, type Tenures } from '../identity/tenure.ts';
import { toIso } from '../platform/clock.ts';
import type { Restriction } from '../privacy/restriction.ts';
import { areRows, isRow } from './stored.ts';

type StoredIdentifier = readonly [kind: string, scope: string, value: string];
type StoredSighting = readonly [at: number, event: string];
type StoredEdge = readonly [a: number, b: number, sighting: number];
type StoredAttachment = readonly [
  identifier: number,
  beside: readonly [sighting: number, owner: number] | 0,
  among: readonly [sighting: number, leader: number] | 0,
  /** Where it had several. */
  owners?: readonly (readonly [by: string, at: number])[],
];
type StoredDecision = readonly [
  ...[a: number, b: number, verdict: Verdict],
  ...[at: number, event: string, by: string, why: string],
];
type StoredRestriction = readonly [
  identifier: number,
  said: readonly (readonly [restricted: 0 | 1, at: number, event: string])[],
];
type StoredTenures = readonly [
  identifier: number,
  runs: readonly (readonly [from: number, to: number])[],
  idleDays: number,
  /** Releases, and who was erased. */
  changed?: Pick<Tenures, 'releases' | 'gone'>,
];

/**
 * A graph for the disk: identifiers by their place in a list, and each sighting once: an event that shows three
 * identifiers makes three edges, and its id is what does not compress. Times are counted from the cluster's first. What
 * hardly anybody has takes no room where there is none.
 */
export type StoredGraph = readonly [
  identifiers: readonly StoredIdentifier[],
  sightings: readonly StoredSighting[],
  edges: readonly StoredEdge[],
  attachments: readonly StoredAttachment[],
  decisions?: readonly StoredDecision[],
  restrictions?: readonly StoredRestriction[],
  /** Identifiers that may change hands. */
  tenures?: readonly StoredTenures[],
];

/** @throws Error if a graph is none of ours: it is looked at in outline, as all of a state (`stored.ts`) */
export function storedGraph(it: unknown): StoredGraph {
  if (!isGraph(it)) throw new Error('what a row holds is no graph');
  return it;
}

const isGraph = (it: unknown): it is StoredGraph =>
  isRow(it, 4) &&
  areRows(it[0], 3) &&
  areRows(it[1], 2) &&
  areRows(it[2], 3) &&
  areRows(it[3], 3) &&
  areRows(it[4] ?? [], 7) &&
  areRows(it[5] ?? [], 2) &&
  areRows(it[6] ?? [], 3);

/** @param since the cluster's first instant, in milliseconds */
export function packGraph(
  { identifiers, edges, attachments, decisions, restrictions, tenures }: Graph,
  since: number,
): StoredGraph {
  const place = new Map([...identifiers.keys()].map((name, i) => [name, i]));
  const ref = (name: string) => place.get(name) ?? -1;
  const sightings = new Map<string, [number, string]>();
  const seen = ({ at, event }: Sighting): number => {
    if (!sightings.has(event)) sightings.set(event, [Date.parse(at) - since, event]);
    return [...sightings.keys()].indexOf(event);
  };
  const packedEdges = [...edges.values()].map((edge): StoredEdge => [ref(edge.a), ref(edge.b), seen(edge)]);
  const packedAttachments = [...attachments].map(([name, { beside, among, owners }]): StoredAttachment => {
    const first: [number, number] | 0 = beside ? [seen(beside), ref(beside.owner)] : 0;
    const leads: [number, number] | 0 = among ? [seen(among), ref(among.leader)] : 0;
    if (!owners) return [ref(name), first, leads];
    return [ref(name), first, leads, owners.map(({ by, at }) => [by, Date.parse(at) - since])];
  });
  const packed: StoredGraph = [
    [...identifiers.values()].map(({ kind, scope, value }) => [kind, scope, value]),
    [...sightings.values()],
    packedEdges,
    packedAttachments,
  ];
  if (decisions.size + restrictions.size + tenures.size === 0) return packed; // nearly everybody: not a byte for it
  const packedDecisions = [...decisions.values()].map(
    (it): StoredDecision => [
      ref(it.a),
      ref(it.b),
      it.verdict,
      Date.parse(it.at) - since,
      it.event,
      it.by,
      it.why,
    ],
  );
  if (restrictions.size + tenures.size === 0)
    return [packed[0], packed[1], packed[2], packed[3], packedDecisions];
  const packedRestrictions = [...restrictions].map(
    ([name, said]): StoredRestriction => [
      ref(name),
      said.map(({ restricted, at, event }) => [restricted ? 1 : 0, Date.parse(at) - since, event]),
    ],
  );
  if (tenures.size === 0)
    return [packed[0], packed[1], packed[2], packed[3], packedDecisions, packedRestrictions];
  const changed = [...tenures].map(([name, it]) => packTenures(ref(name), it, since));
  return [packed[0], packed[1], packed[2], packed[3], packedDecisions, packedRestrictions, changed];
}

export function unpackGraph(
  [ids, sightings, edges, attachments, decisions, restrictions, changed]: StoredGraph,
  since: number,
): Graph {
  const identifiers = ids.map(([kind, scope, value]): Identifier => ({ kind, scope, value }));
  const names = identifiers.map(nameOf);
  const name = (ref: number) => names[ref] ?? '';
  const seen = (ref: number): Sighting => {
    const [at = 0, event = ''] = sightings[ref] ?? [];
    return { at: toIso(since + at), event };
  };
  const tenures = new Map((changed ?? []).map((it) => [name(it[0]), unpackTenures(it, since)]));
  return {
    tenures,
    identifiers: new Map(identifiers.map((id, i) => [name(i), id])),
    edges: new Map(
      edges.map(([a, b, ref]): [string, Edge] => {
        const edge = { ...seen(ref), a: name(a), b: name(b) };
        return [edgeKey({ tenures }, edge), edge];
      }),
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
    restrictions: new Map(
      (restrictions ?? []).map(([ref, said]): [string, Restriction[]] => [
        name(ref),
        said.map(([restricted, at, event]) => ({
          restricted: restricted === 1,
          at: toIso(since + at),
          event,
        })),
      ]),
    ),
  };
}

/** Of most there are sightings alone. */
function packTenures(ref: number, { runs, idleDays = 0, ...rest }: Tenures, since: number): StoredTenures {
  const times = runs.map(([from, to]): [number, number] => [
    Date.parse(from) - since,
    Date.parse(to) - since,
  ]);
  return rest.releases.length + rest.gone.length === 0
    ? [ref, times, idleDays]
    : [ref, times, idleDays, rest];
}

const unpackTenures = ([, times, idleDays, rest]: StoredTenures, since: number): Tenures => ({
  ...noTenures,
  ...rest,
  runs: times.map(([from, to]) => [toIso(since + from), toIso(since + to)]),
  ...(idleDays > 0 && { idleDays }),
});
